import gzip
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from atomsight import fetch_entry
from atomsight.errors import FetchError, ParameterError
from atomsight.io import entry_files
from atomsight.io.accessions import accession
from atomsight.io.maps import read_map
from atomsight.io.models import read_model
from atomsight.io.sites import EMDB_BASES, PDB_BASES, cache_folder, find_sites, pdb_urls
from tests.support.archive_server import header_xml, status
from tests.support.cases import small_model
from tests.support.demo_entry import RELATED, add_demo_entry, model_text
from tests.support.models import cif_text

ALL = [
    *("emd-3488.xml", "5ni1.cif.gz", "emd_3488_half_map_1.map.gz", "emd_3488_half_map_2.map.gz"),
    *("emd_3488_msk_1.map", "emd_3488.map.gz"),
]
HEADER = "/pub/emdb/structures/EMD-3488/header/emd-3488.xml"


@pytest.fixture
def entry(site, tmp_path):
    return add_demo_entry(site, tmp_path)


@pytest.fixture
def fetch(entry, tmp_path):
    def _fetch(name="EMD-3488", **options):
        where = {"cache": tmp_path / "cache", "emdb_base": entry.emdb, "pdb_base": entry.pdb}
        return fetch_entry(name, **(where | options))

    return _fetch


@pytest.mark.parametrize("name", ["EMD-3488", "5NI1", "pdb_00005ni1", " emd_3488 "])
def test_an_entry_by_either_name(entry, fetch, tmp_path, name):
    found = fetch(name)
    assert (found.emdb_id, found.pdb_id, found.pdb_ids) == ("EMD-3488", "5NI1", ("5NI1",))
    assert (found.resolution, found.resolution_method) == (3.2, "FSC 0.143 CUT-OFF")
    assert (found.contour, found.contour_source) == (0.45, "AUTHOR")
    assert (found.title, found.released) == ("4.2 kDa of <haemoglobin> & Å", "2017-01-11")
    assert found.notes == ()
    folder = tmp_path / "cache" / "emdb" / "EMD-3488"
    assert found.map == folder / "emd_3488.map.gz"
    assert found.half_maps == tuple(folder / f"emd_3488_half_map_{i}.map.gz" for i in (1, 2))
    assert found.mask == folder / "emd_3488_msk_1.map"
    assert found.model == tmp_path / "cache" / "pdb" / "5NI1" / "5ni1.cif.gz"
    assert len(read_model(found.model)) == len(small_model())
    assert read_map(found.map).values.shape == read_map(found.mask).values.shape
    assert sorted(entry.paths()) == sorted(ALL) == sorted(f.path.name for f in found.files)


def test_the_second_time_no_server_is_needed(entry, fetch):
    first = fetch()
    entry.files.clear()
    asked = len(entry.asked)
    assert fetch() == first
    assert fetch("5NI1", verify=True).map == first.map
    assert len(entry.asked) == asked


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"half_maps": False}, ALL[2:4]),
        ({"mask": False}, ALL[4:5]),
        ({"model": False}, ALL[1:2]),
        ({"maps": False}, ALL[2:]),
        ({"maps": False, "model": False}, ALL[1:]),
    ],
)
def test_only_what_is_wanted(entry, fetch, options, missing):
    found = fetch(**options)
    assert sorted(entry.paths()) == sorted(set(ALL) - set(missing))
    assert found.notes == ()
    assert (found.half_maps is None) == (ALL[2] in missing)
    assert (found.mask is None) == (ALL[4] in missing)
    assert (found.map is None) == (ALL[5] in missing)
    assert (found.model is None) == (ALL[1] in missing)


def test_a_model_alone_needs_no_emdb(entry, fetch):
    found = fetch("5NI1", maps=False)
    assert (found.emdb_id, found.map, found.title) == (None, None, "made up")
    assert entry.paths() == ["5ni1.cif.gz"]


def test_progress_is_told_in_bytes(fetch):
    told = []
    fetch(progress=lambda *n: told.append(n))
    assert {name for name, _, _ in told} == set(ALL)
    assert all(0 < done <= of for _, done, of in told)


