"""The summary of a batch: which files, what is in them, and what a page may not do."""

import csv
import json
import os
import re
from html import unescape

import polars as pl
import pytest

from atomsight.archive.storage import read_archive
from atomsight.batch.dataset import ATOMS, RESIDUES, ROWS, path_of, read_rows
from atomsight.batch.schema import ENTRIES
from atomsight.batch.summary import summarise
from atomsight.errors import MissingLibraryError, OutputError, ResultsError
from tests.support.datasets import add_archive, add_entry, add_failure, add_residues, expected
from tests.support.pages import ATTACK, blocks, data_of, outside_blocks

ALWAYS = {
    *("archive.csv", "entries.csv", "entries.parquet", "failures.csv"),
    *("index.html", "outliers.csv"),
}
WITH_RESIDUES = {"residue_outliers.csv", "residue_types.csv"}


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def page_of(folder):
    return (folder / "summary" / "index.html").read_text(encoding="utf-8")


def column(data, key):
    return next(one["values"] for one in data["columns"] if one["key"] == key)


@pytest.fixture
def small(tmp_path):
    """Two entries that are done, one that failed."""
    folder = tmp_path / "ours"
    add_entry(folder, "b", q=0.5, notes="a note", **expected(3.2))
    add_entry(folder, "a", q=0.3, **expected(3.2))
    add_failure(folder, "c", "read maps", "map.mrc: breaks off")
    return folder


def test_the_table_of_entries_has_all_rows_and_columns(small):
    found = summarise(small)
    assert names(small / "summary") == ALWAYS == {path.as_posix() for path in found.files}
    table = pl.read_parquet(small / "summary" / "entries.parquet")
    assert dict(table.schema) == dict(ENTRIES)
    assert table.equals(read_rows(small))
    with (small / "summary" / "entries.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(ENTRIES)
    assert [row["entry"] for row in rows] == ["a", "b", "c"]
    assert (rows[0]["q"], rows[0]["cc"], rows[2]["message"]) == ("0.3", "", "map.mrc: breaks off")


def test_failures_and_outliers_have_their_tables(small):
    summarise(small)
    failures = pl.read_csv(small / "summary" / "failures.csv")
    assert failures.select("entry", "step", "error", "message").rows() == [
        ("c", "read maps", "MapFileError", "map.mrc: breaks off")
    ]
    outliers = pl.read_csv(small / "summary" / "outliers.csv")
    assert outliers.select("entry", "rule", "value").rows() == [("a", "q_below_band", 0.3)]


def test_more_data_give_more_files_and_less_take_them_away(small):
    add_archive(small, 60)
    add_residues(small, "a", [0.1, 0.5], q_band=["below", ""])
    summarise(small, figures="svg")
    more = {"archive.parquet", "figures/q_resolution.svg"}
    assert names(small / "summary") == ALWAYS | WITH_RESIDUES | more
    (small / "summary" / "mine.txt").write_text("keep", encoding="utf-8")
    for i in range(20):
        path_of(small, ROWS, f"e{i:03d}").unlink()
    path_of(small, RESIDUES, "a").unlink()
    summarise(small)
    kept = {"mine.txt", "figures/q_resolution.svg"}
    assert names(small / "summary") == ALWAYS | kept


def test_the_page_holds_the_entries(small):
    summarise(small)
    html = page_of(small)
    data = data_of(html)
    assert column(data, "entry") == ["a", "b", "c"]
    assert column(data, "q") == [0.3, 0.5, None]
    assert column(data, "status") == ["done", "done", "failed"]
    assert column(data, "outliers") == ["Q below its expected band", "", ""]
    assert column(data, "message") == ["", "", "map.mrc: breaks off"]
    assert data["notes"] == ["", "a note", ""]
    assert [(rule["key"], rule["rows"]) for rule in data["rules"]] == [("q_below_band", [0])]
    assert data["steps"] == [{"step": "read maps", "count": 1}]
    # nothing is there that no entry has
    assert {one["key"] for one in data["columns"]}.isdisjoint({"cc", "fsc_q", "report"})
    text = unescape(re.sub(r"<[^>]*>", " ", outside_blocks(html)))
    assert (
        "3 entries: 2 done, 1 failed. Of the 2 with an expected Q, 1 lie within its band, "
        "1 below and 0 above." in text
    )


def test_points_of_the_figure_lead_to_their_rows(small):
    summarise(small)
    data = data_of(page_of(small))
    for trace in data["figures"][0]["data"]:
        for row, name, q in zip(
            trace.get("customdata", ()), trace.get("text", ()), trace["y"], strict=False
        ):
            assert (column(data, "entry")[row], column(data, "q")[row]) == (name, q)
    found = [len(trace.get("customdata", ())) for trace in data["figures"][0]["data"]]
    assert sum(found) == 2


def test_reports_are_linked_where_there_are_any(small, tmp_path):
    place = small / "reports" / "b"
    place.mkdir(parents=True)
    (place / "report.html").write_text("", encoding="utf-8")
    (small / "reports" / "a").mkdir()
    summarise(small)
    data = data_of(page_of(small))
    assert (data["reports"], column(data, "report")) == ("../reports/", ["", "open", ""])
    elsewhere = tmp_path / "out: 100%" / "x"
    moved = small.rename(tmp_path / "a b#?é")
    summarise(moved, elsewhere)
    data = data_of((elsewhere / "index.html").read_text(encoding="utf-8"))
    assert data["reports"] == "../../a%20b%23%3F%C3%A9/reports/"


def test_what_rows_say_is_text_and_nothing_else(tmp_path):
    folder = tmp_path / "<b>&\"'"
    add_entry(folder, "a", q=0.0, notes=ATTACK, **expected(3.0))
    add_failure(folder, "b", ATTACK, f"{ATTACK}</script>")
    summarise(folder)
    html = page_of(folder)
    bare = outside_blocks(html)
    assert "<img" not in bare
    assert "hacked=1>" not in bare
    assert "<b>&" not in bare
    assert bare.count("<script>") == 1
    data = data_of(html)
    assert column(data, "message")[1] == f"{ATTACK}</script>"
    assert (data["notes"][0], data["steps"][0]["step"]) == (ATTACK, ATTACK)


def test_the_page_may_fetch_nothing_and_runs_no_text(small):
    summarise(small)
    html = page_of(small)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    rules = dict(rule.split(" ", 1) for rule in unescape(policy).split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'unsafe-inline'"
    assert not re.search(r"https?://", outside_blocks(html))
    assert set(blocks(html)) == {"data", "plotly"}


def test_broken_files_are_told_and_the_others_count(small):
    add_residues(small, "a", [0.5])
    add_residues(small, "b", [0.5])
    path_of(small, ROWS, "a").write_bytes(b"PAR1")
    path_of(small, RESIDUES, "b").write_bytes(b"")
    found = summarise(small)
    assert found.rows["entry"].to_list() == ["b", "c"]
    assert found.notes == (
        "files of entries that cannot be read: 1 (--resume scores these again)",
        "files of residues that cannot be read: 1",
    )
    assert "files of entries that cannot be read: 1" in page_of(small)


def test_only_failures_are_a_summary_too(tmp_path):
    add_failure(tmp_path, "a", "timeout", "not done after 5 s (--timeout)")
    found = summarise(tmp_path)
    assert (found.failures.height, found.outliers.height) == (1, 0)
    assert found.archive.reason == "no entry has a Q"
    assert data_of(page_of(tmp_path))["figures"] == []


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _: None, "no such folder; give the folder of 'atomsight batch'"),
        (lambda f: f.write_text("x", encoding="utf-8"), "this is a file; give the folder"),
        (lambda f: (f / ATOMS).mkdir(parents=True), r"holds no data set \(no folder entries\)"),
        (lambda f: (f / ROWS).mkdir(parents=True), "no entry is finished yet"),
        (
            lambda f: add_entry(f, "a").write_bytes(b""),
            "no entry is finished; 1 files of entries, none can be read",
        ),
    ],
)
def test_what_is_no_data_set_is_refused(tmp_path, make, said):
    folder = tmp_path / "set"
    make(folder)
    with pytest.raises(ResultsError, match=said):
        summarise(folder)
    assert not (folder / "summary").exists()


