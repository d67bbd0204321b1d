"""Lower resolution: what is reached, what stays, what is refused. Real maps, and synthetic ones."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from atomsight import read_map
from atomsight.density.degrade import degrade_half_maps, degrade_map
from atomsight.density.fourier import fsc, radial_power, resolution_at, shell_numbers, transform
from atomsight.density.map import array_statistics, map_from_array
from atomsight.errors import MapFileError, ParameterError

TOLERANCE = 0.15
"""Å."""

ORIGIN = (12.3, -4.5, 67.8)


def blobs(seed: int = 1, shape=(48, 50, 52), voxel=1.0, masked=False, width=0.7):
    """Points under narrow Gaussians: power at all frequencies, falling."""
    rng = np.random.default_rng(seed)
    points = np.zeros(shape)
    points[tuple(rng.integers(12, 36, (3, 400)))] = 1.0
    values = ndimage.gaussian_filter(points, width / voxel, mode="wrap").astype(np.float32)
    if masked:
        values[values < 1e-4 * values.max()] = 0.0
    else:
        values += rng.normal(0.0, 1e-4 * float(values.max()), shape).astype(np.float32)
    return map_from_array(5.0 + values, voxel, ORIGIN, path="blobs.mrc")


def halves(noise: float = 0.03, seed: int = 1, **options):
    signal = blobs(seed, **options)
    rng = np.random.default_rng(seed + 100)
    made = []
    for i in (1, 2):
        new = rng.normal(0.0, noise, signal.values.shape).astype(np.float32)
        values = signal.values + new
        made.append(
            replace(signal, values=values, statistics=array_statistics(values), path=f"half{i}.mrc")
        )
    return made


BLOBS = blobs()
MASKED = blobs(masked=True)
FIRST, SECOND = halves()


@pytest.mark.parametrize("target", [3.0, 4.0, 5.0])
def test_apoferritin_reaches_its_target(extra_data, target):
    map_ = read_map(extra_data / "emd_20026_apoferritin" / "map.mrc")
    found = degrade_map(map_, target, resolution=1.75)
    assert found.resolution == pytest.approx(target, abs=TOLERANCE)
    # half maps that agree to 0.143 give a map that agrees to 0.5 with the truth
    assert resolution_at(fsc(map_, found.map), 0.5) == pytest.approx(target, abs=TOLERANCE)
    np.testing.assert_array_equal(found.map.origin, map_.origin)


@pytest.mark.parametrize("target", [4.0, 5.0])
def test_haemoglobin_reaches_its_target(demo_data, target):
    map_ = read_map(demo_data / "emd_3488.mrc")
    found = degrade_map(map_, target, resolution=3.2)
    assert found.resolution == pytest.approx(target, abs=TOLERANCE)
    assert resolution_at(fsc(map_, found.map), 0.5) == pytest.approx(target, abs=TOLERANCE)


@pytest.mark.parametrize("target", [3.5, 4.0, 5.0])
def test_half_maps_of_simulated_particles_reach_their_target(extra_data, target):
    folder = extra_data / "half_maps_simulated"
    first, second = (read_map(folder / f"half{i}.mrc.gz") for i in (1, 2))
    found = degrade_half_maps(first, second, target)
    assert found.resolution == pytest.approx(target, abs=TOLERANCE)
    assert resolution_at(fsc(*found.halves), 0.143) == found.resolution


@pytest.mark.parametrize("seed", range(3))
def test_any_seed_reaches_the_target(seed):
    one = degrade_map(BLOBS, 4.0, resolution=2.2, seed=seed)
    two = degrade_half_maps(FIRST, SECOND, 5.0, seed=seed)
    assert one.resolution == pytest.approx(4.0, abs=TOLERANCE)
    assert two.resolution == pytest.approx(5.0, abs=2 * TOLERANCE)  # few terms in so small a box


def test_the_mask_says_where_the_resolution_is_measured():
    first, second = halves(0.02, width=1.2)
    mask = ndimage.gaussian_filter((BLOBS.values > 5.02).astype(np.float32), 2.0)
    within = degrade_half_maps(first, second, 6.0, mask=mask)
    assert resolution_at(fsc(*within.halves, mask), 0.143) == within.resolution
    # within a mask there is less noise: the envelope has more to take away
    assert within.b_factor > degrade_half_maps(first, second, 6.0).b_factor + 20.0
    assert np.std(within.halves[0].values[mask < 0.01]) == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("map_", [BLOBS, MASKED], ids=["whole", "masked"])
def test_place_grid_and_mean_stay(map_):
    found = degrade_map(map_, 4.0, resolution=2.2)
    assert found.map.values.shape == map_.values.shape
    assert found.map.values.dtype == np.float32
    np.testing.assert_array_equal(found.map.origin, map_.origin)
    np.testing.assert_array_equal(found.map.step, map_.step)
    assert found.map.statistics.mean == pytest.approx(map_.statistics.mean, rel=1e-6)


def test_half_maps_keep_their_means_and_their_noise():
    moved = replace(SECOND, values=SECOND.values + np.float32(2.0))
    moved = replace(moved, statistics=array_statistics(moved.values))
    found = degrade_half_maps(FIRST, moved, 5.0)
    for before, after in zip((FIRST, moved), found.halves, strict=True):
        assert after.statistics.mean == pytest.approx(before.statistics.mean, rel=1e-6)
        np.testing.assert_array_equal(after.origin, before.origin)
    assert found.noise == pytest.approx(0.03, rel=0.02)
    assert np.std(found.halves[0].values - found.halves[1].values) == pytest.approx(
        np.std(FIRST.values - SECOND.values), rel=0.02
    )


def test_what_a_mask_cut_away_stays_away():
    found = degrade_map(MASKED, 4.0, resolution=2.2).map.values
    far = ndimage.distance_transform_edt(MASKED.values == MASKED.values[0, 0, 0]) > 2.0 + 7.0
    assert far.any()
    np.testing.assert_allclose(found[far], 5.0, atol=1e-5)


def test_the_same_seed_gives_the_same_map():
    for make in (
        lambda seed: degrade_map(BLOBS, 4.0, resolution=2.2, seed=seed),
        lambda seed: degrade_half_maps(FIRST, SECOND, 5.0, seed=seed),
    ):
        one, again, other = make(3), make(3), make(4)
        np.testing.assert_array_equal(one.map.values, again.map.values)
        assert not np.array_equal(one.map.values, other.map.values)
        assert one.b_factor == other.b_factor


def test_noise_of_the_two_halves_is_independent():
    found = degrade_half_maps(FIRST, SECOND, 5.0, seed=1)
    other = degrade_half_maps(FIRST, SECOND, 5.0, seed=2)
    noise = [(a.values - b.values).ravel() for a, b in zip(found.halves, other.halves, strict=True)]
    for values in noise:
        assert np.std(values) > 0.5 * 0.03
    # of 124,800 voxels, standard error 0.003
    assert abs(np.corrcoef(noise)[0, 1]) < 0.015


def test_noise_of_one_map_does_not_depend_on_the_target():
    levels = [degrade_map(BLOBS, d, resolution=2.2).noise for d in (3.0, 4.0, 6.0)]
    assert levels == [levels[0]] * 3
    # a map whose amplitudes were raised more has less noise below
    assert degrade_map(BLOBS, 4.0, resolution=2.2, b_sharpening=100.0).noise < levels[0]


def test_beyond_the_target_nothing_is_left():
    found = degrade_map(BLOBS, 4.0, resolution=2.2)
    shell, width = shell_numbers(BLOBS)
    power = radial_power(transform(found.map.values), shell)
    s = width * np.arange(len(power))
    assert power[s > 1.16 / 4.0].max() < 1e-6 * power[1]
    assert power[(s > 0.1) & (s < 0.9 / 4.0)].min() > 1e-6 * power[1]


def test_coarser_maps_have_less_and_less_in_common_with_the_input():
    agreement = [
        np.corrcoef(BLOBS.values.ravel(), degrade_map(BLOBS, d, resolution=2.2).map.values.ravel())[
            0, 1
        ]
        for d in (2.5, 3.0, 4.0, 6.0)
    ]
    assert agreement == sorted(agreement, reverse=True)
    assert agreement[0] > 0.9


def test_gaps_stay_gaps():
    values = BLOBS.values.copy()
    values[3, 4, 5] = np.nan
    holed = replace(BLOBS, values=values, statistics=array_statistics(values))
    found = degrade_map(holed, 4.0, resolution=2.2).map.values
    assert np.isnan(found[3, 4, 5])
    assert np.count_nonzero(np.isnan(found)) == 1
    np.testing.assert_allclose(
        found[np.isfinite(found)],
        degrade_map(BLOBS, 4.0, resolution=2.2).map.values[np.isfinite(found)],
        atol=0.01,
    )


@pytest.mark.parametrize(
    ("target", "resolution", "message"),
    [
        (1.5, 1.4, r"blobs\.mrc: its voxels hold nothing finer than 2\.00 Å: 1\.5 Å is below"),
        (3.0, 3.2, r"blobs\.mrc: a map of 3\.20 Å cannot be degraded to 3 Å"),
        (3.0, 3.0, "cannot be degraded"),
        (20.0, 3.0, r"too small a box \(52 Å\)"),
        (-1.0, 3.0, "positive number of Å, not -1"),
        (float("nan"), 3.0, "not nan"),
        (4.0, 0.0, r"its resolution is a positive number of Å, not 0"),
    ],
)
def test_targets_that_cannot_be_are_refused(target, resolution, message):
    with pytest.raises(ParameterError, match=message):
        degrade_map(BLOBS, target, resolution=resolution)


def test_half_maps_refuse_a_target_finer_than_they_are():
    with pytest.raises(ParameterError, match=r"half1\.mrc: a map of .* Å cannot be degraded"):
        degrade_half_maps(FIRST, SECOND, 2.1)


def test_constant_maps_are_refused():
    flat = map_from_array(np.full((24, 24, 24), 0.5, dtype=np.float32), 1.0, path="flat.mrc")
    with pytest.raises(MapFileError, match=r"flat\.mrc: this map is constant"):
        degrade_map(flat, 4.0, resolution=3.0)
    with pytest.raises(MapFileError, match=r"flat\.mrc: this half map is constant"):
        degrade_half_maps(flat, flat, 4.0)


def test_half_maps_that_say_nothing_are_refused():
    with pytest.raises(MapFileError, match="identical"):
        degrade_half_maps(FIRST, FIRST, 5.0)
    rng = np.random.default_rng(0)
    pair = [map_from_array(rng.normal(size=(24, 24, 24)), 1.0, path=f"n{i}.mrc") for i in (1, 2)]
    with pytest.raises(MapFileError, match=r"n1\.mrc: no resolution can be read off"):
        degrade_half_maps(*pair, 5.0)
