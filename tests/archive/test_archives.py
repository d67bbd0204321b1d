"""Archives: what is stored comes back, what is none is refused, what ships is what it says."""

import gzip
import hashlib
import json
import shutil
from dataclasses import asdict, replace
from importlib.resources import files

import numpy as np
import polars as pl
import pytest

from atomsight.archive.archives import (
    REFERENCE,
    archive_facts,
    build_archive,
    expected_from,
    read_archive,
    write_archive,
)
from atomsight.archive.expected import expected_q
from atomsight.archive.regression import fit_regression
from atomsight.archive.table import read_entries
from atomsight.archive.windows import rolling_windows, window_choices
from atomsight.errors import ArchiveFileError, OutputError, ParameterError
from tests.support.entries import CUBIC, made_up_table, write_table


@pytest.fixture
def table(tmp_path):
    return made_up_table(tmp_path / "own.csv")


@pytest.fixture
def archive(table):
    return build_archive(table, date="2025-01-02")


def same(a, b):
    np.testing.assert_array_equal(a.entries.ids, b.entries.ids)
    np.testing.assert_array_equal(a.entries.resolution, b.entries.resolution)
    assert list(a.entries.measures) == list(b.entries.measures)
    for name, values in a.entries.measures.items():
        np.testing.assert_array_equal(values, b.entries.measures[name])
    return replace(a, entries=b.entries) == b


def test_an_archive_names_its_source(archive, table):
    assert (archive.name, archive.table, archive.date) == ("own", "own.csv", "2025-01-02")
    assert archive.sha256 == hashlib.sha256(table.read_bytes()).hexdigest()
    assert archive.program.startswith("atomsight ")
    assert (archive.sigma, archive.filters, archive.notes) == (0.4, (), ())
    assert archive.label == f"own (2025-01-02, 400 entries, {archive.sha256[:8]})"


def test_a_name_can_be_given_and_the_date_is_todays(table):
    made = build_archive(table, name="Our institute", sigma=0.6)
    assert made.name == "Our institute"
    assert made.sigma == 0.6
    assert len(made.date.split("-")) == 3


@pytest.mark.parametrize(("file", "name"), [("a.b.csv", "a.b"), ("plain", "plain")])
def test_the_name_is_the_files_without_its_ending(table, tmp_path, file, name):
    shutil.copy(table, tmp_path / file)
    assert build_archive(tmp_path / file).name == name


def test_a_gzipped_table_is_named_without_either_ending(table, tmp_path):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(table.read_bytes()))
    assert build_archive(tmp_path / "t.csv.gz").name == "t"


def test_what_is_written_comes_back(archive, tmp_path):
    entries = archive.entries
    entries.resolution[3] = np.nan
    entries.measures["inclusion"][5] = np.nan
    assert write_archive(archive, tmp_path / "own.parquet") == tmp_path / "own.parquet"
    assert same(read_archive(tmp_path / "own.parquet"), archive)


def test_the_file_is_a_parquet_table_for_other_programs(archive, tmp_path):
    archive.entries.resolution[3] = np.nan
    write_archive(archive, tmp_path / "own.parquet")
    table = pl.read_parquet(tmp_path / "own.parquet")
    assert table.columns == ["id", "resolution", "q", "inclusion"]
    assert table["resolution"].null_count() == 1
    assert table["id"][0] == "0001"