def test_what_cannot_be_written_leaves_what_was_there(small, monkeypatch):
    summarise(small)
    before = {name: (small / "summary" / name).read_bytes() for name in ALWAYS}
    add_entry(small, "d", q=0.4)

    def full(*_args, **_kwargs):
        raise OutputError("no space")

    monkeypatch.setattr("atomsight.batch.summary.write_text", full)
    with pytest.raises(OutputError, match="no space"):
        summarise(small)
    assert {name: (small / "summary" / name).read_bytes() for name in ALWAYS} == before
    assert names(small / "summary") == ALWAYS


def test_figures_need_matplotlib_before_any_work(small, monkeypatch):
    monkeypatch.setattr("atomsight.report.static.find_spec", lambda _: None)
    with pytest.raises(MissingLibraryError, match="matplotlib"):
        summarise(small, figures="pdf")
    assert not (small / "summary").exists()


def test_a_folder_may_have_any_name(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    add_archive(folder, 50)
    summarise(folder, tmp_path / "out", figures="svg")
    archive = read_archive(tmp_path / "out" / "archive.parquet")
    assert archive.name == "caf\\udce9"
    data = data_of((tmp_path / "out" / "index.html").read_text(encoding="utf-8"))
    assert data["reports"] == "../caf%E9/reports/"


def test_data_of_the_page_are_plain_json(small):
    add_entry(small, "nan", q=float("nan"), cc=float("inf"), **expected(3.0))
    summarise(small)
    data = data_of(page_of(small))
    assert column(data, "q")[3] is None
    json.dumps(data, allow_nan=False)
