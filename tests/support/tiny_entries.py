"""Many names for one tiny entry: for tests of how entries are run, not of what they are."""

from pathlib import Path

import polars as pl

import atomsight as ats
from atomsight.export.summary_json import summary
from tests.support.cases import write_case

RESOLUTION = 3.0


def write_tiny_entries(folder: Path, count: int) -> Path:
    """Write a model, its map and a manifest that names them `count` times; returns the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    model, map_ = write_case(folder)
    rows = [f"tiny{i:03d},{model.name},{map_.name},{RESOLUTION}" for i in range(count)]
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join(["name,model,map,resolution", *rows]) + "\n", encoding="utf-8")
    return manifest


def q_of_one(manifest: Path) -> float:
    """Q of the entry, computed in this process, without anything of a batch."""
    options = ats.Options(resolution=RESOLUTION)
    result = ats.validate(manifest.parent / "model.cif", manifest.parent / "map.mrc", options)
    value: float = summary(result)["q_score"]["mean_without_water"]["value"]
    return value


def rows_of(folder: Path) -> pl.DataFrame:
    """Rows of a data set, found by what its documentation says: parquet below entries."""
    paths = sorted(folder.glob("entries/*/*.parquet"))
    return pl.concat([pl.read_parquet(p, hive_partitioning=False) for p in paths]).sort("entry")


def count_rows(folder: Path) -> int:
    """How many entries have a row."""
    return len(list(folder.glob("entries/*/*.parquet")))


def require_all_done(folder: Path, manifest: Path, count: int) -> pl.DataFrame:
    """Each entry has one row, all are done, and their Q is that of the entry."""
    rows = rows_of(folder)
    assert rows["entry"].to_list() == [f"tiny{i:03d}" for i in range(count)]
    assert set(rows["status"]) == {"done"}, rows["message"].to_list()
    assert set(rows["q"]) == {q_of_one(manifest)}
    return rows
