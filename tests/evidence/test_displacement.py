from dataclasses import replace

import numpy as np
import pytest

import atomsight as ats
from atomsight.density.map import map_from_array
from atomsight.density.sampling import trilinear
from atomsight.errors import MapFileError
from atomsight.evidence.attainable_q import AttainableQ
from atomsight.evidence.displacement import DIRECTIONS, REACH, STEP
from atomsight.verdict.readings import RULES
from tests.support.verdicts import ATOMS, SIZE, VOXEL, asparagines

B = 40.0
NOISE = 0.1
SPREAD = 0.07


@pytest.fixture(scope="module")
def model():
    return asparagines()


@pytest.fixture(scope="module")
def truth(model):
    return map_of(model)


@pytest.fixture(scope="module")
def noise():
    return noise_map(1)


def map_of(model, b=B):
    empty = map_from_array(np.zeros((SIZE, SIZE, SIZE), dtype=np.float32), VOXEL)
    return ats.simulate_map(model, empty, b_iso=b)


def noise_map(seed):
    rng = np.random.default_rng(seed)
    return map_from_array(NOISE * rng.standard_normal((SIZE,) * 3, dtype=np.float32), VOXEL)


def plus(map_, other, scale=1.0):
    return map_from_array(map_.values + np.float32(scale) * other.values, VOXEL)


def promised(model, signal, noise):
    n = len(model)
    return AttainableQ(np.zeros((2, n)), np.zeros(n), np.ones(n), signal, noise)


def shifted(model, residue, step):
    return replace(model, xyz=model.xyz + np.outer(model.residue == residue, step))


def by_residue(model, found, chosen=None, spread=SPREAD):
    chosen = np.ones(len(model), dtype=bool) if chosen is None else chosen
    return found.of(model.residue, len(model.residues), chosen, spread)


def test_directions_are_the_neighbours_of_a_cell_and_opposites_mirror():
    assert DIRECTIONS.shape == (26, 3)
    assert np.linalg.norm(DIRECTIONS, axis=1) == pytest.approx(np.ones(26))
    assert pytest.approx(-DIRECTIONS) == DIRECTIONS[::-1]
    assert len(np.unique(DIRECTIONS.round(6), axis=0)) == 26


def test_columns_equal_the_equations_written_plainly(model, truth, noise):
    wrong = shifted(model, 13, [0.8, 0.5, -0.4])
    full = plus(truth, noise_map(2))
    found = ats.displacement(full, promised(wrong, map_of(wrong), noise), wrong)
    for k in (0, 5, 20):
        step = DIRECTIONS[k]

        def rest(xyz):
            return trilinear(full, xyz) - trilinear(map_of(wrong), xyz)

        sides = (rest(wrong.xyz + REACH * step), rest(wrong.xyz - REACH * step))
        assert found.pull[k] == pytest.approx((sides[0] - sides[1]) / 2, abs=1e-5)
        climb = trilinear(full, wrong.xyz + STEP * step) - trilinear(full, wrong.xyz)
        assert found.climb[k] == pytest.approx(climb, abs=1e-5)
        assert found.noise[k] == pytest.approx(trilinear(noise, wrong.xyz + REACH * step), abs=1e-6)
    assert found.expected == pytest.approx(trilinear(map_of(wrong), wrong.xyz), abs=1e-5)


def test_groups_are_sums_of_their_atoms(model, truth, noise):
    found = ats.displacement(plus(truth, noise_map(2)), promised(model, truth, noise), model)
    chosen = np.isin(model.atom, ["CG", "OD1", "ND2"])
    pull, climb = by_residue(model, found, chosen)
    rows = np.flatnonzero(chosen & (model.residue == 7))
    variance = np.mean([found.noise[k, rows].sum() ** 2 for k in range(26)])
    own = (SPREAD * found.expected[rows].sum()) ** 2
    assert pull[7] == pytest.approx(
        max(found.pull[k, rows].sum() for k in range(26)) / np.sqrt(variance / 2 + own)
    )
    assert climb[7] == pytest.approx(
        max(found.climb[k, rows].sum() for k in range(26)) / np.sqrt(variance)
    )


