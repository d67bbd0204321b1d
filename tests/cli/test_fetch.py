import json
import os

import pytest

from atomsight.cli import job
from tests.support.archive_server import Site, header_xml, serving, status
from tests.support.cases import files_below, small_model, write_map_of
from tests.support.demo_entry import add_demo_entry, model_text

HEADER = "/pub/emdb/structures/EMD-3488/header/emd-3488.xml"
BOX = ("--box", 8)


@pytest.fixture
def site(monkeypatch, tmp_path):
    with serving(Site()) as site:
        monkeypatch.setenv("ATOMSIGHT_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("ATOMSIGHT_EMDB_BASE", site.emdb)
        monkeypatch.setenv("ATOMSIGHT_PDB_BASE", site.pdb)
        monkeypatch.chdir(tmp_path)
        yield add_demo_entry(site, tmp_path)


def facts(folder):
    return json.loads((folder / "summary.json").read_text())


@pytest.mark.usefixtures("site")
def test_what_was_got_and_where_it_lies(atomsight, tmp_path):
    done = atomsight("fetch", "emd-3488")
    assert (done.code, done.err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in done.out.splitlines() if "half" not in line)
    assert lines["entry"].split() == ["EMD-3488,", "5NI1"]
    assert lines["title"].strip() == "4.2 kDa of <haemoglobin> & Å"
    assert lines["released"].strip() == "2017-01-11"
    assert lines["resolution"].strip() == "3.2 Å (FSC 0.143 CUT-OFF)"
    assert lines["contour"].strip() == "0.45 (AUTHOR)"
    text = "".join(done.out.split())
    for name in ("emdb/EMD-3488/emd_3488.map.gz", "pdb/5NI1/5ni1.cif.gz"):
        size = (tmp_path / "cache" / name).stat().st_size
        shown = f"{size}bytes" if size < 1000 else f"{size / 1000:.1f}kB"
        assert f"{tmp_path}/cache/{name}({shown})" in text


@pytest.mark.usefixtures("site")
def test_the_same_as_json(atomsight, tmp_path):
    done = atomsight("fetch", "5NI1", "-o", tmp_path / "here", "--no-half-maps", "--json")
    found = json.loads(done.out)
    assert (found["emdb_id"], found["half_maps"], found["contour"]) == ("EMD-3488", None, 0.45)
    assert found["model"] == str(tmp_path / "here" / "pdb" / "5NI1" / "5ni1.cif.gz")
    assert {len(file["sha256"]) for file in found["files"]} == {64}
    assert len(found["files"]) == 4


@pytest.mark.parametrize(
    ("option", "count"),
    [("--no-maps", 2), ("--no-model", 5), ("--no-mask", 5), ("--no-half-maps", 4), ("--verify", 6)],
)
def test_what_can_be_left_out(site, atomsight, option, count):
    assert atomsight("fetch", "EMD-3488", option).code == 0
    assert len(site.asked) == count


def test_an_entry_without_half_maps_says_so(site, atomsight):
    site.files[HEADER] = header_xml(halves=(), models={})
    done = atomsight("fetch", "EMD-3488")
    assert done.code == 0
    assert "note: EMD-3488 has no half maps\n" in done.out
    assert "note: EMD-3488 names no model fitted into its map\n" in done.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("EMD-9999",), "EMD-9999: no such entry in the EMDB, or not released yet"),
        (("3488",), "3488: this is not the name of an entry"),
        (("../EMD-3488",), "not the name of an entry"),
        (("EMD-3488", "--emdb-base", "http://example.org"), "http can be read and changed"),
        (("EMD-3488", "--emdb-base", "http://127.0.0.1:1/"), "cannot be reached"),
        (("EMD-3488", "--pdb", "6ABC"), "6ABC: no such entry in the PDB"),
        (("EMD-3488", "-o", "/dev/null"), "choose another with --cache or ATOMSIGHT_CACHE"),
    ],
)
@pytest.mark.usefixtures("site")
def test_refusals(atomsight, arguments, complaint):
    assert complaint in atomsight("fetch", *arguments).error


