"""Correlation in shells and filters, against sums written down coefficient by coefficient."""

from math import pi

import numpy as np
import pytest
from scipy import ndimage

from atomsight.density.fourier import (
    FscCurve,
    corrected_fsc,
    filter_shells,
    fsc,
    resolution_at,
    sharpened,
    shell_numbers,
    transform,
)
from atomsight.density.map import Map, map_from_array
from tests.support.scene import gaussian_map, noise_map, positions, skewed_map

SKEWED = [[1.1, -0.3, 0.2], [0.0, 0.9, 0.1], [0.0, 0.0, 1.3]]
GRIDS = {
    "even": ((6, 8, 10), np.eye(3) * 1.1),
    "odd": ((7, 5, 9), np.eye(3) * 0.8),
    "odd and even": ((9, 6, 7), np.eye(3)),
    "voxels that are no cubes": ((8, 6, 10), np.diag([1.1, 0.9, 1.4])),
    "skewed": ((7, 9, 5), np.array(SKEWED)),
}


def pair(grid: str, seed: int = 1) -> tuple[Map, Map]:
    """Two maps that agree in part."""
    shape, step = GRIDS[grid]
    rng = np.random.default_rng(seed)
    common = rng.standard_normal(shape)
    return tuple(
        skewed_map((common + rng.standard_normal(shape)).astype(np.float32), step)
        for _ in range(2)
    )  # fmt: skip


def frequencies(map_: Map):
    """Index (z, y, x) of each coefficient of the whole transform, and its frequency in 1/Å."""
    shape = map_.values.shape
    reciprocal = np.linalg.inv(map_.step)
    for index in np.ndindex(shape):
        whole = [i - n if 2 * i >= n else i for i, n in zip(index, shape, strict=True)]
        h = np.array([i / n for i, n in zip(whole, shape, strict=True)])[::-1]
        yield index, float(np.linalg.norm(h @ reciprocal))


def naive_fsc(first: Map, second: Map, mask=1.0) -> tuple[list[float], list[int]]:
    """FSC and the number of independent coefficients in each shell."""
    a, b = (
        np.fft.fftn((m.values - m.values.mean(dtype=float)).astype(float) * mask)
        for m in (first, second)
    )
    edges = np.linalg.norm(first.step, axis=0) * first.values.shape[::-1]
    last = int(np.floor(max(edges) / (2 * np.linalg.norm(first.step, axis=0).max()) + 1e-9))
    sums = np.zeros((3, last + 1))
    members: list[set] = [set() for _ in range(last + 1)]
    for index, s in frequencies(first):
        shell = round(s * max(edges))
        if shell <= last:
            f, g = a[index], b[index]
            sums[:, shell] += abs(f) ** 2, abs(g) ** 2, (f * g.conjugate()).real
            mate = tuple(-i % n for i, n in zip(index, first.values.shape, strict=True))
            members[shell].add(min(index, mate))
    power = np.sqrt(sums[0] * sums[1])
    curve = [c / p if p > 1e-12 else np.nan for c, p in zip(sums[2], power, strict=True)]
    return curve, [len(m) for m in members]


@pytest.mark.parametrize("grid", GRIDS)
def test_shells_and_their_correlation_are_those_of_single_coefficients(grid):
    first, second = pair(grid)
    curve = fsc(first, second)
    expected, n = naive_fsc(first, second)
    np.testing.assert_allclose(curve.fsc[1:], expected[1:], atol=2e-6)
    np.testing.assert_array_equal(curve.n, n)
    edge = max(np.linalg.norm(first.step, axis=0) * first.values.shape[::-1])
    np.testing.assert_allclose(curve.frequency, np.arange(len(n)) / edge)


@pytest.mark.parametrize("grid", ["even", "skewed"])
def test_a_mask_multiplies_both_maps_about_their_means(grid):
    first, second = pair(grid)
    first = skewed_map(first.values + 5, first.step)
    mask = np.random.default_rng(3).uniform(0, 1, first.values.shape)
    np.testing.assert_allclose(
        fsc(first, second, mask).fsc, naive_fsc(first, second, mask)[0], atol=5e-6
    )


