"""Which windows stand for an atom, how they are put together, and the traps of half maps.

All half maps here are synthetic: the map of a few atoms under white noise.
"""

from dataclasses import replace
from itertools import product
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.density.fourier import sharpened
from atomsight.density.map import Map, map_from_array
from atomsight.density.simulate import simulate_map
from atomsight.errors import MapFileError, ParameterError
from atomsight.evidence import fsc_q as module
from atomsight.evidence.fsc_q import atom_voxels, fsc_q, thresholds
from atomsight.evidence.local_resolution import LocalResolution, local_resolution
from atomsight.evidence.status import Status
from tests.support.halves import half_maps
from tests.support.scene import make_model, noise_map, scatter, skewed_map

NAN = float("nan")
SHAPE, BOX = (30, 28, 32), 10
XYZ = scatter(3, 24, 8.0, 20.0, apart=1.4)


def map_of(values, like: Map | None = None) -> Map:
    name = None if like is None else like.path
    return map_from_array(np.asarray(values, dtype=np.float32), 1.0, path=name)


def model_at(xyz=XYZ, **columns):
    model = make_model(xyz, **columns)
    return replace(model, b_iso=np.full(len(model), 30.0))


EMPTY = map_from_array(np.zeros(SHAPE, dtype=np.float32), 1.0)
MODEL = model_at()
TRUTH = replace(simulate_map(MODEL, EMPTY), path="model.mrc")
HALF_1, HALF_2 = (
    map_from_array(TRUTH.values + 0.15 * noise_map(seed, SHAPE).values, 1.0, path=f"half{seed}.mrc")
    for seed in (1, 2)
)
FULL = map_from_array((HALF_1.values + HALF_2.values) / 2, 1.0, path="full.mrc")


def score(full=FULL, half_1=HALF_1, half_2=HALF_2, model_map=TRUTH, model=MODEL, **options):
    return fsc_q(full, half_1, half_2, model_map, model, **{"box": BOX} | options)


def test_thresholds_are_two_thirds_and_its_root():
    paper, cref = thresholds("paper"), thresholds("cref")
    assert (paper.half, paper.model, paper.rule) == (0.5, pytest.approx(2 / 3), "paper")
    assert (cref.half, cref.model, cref.rule) == (0.5, pytest.approx(sqrt(2 / 3)), "cref")
    assert cref.model == pytest.approx(0.8165, abs=1e-4)


@pytest.mark.parametrize("rule", ["paper", "cref"])
def test_fsc_q_is_the_difference_of_two_local_resolutions(rule):
    # atoms at the centres of windows of odd size: one voxel each
    voxels = np.unique(np.rint(XYZ).astype(int), axis=0)
    model = model_at(voxels)
    result = score(model=model, box=11, rule=rule)
    limit = {"paper": 2 / 3, "cref": sqrt(2 / 3)}[rule]
    pairs = ((HALF_1, HALF_2, 0.5), (FULL, TRUTH, limit))
    half, against = (local_resolution(a, b, voxels, box=11, threshold=t).value for a, b, t in pairs)
    ok = result.counted
    assert ok.sum() > 15
    np.testing.assert_allclose(result.half[ok], half[ok], atol=1e-5)
    np.testing.assert_allclose(result.model[ok], against[ok], atol=1e-5)
    np.testing.assert_allclose(result.fsc_q[ok], (against - half)[ok], atol=2e-5)
    np.testing.assert_allclose(result.fsc_q_r[ok], (against / half - 1)[ok], atol=1e-5)
    assert (result.box, result.label, result.thresholds.rule) == (11, "mean", rule)


def test_of_several_crossings_the_chosen_one_counts():
    halves = half_maps(1, SHAPE, 1.0, noise=9.0)
    last, first = (
        score(half_1=halves[0], half_2=halves[1], crossing=crossing)
        for crossing in ("last", "first")
    )
    both = last.counted & first.counted
    assert (first.half[both] > last.half[both] + 0.1).any()