def test_the_same_table_gives_the_same_bytes(table, tmp_path):
    for name in ("a", "b"):
        write_archive(build_archive(table, date="x"), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_facts_are_json_and_name_everything(archive):
    facts = json.loads(json.dumps(archive_facts(archive), allow_nan=False))
    assert facts["n"] == facts["measures"]["q"] == 400
    assert facts["regression"]["n"] == 400
    assert [fit["degree"] for fit in facts["regression"]["fits"]] == [1, 2, 3, 4]
    assert len(facts["windows"]) == 12
    for key in ("name", "date", "table", "sha256", "program", "sigma", "filters", "notes"):
        assert key in facts


def test_only_entries_with_at_least_a_value(table, archive):
    some = build_archive(table, at_least={"inclusion": 0.6, "q": 0.4})
    measures = archive.entries.measures
    kept = (measures["inclusion"] >= 0.6) & (measures["q"] >= 0.4)
    assert some.filters == ("inclusion >= 0.6", "q >= 0.4")
    assert some.entries.ids.tolist() == archive.entries.ids[kept].tolist()
    assert some.regression.n == kept.sum() < 400


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"at_least": {"cc": 0.7}}, "own.csv: no measure 'cc' to choose by; it has q, inclusion"),
        ({"sigma": 0.0}, "sigma 0"),
        ({"sigma": float("nan")}, "sigma nan"),
    ],
)
def test_options_that_mean_nothing_are_refused(table, options, message):
    with pytest.raises(ParameterError, match=message):
        build_archive(table, **options)


def test_too_few_entries_name_the_table(tmp_path):
    path = write_table(tmp_path / "few.csv", ("resolution", "q"), [3.0, 4.0], [0.5, 0.4])
    with pytest.raises(ArchiveFileError, match=r"few.csv: 2 entries .* needs 50"):
        build_archive(path)


