import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from atomsight.ensemble.ranking import CRITERIA, rank_by_quality, rank_models
from atomsight.errors import ParameterError

NAN = float("nan")
VALUES = st.lists(st.tuples(*[st.sampled_from([0.0, 1.0, 2.5, 7.0])] * 4), min_size=1, max_size=9)


def test_the_mean_of_four_ranks_orders_the_models():
    found = rank_models(
        np.array([[0.0, 5, 2.0, -9.0], [1.0, 2, 1.0, -8.0], [3.0, 9, 8.0, -10.0]]), keep=2
    )
    assert found.ranks.tolist() == [[1, 2, 2, 2], [2, 1, 1, 3], [3, 3, 3, 1]]
    assert found.mean_rank.tolist() == [1.75, 1.75, 2.5]
    # equal means: the lower energy first
    assert found.kept.tolist() == [0, 1]


def test_equal_values_share_the_mean_of_their_ranks():
    found = rank_models(np.array([[0, 0, 1, 3], [0, 0, 2, 2], [0, 4, 3, 1.0]]))
    assert found.ranks[:, 0].tolist() == [2, 2, 2]
    assert found.ranks[:, 1].tolist() == [1.5, 1.5, 3]


def test_models_equal_in_all_keep_their_order():
    assert rank_models(np.zeros((4, 4))).order.tolist() == [0, 1, 2, 3]


def test_a_model_without_a_value_comes_after_those_that_have_one():
    found = rank_models(np.array([[0, 0, 0, NAN], [9, 9, 9, 5.0], [9, 9, 9, 7.0]]))
    assert found.ranks[:, 3].tolist() == [3, 1, 2]


def test_a_criterion_that_nobody_has_is_left_out():
    values = np.array([[2, 1, 1, NAN], [1, 1, 1, NAN]])
    found = rank_models(values)
    assert np.isnan(found.ranks[:, 3]).all()
    assert found.order.tolist() == [1, 0]
    assert found.mean_rank.tolist() == pytest.approx([5 / 3, 4 / 3])


def test_more_to_keep_than_there_are_keeps_all():
    assert rank_models(np.zeros((3, 4)), keep=10).kept.tolist() == [0, 1, 2]


@given(VALUES)
def test_ranks_are_those_of_scipy(rows):
    values = np.array(rows)
    np.testing.assert_allclose(
        rank_models(values).ranks, rankdata(values, method="average", axis=0)
    )


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_the_models_does_not_matter(rows, random):
    values = np.array(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    one, other = rank_models(values), rank_models(values[order])
    np.testing.assert_allclose(one.mean_rank[order], other.mean_rank)


@pytest.mark.parametrize(
    ("values", "keep", "message"),
    [
        (np.zeros((0, 4)), 1, r"shape \(0, 4\)"),
        (np.zeros((3, 3)), 1, r"one row of 4 values a model, not shape \(3, 3\)"),
        (np.zeros((3, 4)), 0, "at least 1 model"),
        (np.full((3, 4), NAN), 1, "no model has a value"),
    ],
)
def test_nonsense_is_refused(values, keep, message):
    with pytest.raises(ParameterError, match=message):
        rank_models(values, keep=keep)


def test_as_many_energies_as_models():
    with pytest.raises(ParameterError, match="0 models, but 1 energies"):
        rank_by_quality([], np.zeros(1))


def test_energy_is_the_last_criterion():
    assert CRITERIA[-1] == "energy"