def test_a_mirror_of_ones_own(site, atomsight, monkeypatch, tmp_path):
    for name in ("ATOMSIGHT_EMDB_BASE", "ATOMSIGHT_PDB_BASE"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    bases = ("--emdb-base", f"http://127.0.0.1:1,{site.emdb}", "--pdb-base", site.pdb)
    assert atomsight("fetch", "EMD-3488", *bases, "--cache", tmp_path / "c").code == 0
    assert atomsight("fetch", "EMD-3488", "--cache", tmp_path / "c").code == 0


def test_names_that_steer_a_terminal_are_shown_safely(site, atomsight):
    site.files[HEADER] = header_xml().replace(b"4.2 kDa", "4.2\u202e\u009b[31m".encode())
    done = atomsight("fetch", "EMD-3488")
    assert "4.2\\u202e\\x9b[31m of" in done.out
    assert all(line.isprintable() for line in done.out.split("\n"))


def test_progress_is_shown_in_bytes(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with job.show_progress(in_bytes=True) as progress:
        progress("a.map", 5_000, 2_000_000)
        progress("a.map", 2_000_000, 2_000_000)
    assert "2.0/2.0 MB" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["EMD-3488", "5NI1"])
def test_validate_an_entry_by_name(site, atomsight, tmp_path, name):
    done = atomsight("validate", name, *BOX, "-o", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    found = facts(tmp_path / "out")
    emdb = tmp_path / "cache" / "emdb" / "EMD-3488"
    assert found["inputs"]["map"]["path"] == str(emdb / "emd_3488.map.gz")
    assert [file["path"] for file in found["inputs"]["half_maps"]] == [
        str(emdb / f"emd_3488_{name}")
        for name in ("half_map_1.map.gz", "half_map_2.map.gz", "msk_1.map")
    ]
    assert found["resolution"]["source"] == "the header of EMD-3488, FSC 0.143 CUT-OFF"
    assert found["parameters"]["contour"] == 0.45
    assert found["parameters"]["half_maps"]["box"] == 8
    source = found["parameters"]["source"]
    assert (source["emdb_id"], source["pdb_id"]) == ("EMD-3488", "5NI1")
    assert set(source["taken"]) == {"resolution", "contour", "half_maps", "mask"}
    assert source["files"]["emd_3488.map.gz"].startswith(site.url)
    assert found["fsc_q"]["n"] > 0
    assert "contour from the header of EMD-3488, AUTHOR" in found["notes"]
    assert (tmp_path / "out" / "5ni1__Q__emd_3488.cif").is_file()


def test_what_the_user_gives_comes_first(site, atomsight, tmp_path):
    options = ("--resolution", 4, "--contour", 0.2, "--mask-level", 0.3)
    assert atomsight("validate", "EMD-3488", *BOX, *options, "-o", tmp_path / "out").code == 0
    found = facts(tmp_path / "out")
    assert found["resolution"] == {"value": 4.0, "source": "given"}
    assert found["parameters"]["contour"] == 0.2
    assert found["parameters"]["half_maps"]["mask"] is None
    assert set(found["parameters"]["source"]["taken"]) == {"half_maps"}
    assert "emd_3488_msk_1.map" not in site.paths()


@pytest.mark.parametrize(
    ("options", "left_out"),
    [(("--no-mask", *BOX), {"mask"}), (("--no-half-maps",), {"mask", "half_maps"})],
)
def test_validate_without_half_maps_or_mask(site, atomsight, tmp_path, options, left_out):
    assert atomsight("validate", "EMD-3488", *options, "-o", tmp_path / "out").code == 0
    everything = {"resolution", "contour", "half_maps", "mask"}
    assert set(facts(tmp_path / "out")["parameters"]["source"]["taken"]) == everything - left_out
    assert "emd_3488_msk_1.map" not in site.paths()


@pytest.mark.usefixtures("site")
def test_a_model_file_in_an_entry(atomsight, tmp_path):
    (tmp_path / "mine.cif").write_text(model_text())
    for map_ in ("EMD-3488", "5NI1"):
        out = tmp_path / map_
        assert atomsight("validate", "mine.cif", map_, "--no-half-maps", "-o", out).code == 0
        assert facts(out)["inputs"]["model"]["path"] == "mine.cif"
        source = facts(out)["parameters"]["source"]
        assert (source["emdb_id"], source["pdb_id"]) == ("EMD-3488", None)


@pytest.mark.parametrize("model", ["5NI1", "EMD-3488"])
def test_the_model_of_an_entry_in_a_map_file(site, atomsight, tmp_path, model):
    """The header is that of another map: nothing of it is taken."""
    map_ = write_map_of(tmp_path / "mine.mrc", small_model())
    assert atomsight("validate", model, map_, "-o", tmp_path / "out").code == 0
    found = facts(tmp_path / "out")
    assert found["inputs"]["map"]["path"] == str(map_)
    assert found["resolution"]["source"] == "_em_3d_reconstruction.resolution of the model"
    assert found["parameters"]["contour"] is None
    source = found["parameters"]["source"]
    assert (source["emdb_id"], source["pdb_id"], source["taken"]) == (None, "5NI1", {})
    assert "emd_3488.map.gz" not in site.paths()


@pytest.mark.parametrize(("model", "map_"), [("6ABC", "EMD-3488"), ("6ABC", "5NI1")])
def test_a_model_and_a_map_by_name(site, atomsight, tmp_path, model, map_):
    site.add_pdb("6abc", model_text().replace("5NI1", "6ABC"))
    done = atomsight("q", model, map_, "-o", tmp_path / "out")
    assert done.code == 0
    source = facts(tmp_path / "out")["parameters"]["source"]
    assert (source["emdb_id"], source["pdb_id"]) == ("EMD-3488", "6ABC")
    assert (tmp_path / "out" / "6abc__Q__emd_3488.cif").is_file()


def test_a_file_of_that_name_comes_first(site, atomsight, tmp_path):
    (tmp_path / "5NI1").write_text(model_text())
    write_map_of(tmp_path / "EMD-3488", small_model())
    assert atomsight("q", "5NI1", "EMD-3488", "-o", "out").code == 0
    assert site.asked == []
    assert "5NI1: give a map too" in atomsight("q", "5NI1", "-o", "out").error


def test_q_needs_neither_half_maps_nor_mask(site, atomsight, tmp_path):
    assert atomsight("q", "EMD-3488", "-o", tmp_path / "out").code == 0
    assert sorted(site.paths()) == ["5ni1.cif.gz", "emd-3488.xml", "emd_3488.map.gz"]
    assert set(facts(tmp_path / "out")["parameters"]["source"]["taken"]) == {"resolution"}


def test_one_of_several_models(site, atomsight, tmp_path):
    site.files[HEADER] = header_xml(models={"5ni1": "", "6abc": ""})
    site.add_pdb("6abc", model_text().replace("5NI1", "6ABC"))
    done = atomsight("q", "EMD-3488", "-o", tmp_path / "one")
    assert "note: EMD-3488 names 2 models: 5NI1 is taken, not 6ABC" in done.out
    map_ = write_map_of(tmp_path / "mine.mrc", small_model())
    done = atomsight("q", "EMD-3488", map_, "-o", tmp_path / "three")
    assert "note: EMD-3488 names 2 models: 5NI1 is taken, not 6ABC" in done.out
    atomsight("q", "EMD-3488", "--pdb", "6ABC", "-o", tmp_path / "two")
    assert facts(tmp_path / "two")["parameters"]["source"]["pdb_id"] == "6ABC"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("mine.cif",), "mine.cif: give a map too; only the name of an entry"),
        (("mine.cif", "mine.mrc", "--pdb", "5NI1"), "--pdb: means nothing without the name"),
        (("mine.cif", "mine.mrc", "--no-mask"), "--no-mask: means nothing without the name"),
        (("mine.cif", "EMD-3488", "--pdb", "5NI1"), "--pdb: means nothing where MODEL and MAP"),
        (("EMD-9999",), "EMD-9999: no such entry in the EMDB"),
        (("EMD-3488", "--no-half-maps", *BOX), "--box: means nothing without --half-maps"),
        (("EMD-3488", "--sigma", "-1"), "sigma must be a positive number"),
        (("5NI1", "none.mrc"), "none.mrc: no such map file"),
        (("none.cif", "EMD-3488"), "none.cif: no such model file"),
    ],
)
@pytest.mark.usefixtures("site")
def test_validate_refuses(atomsight, tmp_path, arguments, complaint):
    assert complaint in atomsight("validate", *arguments, "-o", tmp_path / "out").error
    assert not (tmp_path / "out").exists()