def spoiled(kind, archive, path):
    """A file that is no archive."""
    write_archive(archive, path)
    content = path.read_bytes()
    if kind == "another parquet":
        pl.DataFrame({"q": [0.5]}).write_parquet(path)
    elif kind == "text":
        path.write_text("resolution,q\n3,0.5\n")
    elif kind == "truncated":
        path.write_bytes(content[:-100])
    elif kind == "cut short":
        path.write_bytes(content[:6])
    elif kind == "rows missing":
        facts = pl.read_parquet_metadata(path)
        pl.read_parquet(path).head(10).write_parquet(path, metadata=facts)
    else:
        facts = json.loads(pl.read_parquet_metadata(path)["atomsight-archive"])
        text = {
            "another format": json.dumps(facts | {"format": 2}),
            "no facts": json.dumps({"format": 1}),
            "a list": "[]",
        }[kind]
        pl.read_parquet(path).write_parquet(path, metadata={"atomsight-archive": text})


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("another parquet", "make one with: atomsight archive build"),
        ("text", "not an archive"),
        ("truncated", "not an archive"),
        ("cut short", "not an archive"),
        ("rows missing", "not an archive, or damaged"),
        ("no facts", "not an archive, or damaged"),
        ("a list", "not an archive, or damaged"),
        ("another format", "made by another version of atomsight; build it again"),
    ],
)
def test_what_is_no_archive_is_refused(archive, tmp_path, kind, message):
    path = tmp_path / "x.parquet"
    spoiled(kind, archive, path)
    with pytest.raises(ArchiveFileError, match=message) as caught:
        read_archive(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(ArchiveFileError, match="no such archive file"):
        read_archive(tmp_path / "none.parquet")


def test_an_archive_that_cannot_be_written_leaves_nothing(archive, tmp_path):
    with pytest.raises(OutputError, match="cannot write this file"):
        write_archive(archive, tmp_path / "none" / "own.parquet")


def test_expected_values_follow_the_archives_own_cubic(tmp_path):
    d = np.linspace(2, 8, 300)
    q = np.polyval(CUBIC, d) + np.tile([-0.05, 0.03, 0.03], 100)
    archive = build_archive(
        write_table(tmp_path / "t.csv", ("resolution", "q"), d, q), date="2025-01-02"
    )
    expected, reason = expected_from(archive, 3.2)
    # 0.4626672 as in test_expected; the noise has mean 0.01/3; the peak may lie within ± 0.01
    assert reason == ""
    assert expected.peak == pytest.approx(0.4626672 + 0.03, abs=0.011)
    assert expected.low == pytest.approx(0.4626672 - 0.05, abs=0.002)
    assert expected.high == pytest.approx(0.4626672 + 0.03, abs=0.002)
    assert expected.definition == "cubic of t 2025-01-02 (300 entries, 2-8 Å, sigma 0.4)"
    assert "95 %" in expected.band


@pytest.mark.parametrize("resolution", [1.99, 8.01, 12.0, None, float("nan")])
def test_nothing_is_expected_beyond_the_entries(tmp_path, resolution):
    d = np.linspace(2, 8, 300)
    archive = build_archive(
        write_table(tmp_path / "t.csv", ("resolution", "q"), d, np.polyval(CUBIC, d))
    )
    expected, reason = expected_from(archive, resolution)
    assert expected is None
    assert ("no resolution" if resolution is None else "outside 2-8 Å") in reason


def test_nothing_is_expected_of_a_q_of_another_sigma(archive):
    assert expected_from(archive, 3.2, 0.4)[0] == expected_from(archive, 3.2)[0] is not None
    assert expected_from(archive, 3.2, 0.6) == (None, "the archive's Q has sigma 0.4, not 0.6")


def test_the_reference_is_read_once():
    assert read_archive() is read_archive()


def test_the_reference_is_emdbs_table():
    archive = read_archive()
    counts = {n: int(np.isfinite(v).sum()) for n, v in archive.entries.measures.items()}
    assert counts == {"q": 25_396, "smoc": 23_576, "inclusion": 25_393, "ccc": 6439}
    assert np.isfinite(archive.entries.resolution).sum() == 25_322
    assert len(set(archive.entries.ids)) == 25_268
    assert (archive.name, archive.date, archive.sigma) == ("EMDB 202505.v01", "2025-05", 0.4)
    first = archive.entries.ids == "0001"
    assert archive.entries.resolution[first] == 3.4
    assert [float(archive.entries.measures[m][first][0]) for m in counts] == pytest.approx(
        [0.412, 0.782, 0.912, np.nan], nan_ok=True
    )


def test_the_references_statistics_are_those_of_its_entries():
    """What is stored is what this version computes, but for the last bits of a fit."""
    archive = read_archive()
    d, q = archive.entries.resolution, archive.entries.measures["q"]
    fitted = fit_regression(d, q)
    stored, found = (
        {k: v for k, v in asdict(r).items() if k != "fits"} for r in (archive.regression, fitted)
    )
    assert stored == pytest.approx(found, abs=1e-6)
    assert fitted.n == ((d >= 1) & (d <= 10)).sum() == 24_718
    for old, new in zip(archive.regression.fits, fitted.fits, strict=True):
        np.testing.assert_allclose(old.coefficients, new.coefficients, rtol=1e-6)
        assert (old.r2, old.test_r2) == pytest.approx((new.r2, new.test_r2), abs=1e-6)
    again = [*window_choices(d, q), *rolling_windows(d, q)]
    for old, new in zip([*archive.windows, *archive.rolling], again, strict=True):
        assert asdict(old) == pytest.approx(asdict(new), abs=1e-6)


@pytest.mark.parametrize("resolution", [2.0, 3.0, 4.0, 6.0, 8.0])
def test_the_references_peak_is_near_the_published_one(resolution):
    ours, published = expected_from(read_archive(), resolution)[0], expected_q(resolution, 0.4)[0]
    assert ours.peak == pytest.approx(published.peak, abs=0.015)


def test_the_reference_brings_its_licence():
    folder = files("atomsight.archive") / "data"
    text = (folder / "README.md").read_text(encoding="utf-8")
    for fact in (REFERENCE, read_archive().sha256, "Apache License, Version 2.0", "202505.v01"):
        assert fact in text
    assert "Version 2.0, January 2004" in (folder / "LICENSE-Apache-2.0.txt").read_text()


def test_the_reference_can_be_made_again(extra_data):
    table = extra_data / "emdb_statistics" / "va-2025.csv"
    entries, notes = read_entries(table)
    shipped = read_archive()
    assert hashlib.sha256(table.read_bytes()).hexdigest() == shipped.sha256
    assert notes == shipped.notes
    np.testing.assert_array_equal(entries.ids, shipped.entries.ids)
    np.testing.assert_array_equal(entries.resolution, shipped.entries.resolution)
    for name, values in shipped.entries.measures.items():
        np.testing.assert_array_equal(values, entries.measures[name])
