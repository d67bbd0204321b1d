"""Principal components against the eigenvectors of the correlation matrix."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.errors import ParameterError
from atomsight.evidence.components import principal_components


def table(seed=1, n=60):
    rng = np.random.default_rng(seed)
    base = rng.standard_normal(n)
    return {
        "resolution": 3.0 + base,
        "q": 0.6 - 0.1 * base + 0.02 * rng.standard_normal(n),
        "fsc_q": 100.0 * rng.standard_normal(n),
        "fsc_q_r": base**2 + rng.standard_normal(n),
    }


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_components_are_eigenvectors_of_the_correlation_matrix(seed):
    columns = table(seed)
    found = principal_components(columns)
    values, vectors = np.linalg.eigh(np.corrcoef(list(columns.values())))
    np.testing.assert_allclose(found.variance, values[::-1], atol=1e-9)
    np.testing.assert_allclose(found.explained, values[::-1] / 4, atol=1e-9)
    for k in range(4):
        other = vectors[:, 3 - k]
        assert abs(found.loadings[:, k] @ other) == pytest.approx(1.0, abs=1e-7)
    assert found.explained.sum() == pytest.approx(1.0)
    assert found.names == tuple(columns)


def test_scores_are_the_standardised_rows_along_the_components():
    columns = table()
    found = principal_components(columns)
    rows = np.column_stack(list(columns.values()))
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0, ddof=1)
    np.testing.assert_allclose(found.scores, z @ found.loadings, atol=1e-12)
    np.testing.assert_allclose(found.scores @ found.loadings.T, z, atol=1e-12)
    np.testing.assert_allclose(np.cov(found.scores.T), np.diag(found.variance), atol=1e-12)
    np.testing.assert_allclose(found.mean, rows.mean(axis=0))
    np.testing.assert_allclose(found.sd, rows.std(axis=0, ddof=1))


def test_the_largest_loading_of_a_component_is_positive():
    columns = table()
    found = principal_components({name: -values for name, values in columns.items()})
    largest = np.abs(found.loadings).argmax(axis=0)
    assert (found.loadings[largest, np.arange(4)] > 0).all()
    np.testing.assert_allclose(found.loadings, principal_components(columns).loadings, atol=1e-9)


@given(st.floats(0.01, 1000), st.floats(-100, 100))
@settings(max_examples=15)
def test_units_do_not_matter(scale, offset):
    columns = table()
    plain = principal_components(columns)
    changed = principal_components(columns | {"q": columns["q"] * scale + offset})
    np.testing.assert_allclose(changed.loadings, plain.loadings, atol=1e-8)
    np.testing.assert_allclose(changed.scores, plain.scores, atol=1e-7)


def test_rows_with_nan_are_left_out_and_counted():
    columns = table()
    columns["q"][3], columns["fsc_q"][[3, 8]] = np.nan, np.inf
    found = principal_components(columns)
    assert (found.n, found.n_left_out) == (58, 2)
    assert list(np.flatnonzero(~found.used)) == [3, 8]
    assert np.isnan(found.scores[[3, 8]]).all()
    kept = principal_components({k: np.delete(v, [3, 8]) for k, v in columns.items()})
    np.testing.assert_array_equal(found.scores[found.used], kept.scores)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6])
def test_constant_measures_are_left_out_by_name(value):
    columns = table()
    plain = principal_components(columns)
    found = principal_components(columns | {"sigma": np.full(60, value)})
    assert found.constant == ("sigma",)
    assert found.names == plain.names
    np.testing.assert_allclose(found.scores, plain.scores)
    assert plain.constant == ()


def test_two_measures_that_say_the_same_are_one_component():
    columns = table()
    found = principal_components({"q": columns["q"], "percent": 100 * columns["q"]})
    np.testing.assert_allclose(found.explained, [1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(np.abs(found.loadings), np.sqrt(0.5))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "at least 2 measures"),
        ({"q": np.arange(9.0)}, "at least 2 measures"),
        ({"q": np.arange(9.0), "b": np.arange(8.0)}, r"one value a row each: q \(9,\), b \(8,\)"),
        ({"q": np.arange(2.0), "b": np.arange(2.0)}, "more than 2 rows without NaN, not 2 of 2"),
        ({"q": np.full(9, np.nan), "b": np.arange(9.0)}, "not 0 of 9"),
        ({"q": np.full(9, 0.5), "b": np.arange(9.0)}, "that vary; constant: q"),
    ],
)
def test_tables_without_components_are_refused(columns, message):
    with pytest.raises(ParameterError, match=message):
        principal_components(columns)


def test_resolution_and_q_of_the_archive_go_together(extra_data):
    path = extra_data / "emdb_statistics" / "mapq-2025.csv"
    with path.open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    columns = {
        name: np.array([float(row[name] or "nan") for row in rows])
        for name in ("resolution", "q", "map_model_fsc05", "cc_mean")
    }
    found = principal_components(columns)
    assert (found.n, found.n_left_out) == (10184, 6)
    known = np.linalg.eigvalsh(np.corrcoef([values[found.used] for values in columns.values()]))
    np.testing.assert_allclose(found.explained, known[::-1] / 4, atol=1e-9)
    # resolution and Q on opposite sides of the first component, next to nothing in the second
    assert found.loadings[0, 0] * found.loadings[1, 0] < -0.2
    assert abs(found.loadings[1, 1]) < 0.05
    assert found.explained == pytest.approx([0.670, 0.229, 0.083, 0.017], abs=1e-3)
