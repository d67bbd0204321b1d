"""Shell sums of windows against padded transforms in double precision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.kernels.local_fsc import (
    Workspace,
    add_to_shells,
    gather_folded,
    shell_sums,
    window_plan,
)
from tests.support import blocres

CUBIC = (1.1, 1.1, 1.1)


def noise(seed: int, shape=(20, 22, 24)) -> np.ndarray:
    """Coarse noise about 0, so that shells differ in power."""
    white = np.random.default_rng(seed).standard_normal(shape)
    smooth = white + np.roll(white, 1, 0) + np.roll(white, 1, 1) + np.roll(white, 1, 2)
    return (smooth - smooth.mean()).astype(np.float32)


def sums_at(first, second, voxels: np.ndarray, box: int, voxel_size=CUBIC) -> np.ndarray:
    plan = window_plan(box, voxel_size)
    start = voxels[:, ::-1] - box // 2 + 1
    return shell_sums(plan, first, second, start, Workspace(plan, len(voxels)))


def somewhere(seed: int, n: int, box: int, shape=(20, 22, 24)) -> np.ndarray:
    """Voxels (x, y, z) whose windows lie inside, the corners among them."""
    low, high = np.full(3, box // 2), np.array(shape[::-1]) - box // 2 + 1
    inner = np.random.default_rng(seed).integers(low, high, (n, 3))
    inner[0], inner[-1] = low, high - 1
    return inner


@given(
    box=st.integers(6, 20),
    voxel_size=st.just(CUBIC) | st.tuples(*[st.sampled_from([0.8, 1.0, 1.25, 1.6, 2.0])] * 3),
    seed=st.integers(0, 2**16),
    n=st.integers(2, 5),
)
@settings(max_examples=40, deadline=None)
def test_sums_are_those_of_the_padded_transform(box, voxel_size, seed, n):
    first, second = noise(seed), noise(seed + 1)
    voxels = somewhere(seed, n, box)
    found = sums_at(first, second, voxels, box, voxel_size)
    for column, voxel in enumerate(voxels):
        known = blocres.shell_sums(first, second, voxel, box, voxel_size)
        assert found.shape[1] == known.shape[1] == box + 2
        size = np.sqrt(known[0] * known[1]).max()
        np.testing.assert_allclose(found[:, :, column], known, rtol=1e-4, atol=1e-5 * size)


def test_each_sum_belongs_to_its_map():
    first, second = noise(1), noise(2)
    voxels = somewhere(1, 4, 10)
    one, two, cross = sums_at(first, second, voxels, 10)
    swapped = sums_at(second, first, voxels, 10)
    np.testing.assert_array_equal(swapped[:2], [two, one])
    np.testing.assert_allclose(swapped[2], cross, rtol=1e-5, atol=1e-3)
    same = sums_at(first, first, voxels, 10)
    np.testing.assert_array_equal(same[0], one)
    np.testing.assert_array_equal(same[0], same[1])
    np.testing.assert_array_equal(same[0], same[2])
    tripled = sums_at(first, 3 * second, voxels, 10)
    np.testing.assert_allclose(tripled, [one, 9 * two, 3 * cross], rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize("box", [7, 12, 20])
def test_a_window_counts_the_same_wherever_it_stands_in_a_batch(box):
    first, second = noise(1), noise(2)
    voxels = somewhere(3, 8, box)
    known = sums_at(first, second, voxels, box)
    order = np.random.default_rng(1).permutation(8)
    np.testing.assert_allclose(
        sums_at(first, second, voxels[order], box), known[:, :, order], rtol=1e-5, atol=1e-2
    )
    alone = sums_at(first, second, voxels[5:6], box)
    np.testing.assert_allclose(alone, known[:, :, 5:6], rtol=1e-5, atol=1e-2)


def test_nothing_is_left_over_from_the_batch_before():
    first, second = noise(1), noise(2)
    plan = window_plan(9, CUBIC)
    work = Workspace(plan, 3)
    batches = [somewhere(seed, 3, 9)[:, ::-1] - 3 for seed in (1, 2, 1)]
    before, between, after = (shell_sums(plan, first, second, b, work) for b in batches)
    np.testing.assert_array_equal(after, before)
    assert (between != before).any()


@pytest.mark.parametrize("lost", [np.nan, np.inf, -np.inf])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_is_no_number_stays_in_its_own_window(lost):
    first, second = noise(1), noise(2)
    broken = first.copy()
    broken[5, 5, 5] = lost
    voxels = np.array([[5, 5, 5], [15, 15, 14], [8, 5, 5], [10, 5, 5]])
    found, known = sums_at(broken, second, voxels, 8), sums_at(first, second, voxels, 8)
    hit = [0, 2]
    assert not np.isfinite(found[:, :, hit]).all(axis=(0, 1)).any()
    np.testing.assert_array_equal(found[:, :, [1, 3]], known[:, :, [1, 3]])


@pytest.mark.parametrize("edge", [6, 5])
def test_windows_are_folded_into_even_and_odd_parts(edge):
    values = noise(1)
    start = np.array([[0, 0, 0], [3, 4, 5]])
    half = (edge + 1) // 2
    parts = np.full((8, 2, half, half, half), np.nan, dtype=np.float32)
    gather_folded(values, start, edge, parts)
    for i, (z, y, x) in enumerate(start.tolist()):
        window = values[z : z + edge, y : y + edge, x : x + edge]
        for part in range(8):
            folded = window
            for axis, bit in ((2, 1), (1, 2), (0, 4)):
                sign = -1 if part & bit else 1
                folded = folded + sign * np.flip(folded, axis)
            np.testing.assert_allclose(parts[part, i], folded[:half, :half, :half], atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, -7.0])
def test_a_window_of_one_value_has_no_power(value):
    first, second = noise(1), noise(2)
    first[:12, :12, :12] = value
    voxels = np.array([[5, 5, 5], [8, 8, 8], [9, 8, 8]])
    one, two, cross = sums_at(first, second, voxels, 10)
    # of the third window one plane of x lies beyond
    np.testing.assert_array_equal((one > 0).any(axis=0), [False, False, True])
    np.testing.assert_array_equal((cross != 0).any(axis=0), [False, False, True])
    assert (two.sum(axis=0) > 0).all()


@pytest.mark.parametrize("box", [6, 7, 16])
def test_each_mode_is_shared_out_once(box):
    # modes by brute force: kx from 0 without Nyquist, all ky and kz, nearer than the last shell
    plan = window_plan(box, CUBIC)
    radius, counted, count = blocres.shells(box, CUBIC)
    total = sum(
        np.bincount(plane.shell, plane.low, plan.shells)
        + np.bincount(plane.shell + 1, plane.high, plan.shells)
        for plane in plan.planes
    )
    assert plan.shells == count == box + 2
    assert total.sum() == pytest.approx(np.count_nonzero(counted))
    inner = np.floor(radius[counted])
    share = np.bincount(inner.astype(int), 1 - (radius[counted] - inner), count)
    share += np.bincount(inner.astype(int) + 1, radius[counted] - inner, count)
    np.testing.assert_allclose(total, share, rtol=1e-6)


def test_the_length_is_the_padded_edge_in_the_smallest_voxels():
    assert window_plan(12, CUBIC).length == pytest.approx(2 * 12 * 1.1)
    assert window_plan(9, (2.0, 0.8, 1.1)).length == pytest.approx(2 * 9 * 0.8)


def test_voxel_sizes_that_a_header_rounds_give_the_same_shells():
    # modes exactly on the last shell, such as (14, 5, 2) on the 15th, must not slip below it
    exact = window_plan(14, (1.1, 1.1, 1.1))
    rounded = window_plan(14, (1.1, 1.1000000346790662, 1.099999984105428))
    for one, two in zip(exact.planes, rounded.planes, strict=True):
        for name in ("shell", "low", "high"):
            np.testing.assert_array_equal(getattr(two, name), getattr(one, name))


@pytest.mark.parametrize("box", [6, 20, 60, 64, 128])
def test_a_batch_of_large_windows_takes_little_memory(box):
    plan = window_plan(box, CUBIC)
    work = Workspace(plan, plan.batch)
    arrays = (work.parts, work.along_x, work.along_y, work.along_z)
    assert 1 <= plan.batch <= 8
    assert sum(array.nbytes for array in arrays) < 160 << 20
    shells = sum(p.shell.nbytes + p.low.nbytes + p.high.nbytes for p in plan.planes)
    assert shells < 60 << 20


def test_modes_are_added_to_their_two_shells():
    rng = np.random.default_rng(1)
    modes, n, shells = 5, 3, 4
    a, b = rng.standard_normal((2, 8, modes * n)).astype(np.float32)
    shell = np.array([0, 2, 1, 2, 0])
    low, high = rng.random((2, modes))
    low[4] = high[4] = 0.0
    a[:, 4 * n :] = np.inf  # beyond the last shell: must not be looked at
    sums = np.zeros((shells, 3, n))
    add_to_shells(a, b, shell, low, high, sums)
    known = np.zeros((shells, 3, n))
    for mode in range(4):
        one, two = (values[:, mode * n : (mode + 1) * n] for values in (a, b))
        for row, product in enumerate((one * one, two * two, one * two)):
            known[shell[mode], row] += low[mode] * product.sum(axis=0)
            known[shell[mode] + 1, row] += high[mode] * product.sum(axis=0)
    np.testing.assert_allclose(sums, known, rtol=1e-5, atol=1e-5)