@pytest.fixture
def known(monkeypatch):
    """Replace local resolutions by given ones: voxel → half, model, status of half, of model."""

    def given_values(table):
        def fake(*arguments, threshold, **_):
            column = 0 if threshold == 0.5 else 1
            rows = [table[tuple(voxel)] for voxel in arguments[2].tolist()]
            value = np.array([row[column] for row in rows], dtype=float)
            status = np.array([row[2 + column] for row in rows], dtype=np.uint8)
            return LocalResolution(value, status, BOX, threshold, "last")

        monkeypatch.setattr(module, "local_resolution", fake)

    return given_values


OK, NEVER, LOW = Status.OK, Status.NEVER_BELOW, Status.LOW_FREQUENCY
# the four voxels 0.71 voxels away from an atom; the next are 1.22 away
SQUARE = [[10.5, 10.5, 10.0]]
AROUND = {(10, 10, 10): (4.0, 5.0, OK, OK), (11, 10, 10): (4.0, 3.0, OK, OK)}
AROUND |= {(10, 11, 10): (5.0, 4.5, OK, OK), (11, 11, 10): (9.0, 1.9, OK, NEVER)}


def test_the_mean_is_over_the_voxels_that_were_measured(known):
    known(AROUND)
    result = score(model=model_at(SQUARE), box=9)
    assert result.fsc_q[0] == pytest.approx((1.0 - 1.0 - 0.5) / 3)
    assert result.fsc_q_r[0] == pytest.approx((1 / 4 - 1 / 4 - 0.5 / 5) / 3)
    assert result.half[0] == pytest.approx((4 + 4 + 5) / 3)
    assert result.model[0] == pytest.approx((5 + 3 + 4.5) / 3)
    assert result.status[0] == OK


def test_xmipp_gives_the_mean_size_the_sign_of_the_sum(known):
    known(AROUND)
    result = score(model=model_at(SQUARE), box=9, label="xmipp")
    # differences 1, -1, -0.5 and, where a curve never crosses, blocres's number all the same
    assert result.fsc_q[0] == pytest.approx(-(1 + 1 + 0.5 + 7.1) / 4)
    assert result.fsc_q_r[0] == pytest.approx(-(1 / 4 + 1 / 4 + 0.5 / 5 + 7.1 / 9) / 4)
    assert result.half[0] == pytest.approx((4 + 4 + 5) / 3)
    assert (result.status[0], result.label) == (OK, "xmipp")


def test_xmipp_leaves_out_what_the_mask_does_and_counts_windows_that_leave_the_map_as_0(known):
    outside = (np.nan, np.nan, Status.OUTSIDE, Status.OUTSIDE)
    known(AROUND | {(10, 11, 10): outside})
    inside = np.ones(SHAPE)
    inside[10, 11, 11] = 0.0
    result = score(model=model_at(SQUARE), box=9, label="xmipp", mask=map_of(inside))
    assert result.fsc_q[0] == pytest.approx((1 + 1 + 0) / 3)


@pytest.mark.parametrize("label", ["mean", "xmipp"])
def test_each_local_resolution_has_a_status_of_its_own(known, label):
    known({(10, 10, 10): (4.0, 66.0, OK, LOW), (20, 10, 10): (66.0, 3.0, LOW, OK)})
    result = score(model=model_at([[10.0] * 3, [20.0, 10.0, 10.0]]), box=9, label=label)
    assert list(result.status) == [LOW, LOW]
    assert np.isnan(result.fsc_q).all()
    assert (list(result.half_status), list(result.model_status)) == ([OK, LOW], [LOW, OK])
    np.testing.assert_array_equal(result.half, [4.0, np.nan])
    np.testing.assert_array_equal(result.model, [np.nan, 3.0])


