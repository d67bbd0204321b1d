"""Tables on disk: whole or not there, and found again."""

import numpy as np
import polars as pl
import pytest

from atomsight.batch.dataset import (
    ROWS,
    begin_dataset,
    path_of,
    read_rows,
    remove_table,
    write_table,
)
from atomsight.batch.schema import ATOMS, ENTRIES, RESIDUES, facts_in, row_of, table_of
from atomsight.errors import OutputError


def row(name, **values):
    return row_of({"entry": name, "status": "done", **values})


def test_a_row_comes_back_with_every_column_and_type(tmp_path):
    write_table(row("a", q=0.5, atoms=3, notes="x"), tmp_path, ROWS, "a")
    table = read_rows(tmp_path)
    assert dict(table.schema) == dict(ENTRIES)
    assert table.select("entry", "q", "atoms", "cc").row(0) == ("a", 0.5, 3, None)


def test_rows_come_by_name_and_only_the_columns_asked_for(tmp_path):
    for name in ("c", "a", "b"):
        write_table(row(name, q=0.1), tmp_path, ROWS, name)
    assert read_rows(tmp_path, ["entry", "q"]).rows() == [("a", 0.1), ("b", 0.1), ("c", 0.1)]
    assert read_rows(tmp_path / "nothing").is_empty()


def test_writing_again_replaces(tmp_path):
    for q in (0.1, 0.2):
        write_table(row("a", q=q), tmp_path, ROWS, "a")
    assert read_rows(tmp_path)["q"].to_list() == [0.2]
    assert [p.name for p in (tmp_path / ROWS).rglob("*.parquet")] == ["a.parquet"]


def test_a_file_that_broke_off_counts_as_not_there(tmp_path):
    for name in ("a", "b", "c"):
        write_table(row(name), tmp_path, ROWS, name)
    path_of(tmp_path, ROWS, "a").write_bytes(b"")
    whole = path_of(tmp_path, ROWS, "b").read_bytes()
    path_of(tmp_path, ROWS, "b").write_bytes(whole[: len(whole) // 2])
    assert read_rows(tmp_path, ["entry"])["entry"].to_list() == ["c"]


def test_a_table_that_cannot_be_written_leaves_the_old_one(tmp_path):
    write_table(row("a", q=0.1), tmp_path, ROWS, "a")
    place = tmp_path / ".unfinished"
    place.rmdir()
    place.write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError, match=r"a\.parquet: cannot write this table"):
        write_table(row("a", q=0.2), tmp_path, ROWS, "a")
    assert read_rows(tmp_path)["q"].to_list() == [0.1]


def test_what_a_killed_run_was_writing_goes(tmp_path):
    write_table(row("a"), tmp_path, ROWS, "a")
    place = tmp_path / ".unfinished"
    (place / "half.parquet").write_bytes(b"PAR1")
    begin_dataset(tmp_path, alone=False)
    assert list(place.iterdir())
    begin_dataset(tmp_path, alone=True)
    assert not place.exists()
    assert len(read_rows(tmp_path)) == 1


def test_tables_go_and_may_be_gone_already(tmp_path):
    write_table(row("a"), tmp_path, ROWS, "a")
    for _ in range(2):
        remove_table(tmp_path, ROWS, "a")
        assert read_rows(tmp_path).is_empty()


def test_missing_columns_are_null_and_unknown_ones_are_refused():
    columns = {"chain": np.array(["A"]), "number": np.array([7]), "q": np.array([np.nan])}
    table = table_of("a", columns, RESIDUES)
    assert dict(table.schema) == dict(RESIDUES)
    found = table.select("entry", "chain", "number", "q", "fsc_q", "verdict").row(0)
    assert found == ("a", "A", 7, None, None, None)
    with pytest.raises(ValueError, match="columns colour are not in the data set's schema"):
        table_of("a", columns | {"colour": np.array([1])}, ATOMS)
    with pytest.raises(ValueError, match="columns colour"):
        row_of({"colour": 1})


def test_facts_that_a_run_does_not_have_are_none():
    facts = facts_in({"q_score": {"mean": {"value": 0.5}}, "fsc_q": None})
    assert facts["q_with_water"] == 0.5
    assert {value for name, value in facts.items() if name != "q_with_water"} == {None}
    deep = facts_in({"fsc_q": {"resolutions": {"half_masked_0.143": 2.5}}})
    assert deep["fsc_half_0143"] == 2.5


def test_parts_are_few_and_even(tmp_path):
    parts = [path_of(tmp_path, ROWS, f"EMD-{i}").parent.name for i in range(20_000)]
    counts = pl.Series(parts).value_counts()["count"]
    assert len(counts) == 256
    assert counts.max() < 2 * 20_000 / 256
