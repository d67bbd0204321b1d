"""Which entries are to be looked at, by which limit."""

import numpy as np
import polars as pl
import pytest

from atomsight.batch.dataset import read_rows
from atomsight.batch.outliers import OUTLIER_COLUMNS, RULES, outliers
from atomsight.batch.schema import row_of
from tests.support.datasets import add_entry, add_failure, expected


def found(folder, *columns):
    return outliers(read_rows(folder)).select(columns).rows()


def test_q_is_compared_with_the_band_at_its_own_resolution(tmp_path):
    # Pintilie et al. (2025): 0.337 to 0.572 at 3.2 Å
    for name, q in {"low": 0.33, "edge": 0.34, "top": 0.57, "high": 0.58}.items():
        add_entry(tmp_path, name, q=q, **expected(3.2))
    assert found(tmp_path, "entry", "rule") == [("low", "q_below_band"), ("high", "q_above_band")]
    ((value, limit, beyond), _) = found(tmp_path, "value", "limit", "beyond")
    assert (value, limit, beyond) == pytest.approx((0.33, 0.3367, 0.0067), abs=1e-4)


def test_what_is_not_known_breaks_no_rule(tmp_path):
    add_entry(tmp_path, "a", q=-0.5, resolution=12.0)
    add_entry(tmp_path, "b", in_map=None)
    add_entry(tmp_path, "c", q=float("nan"), cc=float("nan"), **expected(3.0))
    add_failure(tmp_path, "d", "read maps", "broken")
    assert found(tmp_path, "entry") == []
    assert outliers(read_rows(tmp_path)).columns == list(OUTLIER_COLUMNS)
    assert outliers(read_rows(tmp_path / "nothing")).is_empty()


@pytest.mark.parametrize(
    ("column", "inside", "beyond", "rule", "limit"),
    [
        ("percentile_at_resolution", 5.0, 4.99, "low_percentile", 5.0),
        ("cc", 0.7, 0.69, "low_cc", 0.7),
    ],
)
def test_limits_that_are_published_or_defined(tmp_path, column, inside, beyond, rule, limit):
    add_entry(tmp_path, "inside", **{column: inside})
    add_entry(tmp_path, "beyond", **{column: beyond})
    assert found(tmp_path, "entry", "rule", "value", "limit") == [("beyond", rule, beyond, limit)]


def test_a_model_outside_its_map_comes_first_also_where_it_was_refused(tmp_path):
    add_entry(tmp_path, "forced", in_map=False, contrast=0.1, q=0.0, **expected(3.0))
    add_entry(tmp_path, "blank", in_map=False, contrast=float("nan"))
    add_failure(tmp_path, "refused", "model in map", "the model does not lie in the map")
    rows = found(tmp_path, "entry", "rule", "value", "limit", "message")
    assert rows[:3] == [
        ("blank", "not_in_map", None, 0.2, None),
        ("refused", "not_in_map", None, 0.2, "the model does not lie in the map"),
        ("forced", "not_in_map", 0.1, 0.2, None),
    ]
    assert rows[3][:2] == ("forced", "q_below_band")
    assert dict(found(tmp_path, "entry", "rules")) == {"blank": 1, "refused": 1, "forced": 2}


@pytest.mark.parametrize(
    ("rule", "columns"),
    [
        ("negative_density", lambda share: {"below_zero": share}),
        ("fsc_q_above", lambda s: {"fsc_q_atoms": 1000, "fsc_q_atoms_above": int(1000 * s)}),
        ("fsc_q_below", lambda s: {"fsc_q_atoms": 1000, "fsc_q_atoms_below": int(1000 * s)}),
    ],
)
def test_without_a_published_limit_the_batch_gives_one(tmp_path, rule, columns):
    shares = np.arange(40) / 100
    for i, share in enumerate(shares.tolist()):
        add_entry(tmp_path, f"e{i:02d}", **columns(share))
    add_entry(tmp_path, "none")
    rows = found(tmp_path, "entry", "rule", "value", "limit")
    # 95 % of 40 entries lie below the 39th and 40th
    assert [row[:2] for row in rows] == [("e39", rule), ("e38", rule)]
    assert [row[2:] for row in rows] == [pytest.approx((s, 0.37)) for s in (0.39, 0.38)]


@pytest.mark.parametrize(
    "shares", [np.arange(19) / 100, np.zeros(60), np.array([0.0] * 50 + [1.0] * 10)]
)
def test_a_batch_that_is_small_or_all_alike_gives_no_limit(tmp_path, shares):
    for i, share in enumerate(shares.tolist()):
        add_entry(tmp_path, f"e{i:02d}", below_zero=share)
    assert found(tmp_path, "entry") == []


def test_no_atoms_with_fsc_q_is_no_share(tmp_path):
    for i in range(40):
        add_entry(tmp_path, f"e{i:02d}", fsc_q_atoms=0, fsc_q_atoms_above=0)
    assert found(tmp_path, "entry") == []


def test_rules_come_in_order_and_the_worst_of_each_first():
    rng = np.random.default_rng(0)
    rows = pl.concat(
        row_of(
            {
                "entry": f"e{i}",
                "status": "done",
                "in_map": True,
                **expected(3.0),
                "q": float(rng.normal(0.45, 0.2)),
                "cc": float(rng.uniform(0.5, 0.9)),
                "below_zero": float(rng.uniform(0, 0.1)),
            }
        )
        for i in range(100)
    )
    table = outliers(rows)
    order = [rule.key for rule in RULES]
    places = [order.index(rule) for rule in table["rule"]]
    assert places == sorted(places)
    assert len(set(places)) == 4
    for rule in set(table["rule"]):
        beyond = table.filter(table["rule"] == rule)["beyond"].to_list()
        assert beyond == sorted(beyond, reverse=True)
        assert min(beyond) > 0
    counts = table["entry"].value_counts()
    assert dict(table.select("entry", "rules").rows()) == dict(counts.rows())
