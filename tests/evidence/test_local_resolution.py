"""Where windows may lie, what their curves give, and the traps of half maps."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import fft

from atomsight.density.map import Map, map_from_array
from atomsight.errors import MapFileError, ParameterError
from atomsight.evidence.local_resolution import (
    SMALL_WINDOW,
    fsc_curves,
    local_resolution,
    read_off,
    window_size,
)
from atomsight.evidence.status import Status
from tests.support.halves import SHAPE, all_inside, every_voxel, half_maps
from tests.support.scene import noise_map, skewed_map

VOXEL = 1.1
ONE, TWO = half_maps(1)
INNER = all_inside(ONE, 12)[::29]
NAN, INF = float("nan"), float("inf")


def resolve(first: Map = ONE, second: Map = TWO, voxels=INNER, **options):
    return local_resolution(first, second, np.asarray(voxels), **{"box": 12} | options)


def changed(map_: Map, values) -> Map:
    """The map with other values, and statistics that go with them."""
    return map_from_array(np.asarray(values), map_.voxel_size, path=map_.path)


@pytest.mark.parametrize(
    ("resolution", "voxel", "box"),
    [(3.0, 1.0, 15), (2.8, 1.05, 13), (3.2, 1.05, 15), (10.0, 0.9, 56), (2.0, 0.5, 20)],
)
def test_a_window_spans_five_times_the_resolution(resolution, voxel, box):
    assert window_size(resolution, voxel) == box


@pytest.mark.parametrize(("resolution", "voxel"), [(1.99, 0.4), (0.7, 0.5), (2.0, 1.5), (3.0, 9.0)])
def test_a_window_is_never_smaller_than_eleven_voxels(resolution, voxel):
    assert window_size(resolution, voxel) == SMALL_WINDOW == 11


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("box", [6, 7, 12, 15, 20, 21])
def test_windows_may_reach_the_edge_and_no_further(box, axis):
    n = SHAPE[::-1][axis]
    along = np.arange(-3, n + 4)
    voxels = np.tile([13, 11, 12], (len(along), 1))
    voxels[:, axis] = along
    found = resolve(voxels=voxels, box=box)
    evaluated = (along - box // 2 >= 0) & (along + box // 2 <= n)
    np.testing.assert_array_equal(found.status == Status.OUTSIDE, ~evaluated)
    np.testing.assert_array_equal(np.isnan(found.value), ~evaluated)
    assert evaluated.sum() == n + 1 - 2 * (box // 2)


@pytest.mark.parametrize(("box", "places"), [(14, [7]), (15, [7, 8])])
def test_a_window_may_be_as_large_as_the_map(box, places):
    first, second = half_maps(2, (box,) * 3)
    voxels = every_voxel(first)
    inside = resolve(first, second, voxels, box=box).status != Status.OUTSIDE
    np.testing.assert_array_equal(inside, np.isin(voxels, places).all(axis=1))


@pytest.mark.parametrize("box", [-3, 0, 5, 129, 1000])
def test_windows_too_small_or_too_large_are_refused(box):
    with pytest.raises(ParameterError, match=f"6 to 128 voxels, not {box}"):
        resolve(box=box)


def test_a_window_larger_than_the_map_is_refused():
    with pytest.raises(ParameterError, match=r"23 voxels is larger than the map \(22 voxels\)"):
        resolve(box=23)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.1, 1.5, NAN])
def test_thresholds_that_no_curve_can_cross_are_refused(threshold):
    with pytest.raises(ParameterError, match="threshold must lie between 0 and 1"):
        resolve(threshold=threshold)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (noise_map(1, (24, 22, 25), VOXEL), "25 x 22 x 24 voxels, but one.mrc has 26 x 22 x 24"),
        (noise_map(1, (26, 22, 24), VOXEL), "24 x 22 x 26 voxels, but one.mrc has 26 x 22 x 24"),
        (noise_map(1, SHAPE, 1.2), "voxels of 1.2, 1.2, 1.2 Å, but one.mrc has 1.1, 1.1, 1.1 Å"),
        (
            noise_map(1, SHAPE, (1.1, 1.15, 1.1)),
            "voxels of 1.1, 1.15, 1.1 Å, but one.mrc has 1.1, 1.1, 1.1 Å",
        ),
    ],
)
def test_maps_on_different_grids_are_refused_by_name(other, message):
    with pytest.raises(MapFileError) as caught:
        resolve(ONE, replace(other, path="other.mrc"))
    assert str(caught.value) == f"other.mrc: {message}"


def test_axes_that_are_not_at_right_angles_are_refused():
    step = [[1.0, 0.2, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    first, second = (skewed_map(map_.values, step) for map_ in (ONE, TWO))
    with pytest.raises(MapFileError, match="needs axes at right angles"):
        resolve(first, second)


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (1, -2), (7.3, 6.0)])
def test_identical_halves_are_no_perfect_resolution(scale, offset):
    same = changed(TWO, np.float32(scale) * ONE.values + np.float32(offset))
    found = resolve(ONE, same)
    assert (found.status == Status.NEVER_BELOW).all()
    assert not found.measured.any()
    np.testing.assert_allclose(found.value, 2 * 12 * VOXEL / 13)  # the last shell


@pytest.mark.parametrize("value", [0.0, 0.1, -1234.5])
@pytest.mark.parametrize("which", [0, 1])
def test_a_half_map_of_one_value_gives_nothing(which, value):
    maps = [ONE, TWO]
    maps[which] = changed(ONE, np.full(SHAPE, value, dtype=np.float32))
    found = resolve(*maps)
    assert (found.status == Status.CONSTANT).all()
    assert np.isnan(found.value).all()


def reads(voxels, box: int, where: np.ndarray, decide) -> np.ndarray:
    """Whether `decide` holds for the voxels that each window reads, those that the taper keeps."""
    first = voxels[:, ::-1] - box // 2 + 1
    ends = first + box - 2
    return np.array(
        [
            decide(where[z0:z1, y0:y1, x0:x1])
            for (z0, y0, x0), (z1, y1, x1) in zip(first, ends, strict=True)
        ]
    )


@pytest.mark.parametrize("outside", [(0.0, 0.0), (0.3, -2.0)])
def test_masked_halves_say_nothing_outside_the_particle(outside):
    z, y, x = np.indices(SHAPE)
    particle = (z - 12) ** 2 + (y - 11) ** 2 + (x - 9) ** 2 < 49
    maps = [
        changed(map_, np.where(particle, map_.values, value).astype(np.float32))
        for map_, value in zip((ONE, TWO), outside, strict=True)
    ]
    voxels = all_inside(ONE, 8)
    found = resolve(*maps, voxels, box=8)
    empty = ~reads(voxels, 8, particle, np.any)
    assert empty.sum() > 100
    np.testing.assert_array_equal(found.status == Status.CONSTANT, empty)
    np.testing.assert_array_equal(np.isnan(found.value), empty)


@pytest.mark.parametrize("box", [8, 9])
@pytest.mark.parametrize("lost", [NAN, INF, -INF])
@pytest.mark.parametrize("which", [0, 1])
def test_what_is_no_number_costs_only_the_windows_that_hold_it(which, lost, box):
    hole = np.zeros(SHAPE, bool)
    hole[10, 11, 12] = hole[2, 3, 4] = True
    maps, filled = [ONE, TWO], [ONE, TWO]
    values = maps[which].values
    maps[which] = changed(ONE, np.where(hole, np.float32(lost), values))
    filled[which] = changed(ONE, np.where(hole, values[~hole].mean(dtype=float), values))
    voxels = all_inside(ONE, box)[::7]
    found, known = resolve(*maps, voxels, box=box), resolve(*filled, voxels, box=box)
    hit = reads(voxels, box, hole, np.any)
    assert hit.any()
    assert (found.status[hit] == Status.NOT_FINITE).all()
    assert np.isnan(found.value[hit]).all()
    np.testing.assert_array_equal(found.status[~hit], known.status[~hit])
    np.testing.assert_allclose(found.value[~hit], known.value[~hit], atol=1e-4)


@pytest.mark.parametrize("threads", [2, 5, None])
def test_threads_change_nothing(threads):
    voxels = all_inside(ONE, 12)[::3]
    one, several = resolve(voxels=voxels, threads=1), resolve(voxels=voxels, threads=threads)
    np.testing.assert_array_equal(several.value, one.value)
    np.testing.assert_array_equal(several.status, one.status)


@pytest.mark.parametrize("box", [7, 12])
def test_each_voxel_has_its_value_whatever_else_is_asked(box):
    voxels = all_inside(ONE, 12)[::23]
    known = resolve(voxels=voxels, box=box)
    order = np.random.default_rng(1).permutation(len(voxels))
    turned = resolve(voxels=voxels[order], box=box)
    np.testing.assert_array_equal(turned.status, known.status[order])
    np.testing.assert_allclose(turned.value, known.value[order], atol=1e-5)
    for few in (slice(3, 4), slice(0, 17), slice(5, None, 9)):
        found = resolve(voxels=voxels[few], box=box)
        np.testing.assert_array_equal(found.status, known.status[few])
        np.testing.assert_allclose(found.value, known.value[few], atol=1e-5)
    twice = resolve(voxels=np.repeat(voxels[:5], 2, axis=0), box=box)
    np.testing.assert_allclose(twice.value, np.repeat(known.value[:5], 2), atol=1e-5)


@pytest.mark.parametrize(
    ("scale", "offset"), [(1e-3, 0.0), (250.0, 0.0), (1.0, 60.0), (0.02, -5.0), (1e-30, 0.0)]
)
def test_scale_and_offset_of_a_map_do_not_matter(scale, offset):
    other = changed(ONE, (scale * ONE.values.astype(float) + offset).astype(np.float32))
    known, found = resolve(), resolve(other, TWO)
    np.testing.assert_array_equal(found.status, known.status)
    np.testing.assert_allclose(found.value, known.value, atol=2e-4)
    huge = changed(TWO, TWO.values * np.float32(1e25))
    np.testing.assert_allclose(resolve(ONE, huge).value, known.value, atol=2e-4)


def test_double_precision_maps_give_the_same():
    first, second = (changed(map_, map_.values.astype(float)) for map_ in (ONE, TWO))
    np.testing.assert_allclose(resolve(first, second).value, resolve().value, atol=1e-5)


@pytest.mark.parametrize("cut", [3.5, 5.0])
def test_maps_that_agree_up_to_a_frequency_have_that_resolution(cut):
    rng = np.random.default_rng(5)
    axes = (fft.fftfreq(40, 1.0), fft.fftfreq(40, 1.0), fft.rfftfreq(40, 1.0))
    low = sum(s**2 for s in np.meshgrid(*axes, indexing="ij")) < (1 / cut) ** 2
    common, *own = (fft.rfftn(rng.standard_normal((40, 40, 40))) for _ in range(3))
    first, second = (
        map_from_array(fft.irfftn(np.where(low, common, part), (40, 40, 40)), 1.0) for part in own
    )
    found = resolve(first, second, all_inside(first, 20)[::97], box=20)
    assert len(found.value) > 80
    assert found.measured.all()
    assert np.median(found.value) == pytest.approx(cut, rel=0.08)


def test_independent_noise_agrees_nowhere():
    found = resolve(noise_map(1, SHAPE, VOXEL), noise_map(2, SHAPE, VOXEL), threshold=0.8)
    assert (found.status == Status.LOW_FREQUENCY).mean() > 0.9
    low = found.status == Status.LOW_FREQUENCY
    assert (found.value[low] > 2 * 12 * VOXEL).all()
    assert not found.measured[low].any()


CURVE = [1.0, 0.9, 0.4, 0.6, 0.2, 0.0]


@pytest.mark.parametrize(
    ("curve", "crossing", "shell"),
    [
        (CURVE, "last", 3.25),
        (CURVE, "first", 1.8),
        ([1.0, 0.9, 0.8, 0.3, 0.2, 0.7], "last", 2.6),
        ([1.0, 0.9, 0.5, 0.4, 0.0, 0.0], "last", 2.0),
        ([1.0, 0.9, 0.5, 0.5, 0.4, 0.3], "first", 3.0),
        ([1.0, 0.2, 0.9, 0.8, 0.6, 0.1], "last", 4.2),
    ],
)
def test_the_crossing_is_read_off_between_two_shells(curve, crossing, shell):
    value, status = read_off(np.array(curve)[:, None], 30.0, 0.5, crossing)
    assert value[0] == pytest.approx(30.0 / shell)
    assert status[0] == Status.OK


@pytest.mark.parametrize("crossing", ["last", "first"])
def test_curves_that_say_nothing_have_a_status(crossing):
    never, coarse = [1.0, 0.9, 0.8, 0.7, 0.6], [1.0, 0.4, 0.3, 0.2, 0.1]
    curves = np.array([never, coarse, [NAN] * 5, [INF] * 5, [1.0] * 5]).T
    value, status = read_off(curves, 30.0, 0.5, crossing)
    assert list(status) == [
        Status.NEVER_BELOW,
        Status.LOW_FREQUENCY,
        Status.CONSTANT,
        Status.NOT_FINITE,
        Status.NEVER_BELOW,
    ]
    # never below: the last shell; coarse: 5/6 of a shell
    np.testing.assert_allclose(value, [30 / 4, 30 / (5 / 6), NAN, NAN, 30 / 4])


def test_a_first_crossing_at_low_frequency_is_no_measurement():
    curve = np.array([1.0, 0.2, 0.9, 0.8, 0.6, 0.1])[:, None]
    value, status = read_off(curve, 30.0, 0.5, "first")
    assert (value[0], status[0]) == (pytest.approx(30 / 0.625), Status.LOW_FREQUENCY)


def test_the_first_crossing_is_never_the_finer_one():
    voxels = all_inside(ONE, 12)[::5]
    last, first = (resolve(voxels=voxels, crossing=crossing) for crossing in ("last", "first"))
    assert (last.crossing, first.crossing) == ("last", "first")
    assert (first.value >= last.value).all()
    assert (first.value > last.value + 0.1).any()


def test_curves_come_from_powers_and_cross_terms():
    one = np.array([2.0, 4.0, 9.0, 0.0, 1.0, 5.0])
    two = np.array([8.0, 4.0, 4.0, 3.0, 1.0, 5.0])
    cross = np.array([-4.0, 4.0, 3.0, 0.0, -0.5, 2.5])
    curve = fsc_curves(np.array([one, two, cross])[:, :, None])[:, 0]
    # the zeroth is 1, without power and negative are 0
    np.testing.assert_allclose(curve, [1.0, 1.0, 0.5, 0.0, 0.0, 0.5])


def test_curves_without_power_or_with_nan_are_marked():
    sums = np.ones((3, 4, 5))
    sums[0, :, 1] = 0
    sums[1, :, 2] = 0
    sums[2, 3, 3] = NAN
    sums[1, 2, 4] = INF
    curves = fsc_curves(sums)
    np.testing.assert_array_equal(curves[:, 0], 1.0)
    assert np.isnan(curves[:, 1:3]).all()
    assert np.isinf(curves[:, 3:]).all()


def test_progress_counts_the_windows_inside():
    told: list[tuple[int, int]] = []
    voxels = np.concatenate([all_inside(ONE, 12)[::8], [[0, 0, 0], [25, 21, 23]]])
    resolve(voxels=voxels, progress=lambda done, of: told.append((done, of)))
    assert len(told) > 1
    assert {of for _, of in told} == {len(voxels) - 2}
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1][0] == len(voxels) - 2


@pytest.mark.parametrize("voxels", [np.empty((0, 3), dtype=np.int64), [[0, 0, 0], [99, 5, 5]]])
def test_where_no_window_fits_nothing_is_evaluated(voxels):
    found = resolve(voxels=voxels)
    assert len(found.value) == len(voxels)
    assert np.isnan(found.value).all()
    assert (found.status == Status.OUTSIDE).all()
    assert (found.box, found.threshold) == (12, 0.5)
