"""Rows that name entries: fetched from a server on this machine, then scored as by hand."""

import polars as pl
import pytest

import atomsight as ats
from atomsight.batch.cluster import Local
from atomsight.batch.dataset import ATOMS, path_of, read_rows
from atomsight.batch.job import Settings
from atomsight.batch.run import run_batch
from atomsight.export.columns import atom_keys
from atomsight.export.tables import frame
from tests.support.archive_server import Site, header_xml, serving, status
from tests.support.crops import write_manifest
from tests.support.demo_entry import add_demo_entry

pytestmark = pytest.mark.xdist_group("batch")


@pytest.fixture
def site(tmp_path):
    """EMD-3488 with half maps and 5NI1, and EMD-1234 that is not released."""
    (tmp_path / "made").mkdir()
    with serving(Site()) as site:
        add_demo_entry(site, tmp_path / "made")
        site.add_emdb("EMD-1234", header_xml(name="EMD-1234", status="HPUB"), {})
        yield site


def settings(site, tmp_path, **options):
    bases = {"emdb_base": site.emdb, "pdb_base": site.pdb}
    return Settings(tmp_path / "set", cache=tmp_path / "cache", **bases, **options)


def run(site, tmp_path, header, rows, **options):
    manifest = write_manifest(tmp_path / "m.csv", header, rows)
    chosen = settings(site, tmp_path, **options)
    return run_batch(manifest, chosen, Local(workers=2)), read_rows(chosen.folder)


def test_entries_are_fetched_and_scored_as_one_by_one(site, tmp_path):
    rows = [
        ("whole", "EMD-3488", "", "", ""),
        ("by_model", "5ni1", "", "", ""),
        ("contour", "EMD-3488", "", 0.5, ""),
        ("unknown", "EMD-9999", "", "", ""),
        ("hidden", "EMD-1234", "", "", ""),
        ("nonsense", "../etc", "", "", ""),
        ("other", "EMD-3488", "9ZZZ", "", ""),
        ("window", "EMD-3488", "", "", 12),
    ]
    header = ("name", "id", "pdb", "contour", "box")
    report, found = run(site, tmp_path, header, rows)
    assert (report.done, report.failed) == (4, 4)
    assert dict(report.steps) == {"fetch": 4}
    by_name = {row["entry"]: row for row in found.iter_rows(named=True)}
    assert "no such entry" in by_name["unknown"]["message"]
    assert "not released yet" in by_name["hidden"]["message"]
    assert "not the name of an entry" in by_name["nonsense"]["message"]

    entry = ats.fetch_entry(
        "EMD-3488", cache=tmp_path / "cache", emdb_base=site.emdb, pdb_base=site.pdb
    )
    single = ats.validate(entry.model, entry.map, ats.entry_options(entry))
    whole = by_name["whole"]
    assert whole["q"] == single.averages["mean_without_water"].mean
    assert (whole["id"], whole["pdb"], whole["contour"]) == ("EMD-3488", "5NI1", entry.contour)
    assert by_name["by_model"]["q"] == whole["q"]
    assert by_name["contour"]["contour"] == 0.5
    assert whole["fsc_q"] is not None
    assert by_name["window"]["fsc_q"] not in (None, whole["fsc_q"])
    table = pl.read_parquet(path_of(tmp_path / "set", ATOMS, "whole"))
    expected = frame({**atom_keys(single.model), **single.atoms})
    assert table.select(expected.columns).equals(expected, null_equal=True)
    # each file came once, however many rows and processes wanted it
    assert all(site.paths().count(path) == 1 for path in site.paths() if "EMD-3488" in path)


def test_without_half_maps_they_are_not_fetched(site, tmp_path):
    _, found = run(site, tmp_path, ("id",), [("EMD-3488",)], half_maps=False)
    assert found["status"].to_list() == ["done"]
    assert found["fsc_q"].null_count() == 1
    assert not [path for path in site.paths() if "half_map" in path]


def test_files_of_a_row_stand(site, tmp_path):
    """A model beside an entry's map; a map of the user's own, of which the header says nothing."""
    cache = {"cache": tmp_path / "cache", "emdb_base": site.emdb, "pdb_base": site.pdb}
    entry = ats.fetch_entry("EMD-3488", **cache)
    model = tmp_path / "mine.cif.gz"
    model.write_bytes(entry.model.read_bytes())
    map_ = tmp_path / "mine.map.gz"
    map_.write_bytes(entry.map.read_bytes())
    rows = [("model", "EMD-3488", model, ""), ("map", "5NI1", "", map_)]
    _, found = run(site, tmp_path, ("name", "id", "model", "map"), rows)
    by_name = {row["entry"]: row for row in found.iter_rows(named=True)}
    assert {row["status"] for row in by_name.values()} == {"done"}
    assert by_name["model"]["model_path"] == str(model)
    assert by_name["model"]["contour"] == entry.contour
    assert by_name["map"]["map_path"] == str(map_)
    assert by_name["map"]["contour"] is None


def test_a_server_that_fails_is_a_row_and_may_be_tried_again(site, tmp_path):
    site.fail("emd_3488.map.gz", status(404))
    _, found = run(site, tmp_path, ("id",), [("EMD-3488",)])
    assert (found["status"][0], found["step"][0], found["error"][0]) == (
        *("failed", "fetch", "NotThereError"),
    )
    site.fail("emd_3488.map.gz", lambda *_: False)
    report = run_batch(
        tmp_path / "m.csv", settings(site, tmp_path), Local(workers=1), only_failed=True
    )
    assert (report.done, report.failed) == (1, 0)