def test_an_atom_no_voxel_of_which_was_measured_is_nan_and_says_why(known):
    table = dict.fromkeys(AROUND, (1.9, 1.9, NEVER, NEVER))
    known(table | {(20, 10, 10): (66.0, 66.0, LOW, LOW)})
    result = score(model=model_at([*SQUARE, [20.0, 10.0, 10.0]]), box=9)
    assert list(result.status) == [NEVER, LOW]
    for values in (result.fsc_q, result.fsc_q_r, result.half, result.model):
        assert np.isnan(values).all()
    assert not result.counted.any()


def test_the_half_maps_say_first_why_nothing_was_measured(known):
    known({(10, 10, 10): (66.0, 1.9, LOW, NEVER)})
    assert score(model=model_at([[10.0] * 3]), box=9).status[0] == LOW


def voxels_of(map_: Map, model, box: int, label: str) -> list[set]:
    """The voxels of each atom, from `atom_voxels`."""
    where = atom_voxels(map_, model, box, label)
    assert len(np.unique(where.voxels, axis=0)) == len(where.voxels)
    found: list[set] = [set() for _ in range(len(model))]
    for atom, voxel in zip(where.atom, where.voxel, strict=True):
        found[atom].add(tuple(where.voxels[voxel].tolist()))
    assert sum(map(len, found)) == len(where.atom)
    return found


@given(
    seed=st.integers(0, 2**20),
    box=st.integers(6, 13),
    label=st.sampled_from(["mean", "xmipp"]),
    voxel=st.sampled_from([0.7, 1.0, 1.3]),
)
@settings(max_examples=60, deadline=None)
def test_the_voxels_of_an_atom_are_those_whose_windows_are_centred_near(seed, box, label, voxel):
    rng = np.random.default_rng(seed)
    map_ = map_from_array(np.zeros((6, 7, 8), dtype=np.float32), voxel, (5.0, -3.0, 0.3))
    index = rng.uniform(-1.5, 8.5, (12, 3))
    found = voxels_of(map_, model_at(map_.origin + voxel * index), box, label)
    # a window begins at c - B // 2
    offset = box // 2 - (box - 1) / 2 if label == "mean" else 0.0
    for place, voxels in zip(index, found, strict=True):
        cells = np.array(list(product(range(-4, 12), repeat=3)))
        away = np.linalg.norm(cells - offset - place, axis=1)
        chosen = {tuple(c) for c in cells[away <= 0.8].tolist()}
        always = cells[away.argmin()] if label == "mean" else np.floor(place).astype(int)
        chosen.add(tuple(always.tolist()))
        inside = {c for c in chosen if all(0 <= i < n for i, n in zip(c, (8, 7, 6), strict=True))}
        assert voxels == inside


@pytest.mark.parametrize(
    ("box", "label", "expected"),
    [
        (9, "mean", {(11, 11, 11)}),
        (10, "mean", {(11, 11, 11)}),
        (9, "xmipp", {(10, 10, 10), (11, 11, 11)}),
        (10, "xmipp", {(10, 10, 10), (11, 11, 11)}),
    ],
)
def test_an_atom_near_a_voxel_has_that_one(box, label, expected):
    # xmipp adds the voxel at the floor of the position, though it is 1.56 voxels away
    assert voxels_of(EMPTY, model_at([[10.9, 10.9, 10.9]]), box, label) == [expected]


def test_even_windows_are_centred_half_a_voxel_before_their_voxel():
    model = model_at([[10.0, 10.0, 10.0], [9.5, 9.5, 9.5]])
    assert voxels_of(EMPTY, model, 9, "mean")[0] == {(10, 10, 10)}
    assert voxels_of(EMPTY, model, 10, "mean")[1] == {(10, 10, 10)}
    assert voxels_of(EMPTY, model, 10, "xmipp")[0] == {(10, 10, 10)}


def test_identical_halves_are_no_perfect_model():
    result = score(half_2=HALF_1)
    assert (result.status == NEVER).all()
    assert np.isnan(result.fsc_q).all()
    assert np.isnan(result.half).all()


def test_a_model_map_that_is_the_full_map_is_no_perfect_model():
    result = score(model_map=FULL)
    assert (result.status == NEVER).all()
    assert np.isnan(result.fsc_q).all()