@pytest.mark.parametrize("length", [1.0, 1.25, 1.5])
def test_a_shifted_residue_is_pulled_back(model, truth, noise, length):
    step = length * np.array([2.0, -1.0, 2.0]) / 3.0
    wrong = shifted(model, 13, step)
    full = plus(truth, noise_map(2))
    found = ats.displacement(full, promised(wrong, map_of(wrong), noise), wrong)
    pull, _ = by_residue(wrong, found)
    assert pull[13] > RULES.displaced
    assert np.delete(pull, 13).max() < RULES.displaced - 0.5
    rows = wrong.residue == 13
    strongest = DIRECTIONS[found.pull[:, rows].sum(axis=1).argmax()]
    assert strongest @ -step > 0.8 * length


def test_right_residues_show_the_noise_alone(model, truth, noise):
    without = [
        by_residue(
            model,
            ats.displacement(plus(truth, noise_map(seed)), promised(model, truth, noise), model),
            spread=0.0,
        )[0]
        for seed in range(2, 6)
    ]
    # the most of 13 pairs of opposite directions, near each other: 1.5 to 2 standard deviations
    assert 1.3 < np.median(without) < 2.2
    assert np.mean(np.concatenate(without) > 3.5) < 0.05


@pytest.mark.parametrize("b", [20.0, 90.0])
def test_a_wrong_b_factor_does_not_pull(model, truth, noise, b):
    values = np.full(len(model), B)
    values[model.residue == 13] = b
    found = ats.displacement(map_of(model, values), promised(model, truth, noise), model)
    pull, _ = by_residue(model, found)
    assert pull.max() < 1.5


def test_scale_and_offset_of_the_maps_do_not_matter(model, truth, noise):
    wrong = shifted(model, 13, [1.0, 0.0, 0.5])
    full, signal = plus(truth, noise_map(2)), map_of(wrong)
    one = ats.displacement(full, promised(wrong, signal, noise), wrong)
    scaled = [map_from_array(30.0 * m.values, VOXEL) for m in (signal, noise)]
    moved = map_from_array(30.0 * full.values + 4.0, VOXEL)
    other = ats.displacement(moved, promised(wrong, *scaled), wrong)
    for a, b in zip(by_residue(wrong, one), by_residue(wrong, other), strict=True):
        assert a == pytest.approx(b, rel=1e-3)


def test_what_was_fitted_into_noise_stands_on_top_of_it(model, noise):
    """An atom on the highest voxel nearby cannot climb; one that was put anywhere can."""
    full = noise_map(2)
    index = np.argwhere(full.values == full.values[5:-5, 5:-5, 5:-5].max())[0][::-1]
    on_top = replace(model, xyz=np.where(model.residue[:, None] == 13, index * VOXEL, model.xyz))
    empty = map_from_array(np.zeros((SIZE,) * 3, dtype=np.float32), VOXEL)
    found = ats.displacement(full, promised(on_top, empty, noise), on_top)
    _, climb = by_residue(on_top, found)
    assert climb[13] < -1.0
    assert np.median(np.delete(climb, 13)) > 1.0


def test_hydrogens_and_atoms_without_place_are_not_looked_at(model, truth, noise):
    hydrogen = model.atom == ATOMS[-1]
    xyz = model.xyz.copy()
    xyz[3] = np.nan
    other = replace(model, hydrogen=hydrogen, xyz=xyz)
    found = ats.displacement(truth, promised(other, truth, noise), other)
    gone = hydrogen | (np.arange(len(model)) == 3)
    assert np.isnan(found.expected[gone]).all()
    assert np.isnan(found.pull[:, gone]).all()
    assert np.isfinite(found.pull[:, ~gone]).all()
    pull, climb = by_residue(other, found, hydrogen)
    assert np.isnan([pull, climb]).all()
    assert np.isfinite(by_residue(other, found)).all()


@pytest.mark.parametrize("which", ["signal", "noise"])
def test_grids_must_be_the_same(model, truth, noise, which):
    small = map_from_array(np.zeros((20, 20, 20), dtype=np.float32), VOXEL)
    pair = (small, noise) if which == "signal" else (truth, small)
    with pytest.raises(MapFileError, match="20 x 20 x 20"):
        ats.displacement(truth, promised(model, *pair), model)