@pytest.mark.parametrize(
    ("n", "voxel"), [(10, 0.65), (12, 0.7), (14, 0.65), (20, 0.65), (20, 1.05), (16, 0.834)]
)
def test_an_even_grid_keeps_its_shell_at_nyquist(n, voxel):
    curve = fsc(noise_map(1, (n,) * 3, voxel), noise_map(2, (n,) * 3, voxel))
    assert len(curve.fsc) == n // 2 + 1
    assert curve.frequency[-1] == pytest.approx(1 / (2 * voxel))


def test_beyond_nyquist_all_is_one_last_shell():
    shell, width = shell_numbers(noise_map(1, (12, 12, 12), 1.0))
    assert width == pytest.approx(1 / 12)
    assert shell.max() == shell[6, 6, 6] == 7
    assert shell[0, 6, 0] == 6


def test_a_map_agrees_with_itself():
    map_ = noise_map(1, (20, 18, 16))
    np.testing.assert_allclose(fsc(map_, map_).fsc[1:], 1.0, atol=1e-6)


def test_a_map_and_its_reverse_disagree():
    map_ = noise_map(1, (20, 18, 16))
    reverse = map_from_array(-map_.values, 0.9)
    np.testing.assert_allclose(fsc(map_, reverse).fsc[1:], -1.0, atol=1e-6)


def test_scale_and_offset_of_a_map_do_not_matter():
    first, second = noise_map(1), noise_map(2)
    other = map_from_array(40 * first.values - 7, 0.9)
    np.testing.assert_allclose(fsc(other, second).fsc[1:], fsc(first, second).fsc[1:], atol=1e-5)


def test_independent_noise_is_uncorrelated_within_its_spread():
    curve = fsc(noise_map(1, (40, 40, 40)), noise_map(2, (40, 40, 40)))
    # n independent complex coefficients: the spread is 1/sqrt(2n)
    z = curve.fsc[3:] * np.sqrt(2 * curve.n[3:])
    assert 0.6 < np.sqrt(np.mean(z**2)) < 1.4
    assert np.abs(z).max() < 4


def test_a_constant_map_has_no_correlation():
    curve = fsc(map_from_array(np.full((12, 12, 12), 3.25), 0.9), noise_map(1, (12, 12, 12)))
    assert np.isnan(curve.fsc).all()


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_voxels_that_are_no_numbers_count_as_the_mean(lost):
    first, second = noise_map(1), noise_map(2)
    broken = first.values + 2
    broken[3:5, 7, 9:12] = lost
    mean = broken[np.isfinite(broken)].mean()
    filled = np.where(np.isfinite(broken), broken, mean)
    expected = fsc(map_from_array(filled, 0.9), second).fsc[1:]
    np.testing.assert_allclose(
        fsc(map_from_array(broken, 0.9), second).fsc[1:], expected, atol=1e-6
    )


def test_the_precision_of_a_transform_is_that_of_the_map():
    values = noise_map(1).values
    assert transform(values).dtype == np.complex64
    assert transform(values.astype(float)).dtype == np.complex128


def curve_of(*values: float) -> FscCurve:
    n = len(values)
    return FscCurve(0.05 * np.arange(n), np.array(values), np.ones(n, dtype=np.int64))


@pytest.mark.parametrize(
    ("values", "shell"),
    [
        ((1.0, 1.0, 0.8, 0.2, 0.0), 2.5),
        ((1.0, 0.9, 0.5, 0.4, 0.0), 2.0),
        ((1.0, 0.9, 0.6, 0.2, 0.9, 0.1), 2.25),
        ((0.0, 0.9, 0.1, 0.1), 1.5),
        ((1.0, 0.9, 1.0, float("nan"), 0.0), 2.5),
    ],
)
def test_resolution_is_where_a_curve_first_falls_below(values, shell):
    assert resolution_at(curve_of(*values), 0.5) == pytest.approx(1 / (0.05 * shell))