def test_a_half_map_may_be_the_full_map():
    known, result = score(), score(full=HALF_1)
    np.testing.assert_array_equal(result.half, known.half)
    assert result.counted.sum() >= 20
    # half the particles: noisier than both, so the model agrees less
    assert np.nanmean(result.model) > np.nanmean(known.model)


def test_masked_maps_say_nothing_away_from_the_particle():
    model = model_at([*XYZ, [26.0, 14.0, 14.0]])
    x = np.arange(SHAPE[2])
    masked = [map_of(np.where(x < 20, m.values, 0.0), m) for m in (FULL, HALF_1, HALF_2)]
    result = score(*masked, model=model)
    assert result.status[-1] == Status.CONSTANT
    assert np.isnan(result.fsc_q[-1])
    assert result.counted[:-1].sum() >= 20


@pytest.mark.parametrize("which", [1, 2])
@pytest.mark.parametrize("value", [0.0, 0.37])
def test_a_half_map_of_one_value_gives_nothing(which, value):
    result = score(**{f"half_{which}": map_of(np.full(SHAPE, value))})
    assert (result.status == Status.CONSTANT).all()
    assert np.isnan(result.fsc_q).all()


def test_the_full_map_need_not_be_the_mean_of_the_halves():
    known, scaled = score(), score(full=map_of(40.0 * FULL.values + 3.0))
    np.testing.assert_allclose(scaled.fsc_q, known.fsc_q, atol=1e-4)
    sharp = score(full=sharpened(FULL, -25.0))
    np.testing.assert_array_equal(sharp.half, known.half)
    assert sharp.counted.sum() >= 20
    assert np.nanmax(np.abs(sharp.fsc_q - known.fsc_q)) > 1e-3


@pytest.mark.parametrize("which", ["full", "half_1", "half_2", "model_map", "mask"])
@pytest.mark.parametrize(
    "other",
    [map_from_array(np.ones((30, 28, 34)), 1.0), map_from_array(np.ones(SHAPE), 1.02)],
    ids=["shape", "voxel size"],
)
def test_maps_on_different_grids_are_refused_by_name(which, other):
    with pytest.raises(MapFileError, match=r"other\.mrc") as caught:
        score(**{which: replace(other, path="other.mrc")})
    names = {"full.mrc", "half1.mrc", "half2.mrc", "model.mrc"}
    assert any(name in str(caught.value) for name in names)


def test_halves_on_another_grid_than_the_full_map_are_refused():
    halves = [noise_map(seed, (30, 28, 34), 1.0) for seed in (1, 2)]
    with pytest.raises(MapFileError, match=r"34 x 28 x 30 voxels, but full\.mrc has 32 x 28 x 30"):
        score(half_1=halves[0], half_2=halves[1])


@pytest.mark.parametrize("box", [5, 29, 200])
def test_windows_too_small_or_larger_than_the_map_are_refused(box):
    with pytest.raises(ParameterError, match="a window"):
        score(box=box)


