"""Files of archives: what is written comes back, what is none is refused."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from atomsight.archive.archives import build_archive
from atomsight.archive.storage import read_archive, write_archive
from atomsight.errors import ArchiveFileError, OutputError


def same(a, b):
    np.testing.assert_array_equal(a.entries.ids, b.entries.ids)
    np.testing.assert_array_equal(a.entries.resolution, b.entries.resolution)
    assert list(a.entries.measures) == list(b.entries.measures)
    for name, values in a.entries.measures.items():
        np.testing.assert_array_equal(values, b.entries.measures[name])
    return replace(a, entries=b.entries) == b


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