def test_an_entry_that_there_is_not(entry, fetch):
    with pytest.raises(FetchError, match=r"EMD-9999: no such entry in the EMDB, or not released"):
        fetch("EMD-9999")
    with pytest.raises(FetchError, match=r"6ABC: no such entry in the PDB, or not released"):
        fetch("6ABC")
    del entry.files[entry.find("5ni1.cif.gz")]
    with pytest.raises(FetchError, match=r"5NI1: no such entry in the PDB"):
        fetch()


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (
            {"status": "OBS", "superseded_by": "EMD-9999"},
            r"obsolete; it is superseded by EMD-9999$",
        ),
        ({"status": "OBS"}, r"this entry is obsolete; no other one supersedes it$"),
        ({"status": "WDRN"}, r"this entry was withdrawn$"),
        ({"status": "HPUB"}, r"is not released yet \(status HPUB\)$"),
        ({"status": ""}, r"is not released yet \(status unknown\)$"),
        ({"map_file": None}, r"this entry has no map$"),
        ({"map_file": "../../../x.map"}, r"names a file '\.\./\.\./\.\./x\.map', which is no file"),
    ],
)
def test_entries_that_cannot_be_used(entry, fetch, header, complaint):
    entry.files[HEADER] = header_xml(**header)
    for name in ("EMD-3488", "5NI1"):
        with pytest.raises(FetchError, match=f"^EMD-3488: .*{complaint}"):
            fetch(name)
    assert "emd_3488.map.gz" not in entry.paths()


def test_a_header_of_another_entry_is_none(entry, fetch):
    entry.files[HEADER] = header_xml("EMD-1234")
    with pytest.raises(FetchError, match=r"no such header .* not the header of EMD-3488"):
        fetch()


def test_a_model_of_another_entry_is_none(entry, fetch):
    entry.files[entry.find("5ni1.cif.gz")] = gzip.compress(
        model_text().replace("5NI1", "6ABC").encode()
    )
    with pytest.raises(FetchError, match=r"5NI1: .* this is not the model 5NI1"):
        fetch()


def test_a_packed_model_that_unpacks_to_too_much(entry, fetch):
    endless = gzip.compress(model_text().encode() + b" " * (80 << 20))
    entry.files[entry.find("5ni1.cif.gz")] = endless
    with pytest.raises(FetchError, match=r"5NI1: .* expands to more than 64 MiB, which no model"):
        fetch()


def test_a_header_that_is_too_long(entry, fetch):
    entry.files[HEADER] = header_xml() + b" " * (8 << 20)
    with pytest.raises(FetchError, match=r"EMD-3488: .* bytes, more than the 8388608 that"):
        fetch()


def test_a_map_that_is_much_longer_than_the_header_says(entry, fetch, monkeypatch):
    monkeypatch.setattr(entry_files, "_MAP_FLOOR", 1000)
    assert fetch(maps=True).map is not None
    entry.files[HEADER] = header_xml(kilobytes=10)
    with pytest.raises(FetchError, match=r"more than the 40960 that such a file may have"):
        fetch(refresh=True)


def test_an_entry_without_a_model(entry, fetch):
    entry.files[HEADER] = header_xml(models={})
    found = fetch()
    assert found.model is None
    assert found.notes == ("EMD-3488 names no model fitted into its map",)
    assert fetch(model=False).notes == ()


def test_one_of_several_models(entry, fetch):
    entry.files[HEADER] = header_xml(models={"5ni1": "", "6abc": "", "7def": ""})
    entry.add_pdb("6abc", model_text().replace("5NI1", "6ABC"))
    found = fetch()
    assert (found.pdb_id, found.pdb_ids) == ("5NI1", ("5NI1", "6ABC", "7DEF"))
    assert found.notes == ("EMD-3488 names 3 models: 5NI1 is taken, not 6ABC, 7DEF",)
    chosen = fetch(pdb="6abc")
    assert (chosen.pdb_id, chosen.notes) == ("6ABC", ())


