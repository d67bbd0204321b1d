"""A batch as an archive: the same file as `atomsight archive build` makes, and its figure."""

import numpy as np
import polars as pl
import pytest

from atomsight.archive.archives import archive_facts, build_archive
from atomsight.archive.expected import expected_q
from atomsight.archive.storage import read_archive
from atomsight.batch.dataset import read_rows
from atomsight.batch.own_archive import archive_figure, band_counts, own_archive
from atomsight.report.figure import Cloud, Series
from tests.support.datasets import add_archive, add_entry, add_failure, expected


def made(folder, stage):
    stage.mkdir(exist_ok=True)
    return own_archive(read_rows(folder), "ours", stage)


@pytest.fixture
def many(tmp_path):
    folder = tmp_path / "batch"
    add_archive(folder, 120)
    return folder


def test_the_table_gives_the_same_archive_when_it_is_built_again(many, tmp_path):
    own = made(many, tmp_path / "out")
    again = build_archive(tmp_path / "out" / "archive.csv", name="ours", date="2026-11-20")
    stored = read_archive(tmp_path / "out" / "archive.parquet")
    assert archive_facts(stored) == archive_facts(again) == archive_facts(own.archive)
    rows = read_rows(many)
    assert stored.entries.ids.tolist() == rows["entry"].to_list()
    for name, column in (("q", "q"), ("inclusion", "inclusion"), ("cc", "cc")):
        values = stored.entries.measures[name]
        assert values == pytest.approx(rows[column].to_numpy(), abs=1e-6)
    assert set(stored.entries.measures) == {"q", "inclusion", "cc"}
    assert (own.reason, own.notes) == ("", ())


def test_the_same_data_set_gives_the_same_files(many, tmp_path):
    for name in ("one", "two"):
        made(many, tmp_path / name)
    for file in ("archive.csv", "archive.parquet"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_its_cubic_is_that_of_the_entries(many, tmp_path):
    fitted = made(many, tmp_path / "out").archive.regression
    rows = read_rows(many)
    cubic = np.polyfit(rows["resolution"].to_numpy(), rows["q"].to_numpy(), 3)
    assert fitted.cubic.coefficients == pytest.approx(cubic, abs=1e-4)
    assert fitted.n == 120


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (0, "no entry has a Q"),
        (49, "49 entries with Q between 1 and 10 Å; a statistical model needs 50"),
    ],
)
def test_too_few_entries_make_a_table_and_a_reason(tmp_path, count, reason):
    add_archive(tmp_path, count)
    add_failure(tmp_path, "failed", "read maps", "broken")
    own = made(tmp_path, tmp_path / "out")
    assert (own.archive, own.reason) == (None, reason)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"archive.csv"}
    assert pl.read_csv(tmp_path / "out" / "archive.csv").height == count


def test_what_must_not_be_mixed_is_left_out_and_told(many, tmp_path):
    add_entry(many, "wide", q=0.7, **expected(3.0) | {"sigma": 0.6})
    add_entry(many, "outside", q=0.0, in_map=False, **expected(3.0))
    add_entry(many, "empty", **expected(3.0))
    add_entry(many, "unknown", q=0.5)
    own = made(many, tmp_path / "out")
    assert len(own.archive.entries) == 121
    assert (own.sigma, own.archive.sigma) == (0.4, 0.4)
    assert own.notes == (
        "not in the archive, as the model does not lie in the map: 1",
        "not in the archive, without a Q: 1",
        "not in the archive, Q of another sigma than 0.4 Å: 1",
        "1 entry without a resolution counted among all entries only",
    )


def test_the_figure_has_entries_both_curves_and_knows_the_rows(many, tmp_path):
    add_entry(many, "a_low", q=0.0, **expected(3.0))
    add_failure(many, "b_failed", "read maps", "broken")
    rows = read_rows(many)
    figure = archive_figure(made(many, tmp_path / "out"), rows, "ours")
    points = [part for part in figure.parts if isinstance(part, Series) and part.draw == "points"]
    assert [part.name for part in points] == ["entries", "outside the expected band"]
    assert sum(len(part.x) for part in points) == 121
    for part in points:
        assert list(part.labels) == rows["entry"][part.rows.tolist()].to_list()
        assert part.y.tolist() == rows["q"][part.rows.tolist()].to_list()
    assert "a_low" in points[1].labels
    lines = {part.name: part for part in figure.parts if part not in points}
    assert list(lines) == [
        "Q_peak, published",
        "band, published",
        "",
        "Q_peak, this batch",
        "band, this batch",
    ]
    at_3 = np.interp(3.0, lines["Q_peak, published"].x, lines["Q_peak, published"].y)
    assert at_3 == pytest.approx(expected_q(3.0, 0.4)[0].peak, abs=1e-3)
    assert "121 of the 121 entries of ours lie between 1 and 10 Å" in figure.caption
    assert "(n = 121, R² 0.9" in figure.caption


def test_many_entries_are_drawn_as_cells(many, tmp_path, monkeypatch):
    monkeypatch.setattr("atomsight.batch.own_archive._MOST_POINTS", 100)
    figure = archive_figure(made(many, tmp_path / "out"), read_rows(many), "ours")
    (cloud,) = (part for part in figure.parts if isinstance(part, Cloud))
    assert cloud.count.sum() == 120
    assert "Cells of 0.05 Å × 0.01; click one to list its entries." in figure.caption


@pytest.mark.parametrize("values", [{}, {"q": 0.5}, {"q": 0.5, "resolution": 20.0}])
def test_without_q_and_resolution_there_is_no_figure(tmp_path, values):
    add_entry(tmp_path, "a", **values)
    assert archive_figure(made(tmp_path, tmp_path / "out"), read_rows(tmp_path), "ours") is None


def test_bands_are_counted(tmp_path):
    for name, q in {"a": 0.0, "b": 0.5, "c": 0.5, "d": 0.9, "e": None}.items():
        add_entry(tmp_path, name, q=q, **expected(3.0))
    add_entry(tmp_path, "f", q=0.5)
    assert band_counts(read_rows(tmp_path)) == {"below": 1, "within": 2, "above": 1}
