"""The map as a force: energy is the interpolated density, force its gradient."""

from dataclasses import replace

import numpy as np
import pytest

from atomsight.density.map import index_matrix, map_from_array
from atomsight.density.sampling import trilinear
from atomsight.ensemble.box import box_around
from atomsight.ensemble.engines.density_force import DensityForce, make_density
from atomsight.ensemble.preparation import Prepared
from atomsight.errors import OverlayError
from atomsight.kernels.density_force import density_force
from tests.ensemble.peptides import map_around


def prepared(xyz, others=()):
    n = len(xyz)
    nothing = np.array([""])
    return Prepared(
        xyz=xyz,
        atom=np.full(n, "CA"),
        element=np.full(n, "C"),
        residue=np.zeros(n, dtype=np.int64),
        added=np.zeros(n, dtype=bool),
        bonds=np.zeros((0, 2), dtype=np.int64),
        chain=np.array(["A"]),
        name=np.array(["ALA"]),
        icode=nothing,
        number=np.array([1]),
        segment=np.array([0]),
        b_iso=20.0,
        left_out={},
        others=np.reshape(others, (-1, 3)),
        notes=(),
    )


@pytest.fixture
def scene():
    rng = np.random.default_rng(1)
    map_ = map_from_array(
        rng.normal(size=(9, 8, 7)).astype(np.float32), (1.0, 1.2, 0.9), (5, -3, 2)
    )
    inside = map_.origin + map_.step @ np.array([6.0, 7.0, 8.0]) * rng.uniform(0.05, 0.95, (30, 1))
    return map_, inside + rng.uniform(-0.2, 0.2, (30, 3)), rng.uniform(1.0, 3.0, 30)


def evaluate(map_, xyz, weight):
    force = np.zeros_like(xyz)
    energy = density_force(xyz, weight, map_.values, map_.origin, index_matrix(map_), force)
    return energy, force


def test_energy_is_minus_the_weighted_density(scene):
    map_, xyz, weight = scene
    density = np.nan_to_num(trilinear(map_, xyz))
    energy, _ = evaluate(map_, xyz, weight)
    assert energy == pytest.approx(-(weight * density).sum(), rel=1e-6)


def test_force_is_the_slope_of_the_energy(scene):
    map_, xyz, weight = scene
    _, force = evaluate(map_, xyz, weight)
    h = 1e-6
    for axis in range(3):
        step = np.eye(3)[axis] * h
        for i in range(len(xyz)):
            one, other = (
                evaluate(map_, xyz[i : i + 1] + s, weight[i : i + 1])[0] for s in (step, -step)
            )
            assert force[i, axis] == pytest.approx((other - one) / (2 * h), abs=1e-5)


def test_outside_there_is_neither_energy_nor_force(scene):
    map_, xyz, weight = scene
    energy, force = evaluate(map_, np.vstack([xyz[:1] + 100.0, [[np.nan] * 3]]), weight[:2])
    assert energy == 0.0
    assert not force.any()


def test_density_is_one_at_the_backbone_and_cut():
    xyz = np.random.default_rng(2).uniform(0.0, 12.0, (40, 3))
    map_ = map_around(xyz)
    made = make_density(map_, prepared(xyz), blur=1.5, lowest=-0.2, highest=1.5)
    for values in (made.fine, made.coarse):
        here = trilinear(map_from_array(values, 1.0, tuple(made.origin)), xyz)
        assert np.median(here) == pytest.approx(1.0, abs=0.1)
        assert values.max() <= 1.5
    # the blurred map reaches further
    assert (made.coarse > 0.1).sum() > 1.5 * (made.fine > 0.1).sum()


def test_a_backbone_outside_density_is_refused():
    xyz = np.random.default_rng(2).uniform(0.0, 12.0, (40, 3))
    map_ = map_around(xyz)
    with pytest.raises(OverlayError, match="not positive"):
        make_density(
            map_from_array(-map_.values, 1.0, tuple(map_.origin)),
            prepared(xyz),
            blur=1.5,
            lowest=-0.2,
            highest=2.0,
        )


def test_the_box_around_a_model_lies_where_the_map_does():
    map_ = map_from_array(np.random.default_rng(3).random((60, 50, 70)), 1.0, (-10, 0, 5))
    xyz = np.array([[20.0, 25.0, 35.0], [22.0, 24.0, 33.0]])
    box = box_around(map_, xyz)
    assert box.values.size < map_.values.size / 3
    assert trilinear(box, xyz) == pytest.approx(trilinear(map_, xyz))
    assert box.full_origin == pytest.approx(map_.origin)


def test_the_maps_can_be_exchanged():
    class State:
        def __init__(self, xyz):
            self._value = xyz / 10.0

        def getPositions(self, *, asNumpy):  # noqa: N802, N803
            assert asNumpy
            return self

    xyz = np.random.default_rng(2).uniform(0.0, 12.0, (40, 3))
    made = make_density(map_around(xyz), prepared(xyz), blur=1.5, lowest=-0.2, highest=2.0)
    force = DensityForce(made, np.full(40, 2.0))
    fine, _ = force(State(xyz))
    force.use("coarse")
    assert force(State(xyz))[0] != pytest.approx(fine)


def test_density_of_atoms_that_take_no_part_does_not_count():
    ours = np.array([[0.0, 0.0, 0.0], [1.5, 0.0, 0.0], [3.0, 0.0, 0.0]])
    theirs = np.array([[8.0, 0.0, 0.0], [9.5, 0.0, 0.0]])
    map_ = map_around(np.vstack([ours, theirs]), spacing=0.5)

    def density(others):
        made = make_density(map_, prepared(ours, others), blur=1.5, lowest=-0.2, highest=2.0)
        return [
            trilinear(replace(made.map, values=v), xyz)
            for v in (made.fine, made.coarse)
            for xyz in (ours, theirs)
        ]

    here, there, _, coarse_there = density(theirs)
    seen, pulled, _, coarse_pulled = density(())
    assert here == pytest.approx(seen)
    assert there == pytest.approx(0.0)
    assert pulled.min() > 0.8
    assert coarse_there.max() < coarse_pulled.min() / 3