def test_a_model_that_the_header_does_not_name(entry, fetch):
    entry.add_pdb("6abc", model_text().replace("5NI1", "6ABC"))
    found = fetch(pdb="6ABC")
    assert found.pdb_id == "6ABC"
    assert found.notes == ("EMD-3488 does not name 6ABC as a model fitted into its map",)


def test_models_that_cannot_be_meant(entry, fetch):
    with pytest.raises(FetchError, match="a model is an entry of the PDB"):
        fetch(pdb="EMD-1234")
    with pytest.raises(FetchError, match="5NI1 and 6ABC are two models"):
        fetch("5NI1", pdb="6ABC")
    assert entry.asked == []


@pytest.mark.parametrize(
    ("halves", "count"), [((), "no"), (("emd_{}_half_map_1.map.gz",), 1), (("emd_{}.map",) * 3, 3)]
)
def test_without_two_half_maps_there_are_none(entry, fetch, halves, count):
    entry.files[HEADER] = header_xml(halves=halves)
    found = fetch()
    assert found.half_maps is None
    assert found.notes == (f"EMD-3488 has {count} half maps",)


def test_of_several_masks_none_is_taken(entry, fetch):
    entry.files[HEADER] = header_xml(masks=("emd_{}_msk_1.map", "emd_{}_msk_2.map"))
    found = fetch()
    assert found.mask is None
    names = "emd_3488_msk_1.map, emd_3488_msk_2.map"
    assert found.notes == (f"EMD-3488 has 2 masks, none of which is taken: {names}",)


def test_a_file_may_be_packed_where_the_header_says_it_is_not(entry, fetch):
    entry.files[HEADER] = header_xml(halves=("emd_{}_half_map_1.map", "emd_{}_half_map_2.map"))
    found = fetch()
    assert [path.name for path in found.half_maps] == [f"emd_3488_half_map_{i}.map" for i in (1, 2)]
    assert read_map(found.half_maps[0]).values.size > 1


def test_a_file_that_the_header_promises_and_the_server_lacks(entry, fetch):
    del entry.files[entry.find("emd_3488_half_map_2.map.gz")]
    with pytest.raises(FetchError, match=r"^EMD-3488: cannot fetch the half map: .*HTTP 404"):
        fetch()


@pytest.mark.parametrize("method", ["X-RAY DIFFRACTION", ""])
def test_a_model_that_names_no_map(entry, fetch, method):
    text = cif_text(small_model(), f"_entry.id 5NI1\n_exptl.method '{method}'\n", name="5NI1")
    entry.add_pdb("5ni1", text)
    with pytest.raises(FetchError, match=f"names no map in EMDB .{method or 'method unknown'}"):
        fetch("5NI1")


def test_a_model_of_several_maps(entry, fetch):
    entry.add_pdb("5ni1", model_text().replace("'other EM", "'associated EM"))
    entry.files[HEADER.replace("3488", "1111")] = header_xml("EMD-1111", halves=(), masks=())
    entry.files["/pub/emdb/structures/EMD-1111/map/emd_1111.map.gz"] = entry.files[
        entry.find("emd_3488.map.gz")
    ]
    found = fetch("5NI1")
    assert (found.emdb_id, found.pdb_id) == ("EMD-1111", "5NI1")
    assert found.notes[0] == "5NI1 names 2 maps: EMD-1111 is taken, not EMD-3488"


def test_the_map_may_stand_among_the_codes_alone(entry, fetch):
    codes = "_entry.id 5NI1\nloop_\n_database_2.database_id\n_database_2.database_code\n"
    rows = "PDB 5NI1\nEMDB EMD-3488\n"
    entry.add_pdb("5ni1", cif_text(small_model(), codes + rows, name="5NI1"))
    assert fetch("5NI1").emdb_id == "EMD-3488"