def test_options_of_fsc_q_without_half_maps(site, atomsight):
    site.files[HEADER] = header_xml(halves=())
    error = atomsight("validate", "EMD-3488", *BOX).error
    assert "options of FSC-Q mean nothing without half maps (EMD-3488 has no half maps)" in error


def test_an_entry_without_a_model_needs_one(site, atomsight, tmp_path):
    """No map is fetched in vain."""
    site.files[HEADER] = header_xml(models={})
    error = atomsight("validate", "EMD-3488").error
    assert error.endswith("names no model fitted into its map; give a model beside it")
    assert site.paths() == ["emd-3488.xml"]
    assert atomsight("q", "EMD-3488", "--pdb", "5NI1", "-o", tmp_path / "out").code == 0


@pytest.mark.parametrize("names", [("none.cif", "EMD-3488"), ("5NI1", "none.mrc")])
def test_files_are_looked_for_before_anything_is_fetched(site, atomsight, names):
    assert "none." in atomsight("validate", *names).error
    assert site.asked == []


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_fetched(site, atomsight):
    assert "choose another with -o" in atomsight("validate", "EMD-3488", "-o", "/dev/null").error
    assert site.asked == []


def test_from_the_shell(site, shell, tmp_path):
    environment = dict(os.environ)
    done = shell("fetch", "EMD-3488", "--no-maps", env=environment)
    assert (done.code, done.err) == (0, "")
    site.files[HEADER] = b"<html>"
    done = shell("fetch", "EMD-3488", "--refresh", env=environment)
    assert "what it sends is no such header (begins with '<html>')" in done.error
    assert files_below(tmp_path / "cache" / "emdb" / "EMD-3488") == [
        *("emd-3488.xml", "emd-3488.xml.json")
    ]


def test_a_server_that_asks_for_too_much_patience(site, atomsight):
    site.faults[HEADER] = status(503, {"Retry-After": "3600"})
    assert "asks to come back in 3600 s" in atomsight("fetch", "EMD-3488").error
