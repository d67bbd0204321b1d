"""Residues over all entries: in pieces, with the same numbers as all at once."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.batch import residue_views as views
from atomsight.batch.dataset import RESIDUES, path_of, read_rows
from atomsight.batch.residue_views import WORST_COLUMNS, counted_quantiles, residue_views
from tests.support.datasets import add_entry, add_residues, expected


def seen(folder):
    return residue_views(folder, read_rows(folder))


@pytest.fixture
def three(tmp_path):
    """Three entries of 3 Å, the third without an expected Q; residues of two kinds."""
    rng = np.random.default_rng(0)
    for name, facts in (("a", expected(3.0)), ("b", expected(3.0)), ("c", {"sigma": 0.6})):
        add_entry(tmp_path, name, **facts)
        q = rng.uniform(0, 1, 40)
        low = facts.get("expected_low", -1)
        add_residues(
            tmp_path,
            name,
            q,
            residue=np.resize(["ALA", "HOH"], 40),
            q_band=np.where(q < low, "below", ""),
            **{"class": np.resize(["protein", "water"], 40)},
        )
    return tmp_path


def all_residues(folder):
    files = sorted((folder / RESIDUES).rglob("*.parquet"))
    return pl.concat(pl.read_parquet(file, hive_partitioning=False) for file in files)


def test_quartiles_of_each_type_are_those_of_all_residues(three):
    types = seen(three).types
    assert types.select("sigma", "class", "residue", "entries", "residues").rows() == [
        (0.4, "protein", "ALA", 2, 40),
        (0.4, "water", "HOH", 2, 40),
        (0.6, "protein", "ALA", 1, 20),
        (0.6, "water", "HOH", 1, 20),
    ]
    table = all_residues(three)
    for row in types.iter_rows(named=True):
        names = ("c",) if row["sigma"] == 0.6 else ("a", "b")
        chosen = table.filter(pl.col("entry").is_in(names) & (pl.col("residue") == row["residue"]))
        quartiles = np.quantile(chosen["q"].to_numpy(), (0.25, 0.5, 0.75))
        found = [row[name] for name in ("lower_quartile", "median", "upper_quartile")]
        # Q is counted in steps of 0.0001
        assert found == pytest.approx(quartiles, abs=5e-5)


def test_residues_below_the_band_of_their_entry_come_worst_first(three):
    found = seen(three)
    table = all_residues(three).join(read_rows(three), on="entry", suffix="_of_entry")
    below = table.filter(pl.col("q") < pl.col("expected_low")).sort("q")
    assert found.worst.columns == list(WORST_COLUMNS)
    assert set(found.worst["rule"]) == {"q_below_band"}
    assert found.beyond == {"worse_than_the_map_allows": 0, "q_below_band": below.height}
    assert below.height > 2 * views.OF_ENTRY
    for name in ("a", "b"):
        worst = below.filter(pl.col("entry") == name)
        of_entry = found.worst.filter(pl.col("entry") == name)
        assert of_entry["number"].to_list() == worst["number"].to_list()[: views.OF_ENTRY]
        assert set(of_entry["of_entry"]) == {worst.height}
    beyond = found.worst["beyond"].to_list()
    assert beyond == sorted(beyond, reverse=True)
    assert beyond[0] == pytest.approx(below["expected_low"][0] - below["q"][0])


@pytest.mark.parametrize("size", [1, 2])
def test_pieces_change_nothing(three, monkeypatch, size):
    whole = seen(three)
    monkeypatch.setattr(views, "_PIECE", size)
    pieces = seen(three)
    assert pieces.worst.equals(whole.worst)
    assert pieces.types.equals(whole.types)
    assert (pieces.residues, pieces.beyond) == (whole.residues, whole.beyond)


def test_the_list_has_an_end(three, monkeypatch):
    whole = seen(three).worst
    monkeypatch.setattr(views, "OF_BATCH", 3)
    assert seen(three).worst.equals(whole.head(3))


def test_a_verdict_goes_before_the_band(tmp_path):
    add_entry(tmp_path, "a", **expected(3.0))
    readings = ["worse than the map allows", "as expected", "not judged", "not resolved", ""]
    add_residues(
        tmp_path,
        "a",
        np.full(5, 0.1),
        q_band=np.repeat("below", 5),
        verdict=readings,
        verdict_part=["sidechain", "", "", "", ""],
        verdict_q=[0.2, 0.1, np.nan, 0.1, np.nan],
        verdict_low=[0.5, 0.0, np.nan, 0.2, np.nan],
    )
    worst = seen(tmp_path).worst.select("number", "rule", "value", "limit", "verdict_part")
    low = expected(3.0)["expected_low"]
    assert worst.rows() == [
        (1, "worse_than_the_map_allows", 0.2, 0.5, "sidechain"),
        (3, "q_below_band", 0.1, low, ""),
        (5, "q_below_band", 0.1, low, ""),
    ]


def test_only_entries_that_are_asked_for_count_and_broken_files_are_told(three):
    path_of(three, RESIDUES, "a").write_bytes(b"PAR1")
    found = residue_views(three, read_rows(three).filter(pl.col("entry") != "c"))
    assert (found.residues, found.unreadable) == (40, 1)
    assert set(found.worst["entry"]) == {"b"}


def test_residues_without_a_q_count_nowhere(tmp_path):
    add_entry(tmp_path, "a", **expected(3.0))
    add_residues(tmp_path, "a", [0.5, np.nan], q_band=["", "below"])
    found = seen(tmp_path)
    assert (found.residues, found.worst.height) == (1, 0)
    assert found.types["residues"].to_list() == [1]


def test_without_residues_there_is_nothing_to_see(tmp_path):
    add_entry(tmp_path, "a")
    assert seen(tmp_path) is None
    (tmp_path / RESIDUES / "part=00").mkdir(parents=True)
    (tmp_path / RESIDUES / "part=00" / "a.parquet").write_bytes(b"")
    found = seen(tmp_path)
    assert (found.residues, found.unreadable, found.types.height) == (0, 1, 0)
    assert found.worst.columns == list(WORST_COLUMNS)


@given(
    st.dictionaries(st.integers(-10, 10), st.integers(1, 5), min_size=1),
    st.lists(st.floats(0, 1), min_size=1),
)
def test_quantiles_of_counted_values_are_those_of_the_values(counts, shares):
    values = np.array(sorted(counts), dtype=float)
    numbers = np.array([counts[int(value)] for value in values])
    found = counted_quantiles(values, numbers, tuple(shares))
    assert found == pytest.approx(np.quantile(np.repeat(values, numbers), shares), abs=1e-12)
