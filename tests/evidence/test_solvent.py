"""Waters and ions: their distances against all pairs, their Q-scores against sorting."""

from dataclasses import replace

import numpy as np
import pytest

from atomsight.errors import ParameterError
from atomsight.evidence.solvent import Solvent, distance_histogram, solvent
from atomsight.evidence.support import NonPolymerSupport, Support
from atomsight.model import AtomClass
from tests.support.scene import make_model, scatter

NAN = float("nan")
KINDS = (AtomClass.PROTEIN, AtomClass.NUCLEIC, AtomClass.LIGAND, AtomClass.ION, AtomClass.WATER)
RESIDUES = tuple((kind.label, 1, "", "XXX", kind) for kind in KINDS)
PROTEIN, NUCLEIC, LIGAND, ION, WATER = range(5)


def support_of(atom) -> NonPolymerSupport:
    nothing = np.empty(0)
    return NonPolymerSupport(
        np.array(atom, dtype=np.uint8), nothing, nothing, nothing, nothing, nothing,
        NAN, NAN, NAN, NAN, 0, "",
    )  # fmt: skip


def of(model, q=None, support=None) -> Solvent:
    n = len(model)
    q = np.full(n, 0.5) if q is None else np.array(q, dtype=float)
    support = [Support.SUPPORTED] * n if support is None else support
    return solvent(model, q, np.isfinite(q), support_of(support))


def placed(xyz, residue, **columns):
    return make_model(xyz, residue=residue, residues=RESIDUES, **columns)


@pytest.mark.parametrize("seed", range(4))
def test_nearest_neighbours_are_those_of_all_pairs(seed):
    rng = np.random.default_rng(seed)
    n = 80
    residue = rng.integers(0, 5, n)
    altloc = rng.choice(["", "A", "B"], n)
    element = rng.choice(["C", "O", "H"], n)
    model = placed(scatter(seed, n, 0.0, 8.0), residue, altloc=altloc, element=element)
    found = of(model)
    kind = model.atom_class
    rows = np.flatnonzero(np.isin(kind, [AtomClass.ION, AtomClass.WATER]) & (element != "H"))
    np.testing.assert_array_equal(found.atom, rows)
    np.testing.assert_array_equal(found.atom_class, kind[rows])
    for name, kinds in (("nearest_water", (4,)), ("nearest_polymer", (0, 1))):
        for row, distance in zip(rows, getattr(found, name), strict=True):
            others = [
                float(np.linalg.norm(model.xyz[row] - model.xyz[other]))
                for other in range(n)
                if residue[other] in kinds
                and element[other] != "H"
                and other != row
                and (altloc[row] == altloc[other] or "" in (altloc[row], altloc[other]))
            ]
            assert distance == pytest.approx(min(others))


def test_alternative_conformers_do_not_meet_and_others_are_looked_for_far_away():
    xyz = [[0.0, 0.0, 0.0], *([0.1 * i, 0.0, 0.0] for i in range(1, 12)), [9.0, 0.0, 0.0]]
    model = placed(xyz, WATER, altloc=["A"] + ["B"] * 11 + [""])
    assert of(model).nearest_water[0] == pytest.approx(9.0)


def test_a_water_on_top_of_another_is_at_no_distance():
    found = of(placed([[1.0] * 3, [1.0] * 3], WATER))
    np.testing.assert_array_equal(found.nearest_water, [0.0, 0.0])


def test_without_neighbours_there_is_no_distance():
    found = of(placed([[1.0] * 3], WATER, altloc="A"))
    assert np.isnan(found.nearest_water[0])
    assert np.isnan(found.nearest_polymer[0])
    lonely = of(placed([[1.0] * 3, [2.0] * 3], WATER, altloc=["A", "B"]))
    assert np.isnan(lonely.nearest_water).all()


def test_atoms_without_a_place_are_left_out():
    found = of(placed([[1.0] * 3, [NAN] * 3, [3.0, 1.0, 1.0]], WATER))
    np.testing.assert_array_equal(found.atom, [0, 2])
    np.testing.assert_allclose(found.nearest_water, [2.0, 2.0])