@pytest.mark.parametrize(
    "values",
    [
        (1.0, 1.0, 0.9, 0.8, 0.7),
        (1.0, 0.4, 0.3, 0.2, 0.1),
        (1.0, 0.4, 0.9, 0.9, 0.1),
        (float("nan"),) * 5,
        (1.0, 0.9),
    ],
)
def test_without_a_fall_there_is_no_resolution(values):
    assert np.isnan(resolution_at(curve_of(*values), 0.5))


@pytest.fixture(scope="module")
def tight() -> tuple[Map, Map, np.ndarray]:
    """Strong coarse signal under independent noise, and a hard mask around a small ball."""
    rng = np.random.default_rng(4)
    shape = (40, 40, 40)
    signal = 60 * ndimage.gaussian_filter(rng.standard_normal(shape), 3.0, mode="wrap")
    noise = rng.standard_normal((2, *shape))
    first, second = (map_from_array((signal + part).astype(np.float32), 1.0) for part in noise)
    z, y, x = np.mgrid[:40, :40, :40] - 19.5
    return first, second, (z**2 + y**2 + x**2 < 100).astype(np.float32)


def test_what_a_tight_mask_adds_is_taken_away(tight):
    first, second, mask = tight
    masked, corrected = fsc(first, second, mask).fsc, corrected_fsc(first, second, mask).fsc
    beyond = slice(10, 20)
    assert np.abs(fsc(first, second).fsc[beyond]).max() < 0.15
    assert masked[beyond].mean() > 0.15
    assert abs(corrected[beyond].mean()) < 0.1
    assert (corrected[beyond] < masked[beyond]).all()


def test_where_phases_are_kept_the_masked_curve_stands(tight):
    first, second, mask = tight
    low = int(np.flatnonzero(fsc(first, second).fsc[1:] < 0.8)[0]) + 1
    masked, corrected = fsc(first, second, mask).fsc, corrected_fsc(first, second, mask).fsc
    np.testing.assert_array_equal(corrected[: low + 2], masked[: low + 2])
    assert (corrected[low + 2 :] != masked[low + 2 :]).all()


def test_the_same_seed_gives_the_same_correction(tight):
    first = corrected_fsc(*tight, seed=7)
    np.testing.assert_array_equal(first.fsc, corrected_fsc(*tight, seed=7).fsc)
    assert (first.fsc != corrected_fsc(*tight, seed=8).fsc).any()


def test_a_wide_mask_needs_no_correction(tight):
    first, second, _ = tight
    everything = np.ones_like(first.values)
    difference = corrected_fsc(first, second, everything).fsc - fsc(first, second).fsc
    assert np.abs(difference[8:]).max() < 0.1


def test_maps_that_agree_everywhere_need_no_correction(tight):
    first, _, mask = tight
    np.testing.assert_allclose(corrected_fsc(first, first, mask).fsc[1:], 1.0, atol=1e-6)


@pytest.mark.parametrize("grid", ["even", "odd", "voxels that are no cubes", "skewed"])
@pytest.mark.parametrize("b_factor", [-60.0, 45.0])
def test_amplitudes_are_multiplied_by_the_envelope(grid, b_factor):
    map_ = pair(grid)[0]
    before, after = (np.fft.fftn(m.values.astype(float)) for m in (map_, sharpened(map_, b_factor)))
    nyquist = 1 / (2 * np.linalg.norm(map_.step, axis=0).max())
    beyond = 0
    for index, s in frequencies(map_):
        beyond += s > nyquist
        factor = np.exp(-b_factor * min(s, nyquist) ** 2 / 4)
        assert after[index] / before[index] == pytest.approx(factor, rel=1e-3)
    assert beyond > 10