def test_axes_that_are_not_at_right_angles_are_refused():
    step = [[1.0, 0.2, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    maps = [skewed_map(m.values, step) for m in (FULL, HALF_1, HALF_2, TRUTH)]
    with pytest.raises(MapFileError, match="right angles"):
        fsc_q(*maps, MODEL, box=BOX)


@pytest.mark.parametrize("box", [10, 11])
def test_atoms_near_or_over_the_edge_have_no_value(box):
    middle, half = np.array([14.0, 13.0, 15.0]), box // 2
    least = half - (0.5 if box % 2 == 0 else 0.0)
    places = {3.0: False, least - 1.1: False, least: True, -2.0: False, 1e5: False}
    model = model_at([np.where(np.arange(3) == 1, y, middle) for y in places])
    result = score(model=model, box=box)
    inside = np.array(list(places.values()))
    np.testing.assert_array_equal(result.status == Status.OUTSIDE, ~inside)
    assert np.isnan(result.fsc_q[~inside]).all()


@pytest.mark.parametrize("which", ["full", "half_1", "half_2", "model_map"])
def test_what_is_no_number_costs_only_the_atoms_around_it(which):
    maps = {"full": FULL, "half_1": HALF_1, "half_2": HALF_2, "model_map": TRUTH}
    values = maps[which].values.copy()
    values[14, 8, 8] = NAN
    known, result = score(), score(**{which: map_of(values)})
    # windows read 8 voxels, and may be centred 0.8 from the atom
    away = np.abs(XYZ - [8, 8, 14]).max(axis=1)
    lost = result.status == Status.NOT_FINITE
    assert lost[away < 3].all()
    assert lost.any()
    assert not lost[away > 5].any()
    kept = away > 5
    assert kept.any()
    np.testing.assert_allclose(result.fsc_q[kept], known.fsc_q[kept], atol=2e-3)


def test_a_mask_leaves_out_atoms_and_changes_no_others():
    values = np.where(np.arange(SHAPE[2]) < 14, 0.5, 0.49)
    mask = map_of(np.broadcast_to(values, SHAPE))
    known, result = score(), score(mask=mask)
    x = XYZ[:, 0]
    out, whole = x > 14.4, x < 12.6
    assert out.sum() > 5
    assert whole.sum() > 5
    assert (result.status[out] == Status.OUTSIDE_MASK).all()
    assert np.isnan(result.fsc_q[out]).all()
    np.testing.assert_allclose(result.fsc_q[whole], known.fsc_q[whole], atol=1e-5)
    empty = score(mask=map_of(np.zeros(SHAPE)))
    assert (empty.status == Status.OUTSIDE_MASK).all()


def test_hydrogens_and_atoms_without_a_place_have_no_value():
    elements = np.array(["C"] * len(XYZ))
    elements[[2, 5]] = "H", "D"
    xyz = XYZ.copy()
    xyz[[5, 7]] = NAN
    known, result = score(), score(model=model_at(xyz, element=elements))
    assert list(result.status[[2, 5, 7]]) == [
        Status.HYDROGEN,
        Status.HYDROGEN,
        Status.NO_POSITION,
    ]
    assert np.isnan(result.fsc_q[[2, 5, 7]]).all()
    others = np.delete(np.arange(len(XYZ)), [2, 5, 7])
    np.testing.assert_allclose(result.fsc_q[others], known.fsc_q[others], atol=1e-5)


@pytest.mark.parametrize("label", ["mean", "xmipp"])
def test_values_follow_the_order_of_the_atoms(label):
    order = np.random.default_rng(2).permutation(len(XYZ))
    known, turned = score(label=label), score(model=model_at(XYZ[order]), label=label, threads=1)
    np.testing.assert_allclose(turned.fsc_q, known.fsc_q[order], atol=1e-5)
    np.testing.assert_array_equal(turned.status, known.status[order])


def test_a_model_that_is_wrong_here_scores_worse_here():
    xyz = XYZ.copy()
    wrong = np.linalg.norm(XYZ - XYZ[0], axis=1).argsort()[:4]
    xyz[wrong] += [0.0, 0.0, 1.7]
    moved = model_at(xyz)
    known = score(rule="cref")
    result = score(model_map=simulate_map(moved, EMPTY), model=moved, rule="cref")
    right = np.linalg.norm(XYZ - XYZ[wrong].mean(axis=0), axis=1) > 9
    assert right.sum() >= 3
    assert np.nanmean(result.fsc_q[wrong]) > np.nanmean(known.fsc_q[wrong]) + 0.3
    assert np.nanmean(np.abs(result.fsc_q - known.fsc_q)[right]) < 0.1


def test_progress_counts_both_pairs():
    told: list[tuple[int, int]] = []
    score(progress=lambda done, of: told.append((done, of)))
    points = len(atom_voxels(FULL, MODEL, BOX, "mean").voxels)
    assert {of for _, of in told} == {2 * points}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert (points in [done for done, _ in told], told[-1][0]) == (True, 2 * points)