def test_an_obsolete_model(entry, fetch):
    row = (
        "loop_\n_pdbx_database_PDB_obs_spr.id\n_pdbx_database_PDB_obs_spr.pdb_id\n"
        "_pdbx_database_PDB_obs_spr.replace_pdb_id\n{} {} {}\n"
    )
    before = RELATED.format(resolution=3.2)
    gone = cif_text(small_model(), before + row.format("OBSLTE", "6abc", "5ni1"), name="5NI1")
    entry.add_pdb("5ni1", gone)
    with pytest.raises(FetchError, match=r"5NI1 is obsolete; it is superseded by 6ABC"):
        fetch("5NI1")
    rows = row.format("SPRSDE", "5ni1", "1xyz") + "OBSLTE 6abc 2xyz\n"
    heir = cif_text(small_model(), before + rows, name="5NI1")
    entry.add_pdb("5ni1", heir)
    assert fetch("5NI1").pdb_id == "5NI1"
    code = "_pdbx_database_status.status_code OBS\n"
    entry.add_pdb("5ni1", cif_text(small_model(), before + code, name="5NI1"))
    with pytest.raises(FetchError, match=r"5NI1 is obsolete$"):
        fetch("5NI1", refresh=True)


def test_mirrors_and_environment(entry, fetch, monkeypatch, tmp_path):
    dead = "http://127.0.0.1:1/pub/"
    monkeypatch.setenv("ATOMSIGHT_EMDB_BASE", f"{dead}, {entry.emdb}/")
    monkeypatch.setenv("ATOMSIGHT_PDB_BASE", f"{entry.url}/flat/{{id}}.cif")
    monkeypatch.setenv("ATOMSIGHT_CACHE", str(tmp_path / "elsewhere"))
    entry.files["/flat/5ni1.cif"] = model_text().encode()
    found = fetch(emdb_base=None, pdb_base=None, cache=None)
    assert found.files[1].url == f"{entry.url}/flat/5ni1.cif"
    assert found.map == tmp_path / "elsewhere" / "emdb" / "EMD-3488" / "emd_3488.map.gz"
    assert len(read_model(found.model)) == len(small_model())


@pytest.mark.parametrize(
    "base", ["http://example.org/emdb", "ftp://x.org", "example.org", ",", " "]
)
def test_bases_that_may_not_be_asked(fetch, base):
    for option in ("emdb_base", "pdb_base"):
        with pytest.raises(ParameterError):
            fetch(**{option: base})


def test_where_things_lie_by_default(monkeypatch):
    for name in ("ATOMSIGHT_EMDB_BASE", "ATOMSIGHT_PDB_BASE", "ATOMSIGHT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    sites = find_sites()
    assert (sites.emdb, sites.pdb) == (EMDB_BASES, PDB_BASES)
    assert all(base.startswith("https://") for base in (*EMDB_BASES, *PDB_BASES))
    assert cache_folder() == Path.home() / ".cache" / "atomsight"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == Path.home() / ".cache" / "atomsight"
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert cache_folder() == Path("/var/cache/atomsight")
    assert pdb_urls(sites, accession("7DY0")) == [
        "https://files.wwpdb.org/pub/pdb/data/structures/divided/mmCIF/dy/7dy0.cif.gz",
        "https://ftp.ebi.ac.uk/pub/databases/pdb/data/structures/divided/mmCIF/dy/7dy0.cif.gz",
        "https://files.rcsb.org/download/7dy0.cif.gz",
    ]
    long = pdb_urls(replace(sites, pdb=PDB_BASES[:1]), accession("pdb_10007dy0"))
    assert long[0].endswith("/divided/mmCIF/dy/pdb_10007dy0.cif.gz")


def test_workers_of_a_batch_may_share_a_cache(entry, fetch):
    found = []
    workers = [
        threading.Thread(target=lambda n=name: found.append(fetch(n)))
        for name in ("EMD-3488", "5NI1") * 2
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {one.map for one in found} == {fetch().map}
    assert len(found) == 4
    assert sorted(entry.paths()) == sorted(ALL)


def test_a_server_that_is_down(entry, fetch):
    entry.faults[HEADER] = status(403)
    with pytest.raises(FetchError, match=r"^EMD-3488: cannot fetch the header: http.*HTTP 403\)"):
        fetch()