def test_sharpening_takes_blurring_back():
    map_ = noise_map(1)
    back = sharpened(sharpened(map_, 80.0), -80.0)
    np.testing.assert_allclose(back.values, map_.values, atol=1e-3)
    assert np.abs(sharpened(map_, 80.0).values - map_.values).max() > 1
    np.testing.assert_allclose(sharpened(map_, 0.0).values, map_.values, atol=1e-6)


def test_blurring_widens_a_gaussian():
    # exp(-B s²/4) adds B/(8π²) to the variance
    narrow, centre, b_factor = 0.5, np.array([5.0, 5.2, 4.9]), 20.0
    map_ = gaussian_map([centre], narrow, (34, 34, 34), 0.3)
    wide = np.sqrt(narrow**2 + b_factor / (8 * pi**2))
    square = ((positions(map_) - centre) ** 2).sum(axis=-1)
    expected = (narrow / wide) ** 3 * np.exp(-square / (2 * wide**2))
    np.testing.assert_allclose(sharpened(map_, b_factor).values, expected, atol=1e-5)


def test_what_remains_of_the_variance_is_what_the_envelope_leaves():
    map_ = noise_map(1, (11, 12, 13), 0.9)
    coefficients = np.fft.fftn(map_.values.astype(float))
    left = sum(
        abs(coefficients[index]) ** 2 * np.exp(-50 * min(s, 1 / 1.8) ** 2 / 2)
        for index, s in frequencies(map_)
    )
    values = sharpened(map_, 50.0).values
    assert (values.astype(float) ** 2).sum() == pytest.approx(left / values.size, rel=1e-5)


def test_a_sharpened_map_keeps_its_mean_place_and_type():
    map_ = noise_map(1)
    shifted = map_from_array(map_.values.astype(float) + 3, 0.9, (1.0, 2.0, 3.0))
    after = sharpened(shifted, -30.0)
    assert after.values.dtype == np.float64
    assert after.values.mean() == pytest.approx(shifted.values.mean(), abs=1e-9)
    assert after.statistics.sd == pytest.approx(after.values.std())
    assert after.statistics.sd > 1.2 * shifted.statistics.sd
    np.testing.assert_array_equal(after.origin, shifted.origin)


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_a_voxel_that_is_no_number_costs_a_filtered_map_only_itself(lost):
    broken = noise_map(1).values + 2
    broken[3, 7, 9] = lost
    filled = broken.copy()
    filled[3, 7, 9] = broken[np.isfinite(broken)].mean()
    after = sharpened(map_from_array(broken, 0.9), 30.0)
    expected = sharpened(map_from_array(filled, 0.9), 30.0).values
    expected[3, 7, 9] = np.nan
    np.testing.assert_allclose(after.values, expected, atol=1e-6)
    assert after.statistics.n_not_finite == 1


@pytest.mark.parametrize("grid", GRIDS)
def test_filter_multiplies_every_coefficient_by_the_factor_of_its_shell(grid):
    map_, _ = pair(grid)
    shell, width = shell_numbers(map_)
    count = int(shell.max())
    factor = np.linspace(2.0, 0.5, count)
    found = filter_shells(transform(map_.values), shell, factor, map_.values.shape, corners=0.25)
    before, after = np.fft.fftn(map_.values), np.fft.fftn(found)
    for index, frequency in frequencies(map_):
        at = min(int(np.rint(np.float32(frequency) / width)), count)
        expected = before[index] * (factor[at] if at < count else 0.25)
        assert after[index] == pytest.approx(expected, abs=1e-3 * float(np.abs(before).max()))


def test_filter_leaves_nothing_in_the_corners():
    map_, _ = pair("even")
    shell, _ = shell_numbers(map_)
    spectrum = transform(map_.values)
    found = transform(filter_shells(spectrum, shell, np.ones(int(shell.max())), map_.values.shape))
    assert np.abs(found[shell == shell.max()]).max() < 1e-3
    assert np.abs((found - spectrum)[shell < shell.max()]).max() < 1e-3