def test_a_model_without_solvent_has_none():
    found = of(placed(scatter(0, 5, 0.0, 9.0), PROTEIN))
    assert len(found.atom) == 0
    assert found.classes == {}
    histogram = distance_histogram(found, AtomClass.WATER, AtomClass.WATER)
    assert histogram.supported.sum() == histogram.unsupported.sum() == 0


def test_each_class_has_its_own_distribution_of_q():
    q = [0.9, NAN, 0.1, 0.3, 0.5, 0.7, 0.9, -0.4]
    support = [Support.POLYMER, Support.NOT_JUDGED, *[Support.LOW_Q] * 3, *[Support.SUPPORTED] * 3]
    model = placed(scatter(0, 8, 0.0, 9.0), [PROTEIN, ION, *[WATER] * 5, ION])
    found = of(model, q, support)
    water, ion = found.classes[AtomClass.WATER], found.classes[AtomClass.ION]
    assert (water.n, water.n_scored, water.n_supported, water.n_unsupported) == (5, 5, 2, 3)
    assert (ion.n, ion.n_scored, ion.n_supported, ion.n_unsupported) == (2, 1, 1, 0)
    np.testing.assert_allclose(water.q_quantiles, [0.1, 0.14, 0.3, 0.5, 0.7, 0.86, 0.9])
    np.testing.assert_allclose(ion.q_quantiles, -0.4)
    assert water.q_histogram.sum() == 5
    assert ion.q_histogram.sum() == 1
    for value in (0.11, 0.31, 0.51, 0.71):
        shifted = of(model, np.where(np.array(q) == round(value - 0.01, 2), value, q), support)
        histogram = shifted.classes[AtomClass.WATER].q_histogram
        bin_ = int((value + 1.0) / 0.05)
        assert histogram[bin_] == 1
        assert water.q_edges[bin_] <= value < water.q_edges[bin_ + 1]


def test_distances_are_counted_for_supported_and_unsupported_atoms_apart():
    n = 7
    found = Solvent(
        atom=np.arange(n),
        atom_class=np.array([AtomClass.WATER] * 6 + [AtomClass.ION]),
        q=np.zeros(n),
        support=np.array([1, 1, 2, 4, 5, 1, 1], dtype=np.uint8),
        nearest_water=np.array([2.75, 1.9, 2.85, 2.75, 2.75, 5.1, 2.05]),
        nearest_polymer=np.array([2.05, 3.0, 4.95, NAN, 2.5, 2.5, 2.15]),
        classes={},
    )
    near_water = distance_histogram(found, AtomClass.WATER, AtomClass.WATER)
    assert near_water.edges[7] <= 2.75 < near_water.edges[8]
    assert dict(enumerate(near_water.supported[near_water.supported > 0])) == {0: 1}
    assert near_water.supported[7] == 1
    assert (near_water.unsupported[7], near_water.unsupported[8]) == (1, 1)
    assert (near_water.nearer, near_water.further) == (1, 1)
    near_polymer = distance_histogram(found, AtomClass.WATER, AtomClass.PROTEIN)
    assert (near_polymer.supported.sum(), near_polymer.unsupported.sum()) == (3, 1)
    ions = distance_histogram(found, AtomClass.ION, AtomClass.PROTEIN)
    assert ions.supported[1] == ions.supported.sum() == 1


def test_distances_do_not_change_when_everything_moves():
    model = placed(scatter(5, 60, 0.0, 9.0), np.arange(60) % 5)
    moved = replace(model, xyz=model.xyz[:, [1, 2, 0]] + 100.0)
    np.testing.assert_allclose(of(moved).nearest_polymer, of(model).nearest_polymer)
    np.testing.assert_allclose(of(moved).nearest_water, of(model).nearest_water)


def test_values_of_another_model_are_refused():
    model = placed(scatter(0, 3, 0.0, 9.0), WATER)
    with pytest.raises(ParameterError, match="each of 3 atoms"):
        of(model, q=[0.5, 0.5])
