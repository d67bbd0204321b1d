"""What is known of an entry before it is scored."""

import polars as pl
import pytest

from atomsight.batch.job import Settings
from atomsight.batch.plan import plan
from tests.support.crops import write_crop, write_manifest

HEADER = ("name", "model", "map", "half_1", "half_2", "mask", "resolution")


@pytest.fixture
def files(source, tmp_path):
    """Two entries with maps of different shapes."""
    return [write_crop(source, tmp_path / "files", f"f{i}", seed=i, radius=4.0 + i) for i in (1, 3)]


def planned(tmp_path, rows, **options):
    return plan(write_manifest(tmp_path / "m.csv", HEADER, rows), Settings(tmp_path), **options)


def test_every_kind_of_row(files, tmp_path):
    (model, map_), (_, other) = files
    short = tmp_path / "short.mrc"
    short.write_bytes(map_.read_bytes()[:3000])
    found = planned(
        tmp_path,
        [
            ("good", model, map_, "", "", "", 3),
            ("halves", model, map_, map_, map_, "", 3),
            ("word", model, map_, "", "", "", "three"),
            ("no_model", tmp_path / "none.cif", map_, "", "", "", 3),
            ("short", model, short, "", "", "", 3),
            ("grid", model, map_, other, other, "", 3),
            ("mask", model, map_, map_, map_, other, 3),
        ],
    )
    problems = {row.name: row.problem for row in found.bad}
    assert list(problems) == ["word", "no_model", "short", "grid", "mask"]
    assert "line 4 (word): resolution is 'three'" in problems["word"]
    assert "none.cif: no such model file" in problems["no_model"]
    assert "short.mrc: truncated" in problems["short"]
    assert "f3.mrc: has" in problems["grid"]
    assert "they must share a grid" in problems["mask"]
    good, halves = (row.estimate for row in found.rows[:2])
    assert halves.memory > good.memory
    assert halves.seconds > good.seconds
    assert (found.largest, found.unknown) == (halves.memory, 0)
    assert found.seconds == pytest.approx(good.seconds + halves.seconds)


def test_an_entry_that_no_worker_can_hold_would_fail(files, tmp_path):
    (model, map_), _ = files
    found = planned(tmp_path, [("a", model, map_, "", "", "", 3)], memory=2**20)
    assert "needs about 0.3 GiB, more than a worker has" in found.bad[0].problem


def test_an_id_is_to_be_fetched(tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text("id\nEMD-3488\n", encoding="utf-8")
    found = plan(path, Settings(tmp_path))
    assert (found.bad, found.unknown, found.largest, found.seconds) == ([], 1, 0, 0)


def test_the_table_has_a_line_for_each_row(files, tmp_path):
    (model, map_), _ = files
    rows = [("a", model, map_, "", "", "", 3), ("b", "no", map_, "", "", "", 3)]
    table = planned(tmp_path, rows).table()
    assert table.columns == ["entry", "line", "problem", "atoms", "voxels", "memory", "seconds"]
    assert table["line"].to_list() == [2, 3]
    assert table["problem"].str.len_chars().to_list()[0] == 0
    assert table.filter(pl.col("entry") == "b")["memory"].to_list() == [None]


def test_more_that_is_kept_needs_more_disk(files, tmp_path):
    (model, map_), _ = files
    found = planned(tmp_path, [("a", model, map_, "", "", "", 3)])
    sizes = [found.disk(kind) for kind in ("entries", "residues", "atoms")]
    assert sizes == sorted(sizes)
    assert sizes[0] > 0
