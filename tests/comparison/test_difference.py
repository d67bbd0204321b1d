"""How surely two models differ: blocks of atoms, and intervals that hold what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from atomsight.comparison.difference import LEAST_BLOCKS, atom_blocks, block_edge, paired_difference


def test_blocks_are_cubes_of_space():
    xyz = np.array([[0, 0, 0], [2.9, 2.9, 2.9], [3.1, 0, 0], [0, 0, 6.5]], dtype=float)
    block = atom_blocks(xyz + 100.0, 3.0)
    assert block[0] == block[1]
    assert len(set(block[1:].tolist())) == 3
    assert set(block) == {0, 1, 2}


def test_blocks_are_no_smaller_than_what_q_looks_at():
    assert (block_edge(1.5), block_edge(3.2), block_edge(None)) == (3.0, 3.2, 4.0)


def clustered(difference, block):
    """Standard error of a mean over clusters of unequal size, in closed form."""
    groups = np.unique(block)
    residual = difference - difference.mean()
    total = np.array([residual[block == g].sum() for g in groups])
    g = len(groups)
    return np.sqrt(g / (g - 1) * (total**2).sum()) / len(difference)


def test_the_standard_error_is_that_of_clusters():
    rng = np.random.default_rng(3)
    block = np.repeat(np.arange(60), 5)
    a = rng.normal(0.5, 0.2, 300) + rng.normal(0.0, 0.2, 60)[block]
    b = rng.normal(0.4, 0.2, 300)
    found = paired_difference(a, b, block)
    assert found.value == pytest.approx((a - b).mean())
    assert found.standard_error == pytest.approx(clustered(a - b, block), rel=0.05)
    quantile = stats.t.ppf(0.975, 59)
    assert found.half_width == pytest.approx(quantile * found.standard_error, rel=1e-9)
    assert (found.atoms, found.blocks, found.level) == (300, 60, 0.95)
    # atoms taken as independent would promise too much
    assert found.standard_error > 1.3 * (a - b).std(ddof=1) / np.sqrt(300)


def test_more_comparisons_and_sampling_widen_the_interval():
    rng = np.random.default_rng(4)
    a, b, block = rng.normal(size=40), rng.normal(size=40), np.arange(40)
    one = paired_difference(a, b, block)
    five = paired_difference(a, b, block, comparisons=5)
    assert five.standard_error == one.standard_error
    ratio = stats.t.ppf(1 - 0.05 / 10, 39) / stats.t.ppf(0.975, 39)
    assert five.half_width / one.half_width == pytest.approx(ratio)
    sampled = paired_difference(a, b, block, sampling=0.3)
    assert sampled.standard_error == pytest.approx(np.hypot(one.standard_error, 0.3))


def test_the_same_seed_gives_the_same_interval():
    rng = np.random.default_rng(5)
    a, b, block = rng.normal(size=50), rng.normal(size=50), np.arange(50) // 3
    again = [paired_difference(a, b, block, seed=s) for s in (7, 7, 8)]
    assert again[0] == again[1]
    assert again[0].half_width != again[2].half_width


def test_too_few_blocks_tell_nothing_apart():
    a, b = np.full(30, 0.9), np.full(30, 0.1)
    few = paired_difference(a, b, np.arange(30) % (LEAST_BLOCKS - 1))
    assert few.value == pytest.approx(0.8)
    assert np.isnan(few.half_width)
    assert not few.told_apart
    assert paired_difference(a, b, np.arange(30) % LEAST_BLOCKS).told_apart


@given(seed=st.integers(0, 10_000), shift=st.floats(-2.0, 2.0))
def test_a_difference_does_not_depend_on_the_order_of_atoms_or_on_what_both_share(seed, shift):
    rng = np.random.default_rng(seed)
    a, b, block = rng.normal(size=24), rng.normal(size=24), rng.integers(0, 8, 24)
    _, block = np.unique(block, return_inverse=True)
    first = paired_difference(a, b, block)
    order = rng.permutation(24)
    for other in (
        paired_difference(a[order], b[order], block[order]),
        paired_difference(a + shift, b + shift, block),
    ):
        assert other.value == pytest.approx(first.value, abs=1e-9)
        assert other.half_width == pytest.approx(first.half_width, abs=1e-9, nan_ok=True)
    back = paired_difference(b, a, block)
    assert back.value == pytest.approx(-first.value)
    assert back.half_width == pytest.approx(first.half_width, nan_ok=True)


def test_intervals_hold_what_they_promise_where_noise_is_shared_within_blocks():
    rng = np.random.default_rng(6)
    block = np.repeat(np.arange(20), 4)
    missed = 0
    for _ in range(400):
        noise = rng.normal(0, 1, 20)[block] + rng.normal(0, 0.5, 80)
        missed += paired_difference(noise, np.zeros(80), block).told_apart
    assert 5 <= missed <= 36  # 20 expected; 3.6 standard deviations
