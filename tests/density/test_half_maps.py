"""Are two maps halves, and is a third their mean? On synthetic maps whose filter is known."""

import numpy as np
import pytest

from atomsight.density.fourier import filter_shells, shell_numbers, transform
from atomsight.density.half_maps import check_full_map, masked_share, require_halves
from atomsight.density.map import map_from_array
from atomsight.errors import MapFileError
from tests.support.halves import half_maps

SHAPE = (48, 48, 48)
FIRST, SECOND = half_maps(3, SHAPE, voxel=1.0)
MEAN = map_from_array(0.5 * (FIRST.values + SECOND.values), 1.0)
RESOLUTION = 4.0


def filtered(b: float, end: float = np.inf):
    """The mean times exp(-B s²/4), and nothing beyond `end` (1/Å)."""
    shell, width = shell_numbers(MEAN)
    s = width * np.arange(int(shell.max()))
    factor = np.exp(-b * s**2 / 4) * (s < end)
    values = filter_shells(transform(MEAN.values), shell, factor, SHAPE, corners=float(factor[-1]))
    return map_from_array(values.astype(np.float32), 1.0)


@pytest.mark.parametrize("scale", [1.0, -2.0, 1e-6])
def test_the_mean_is_the_mean_at_any_scale(scale):
    full = map_from_array(np.float32(scale) * MEAN.values + np.float32(0.3 * scale), 1.0)
    found = check_full_map(full, FIRST, SECOND, RESOLUTION)
    assert found.is_mean
    assert found.correlation == pytest.approx(np.sign(scale), abs=1e-5)
    assert found.b_sharpening == pytest.approx(0.0, abs=0.05)
    assert found.noise_gain == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("b", [-60.0, -20.0, 30.0])
def test_the_b_of_the_sharpening_is_found(b):
    found = check_full_map(filtered(b), FIRST, SECOND, RESOLUTION)
    assert not found.is_mean
    assert found.b_sharpening == pytest.approx(b, abs=0.5)


def test_noise_is_raised_by_sharpening_and_not_if_it_is_filtered():
    gains = [
        check_full_map(filtered(b), FIRST, SECOND, RESOLUTION).noise_gain
        for b in (30.0, -20.0, -60.0)
    ]
    assert gains[0] < 1.0 < gains[1] < gains[2]
    assert gains[2] > 2.0
    cut = check_full_map(filtered(-60.0, 1 / RESOLUTION), FIRST, SECOND, RESOLUTION)
    assert cut.noise_gain == pytest.approx(0.0, abs=1e-3)
    assert cut.b_sharpening == pytest.approx(-60.0, abs=0.5)


@pytest.mark.parametrize("resolution", [9.9, 1.0, float("nan")])
def test_what_cannot_be_told_is_nan(resolution):
    found = check_full_map(filtered(-20.0), FIRST, SECOND, resolution)
    assert np.isnan(found.noise_gain)


def test_a_constant_full_map_is_not_the_mean():
    found = check_full_map(map_from_array(np.full(SHAPE, 0.5), 1.0), FIRST, SECOND, RESOLUTION)
    assert not found.is_mean
    assert np.isnan(found.correlation)


def test_nan_in_one_voxel_leaves_the_rest():
    values = FIRST.values.copy()
    values[3, 4, 5] = np.nan
    found = check_full_map(MEAN, map_from_array(values, 1.0), SECOND, RESOLUTION)
    assert found.correlation == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("scale", [1.0, 3.0, -0.5])
def test_copies_are_no_halves(scale):
    copy = map_from_array(np.float32(scale) * FIRST.values, 1.0, path="copy.mrc")
    with pytest.raises(MapFileError, match=r"copy\.mrc: identical to one\.mrc"):
        require_halves(FIRST, copy)
    with pytest.raises(MapFileError, match=r"one\.mrc: this is the full map copy\.mrc"):
        require_halves(FIRST, SECOND, copy)


def test_halves_are_halves():
    require_halves(FIRST, SECOND)
    require_halves(FIRST, SECOND, MEAN)


@pytest.mark.parametrize(("planes", "share"), [(0, 0.0), (12, 0.25), (48, 1.0)])
def test_the_share_that_a_mask_left_at_one_value(planes, share):
    values = FIRST.values.copy()
    values[:planes] = 0.0
    assert masked_share(map_from_array(values, 1.0)) == pytest.approx(share, abs=1e-4)
