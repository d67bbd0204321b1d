"""Input at fault: exit code 2, one line that names the file, nothing written."""

import gzip
import struct

import numpy as np
import polars as pl
import pytest

from tests.support.cases import files_below, moved, small_model, write_case
from tests.support.maps import ccp4_bytes, ramp, write_ccp4
from tests.support.models import Atom, cif_text, pdb_text, peptide, residue, write_model

VOLUME = ramp((8, 8, 8))
MIB = 2**20


@pytest.fixture
def case(tmp_path):
    return write_case(tmp_path)


def refusal(atomsight, folder, model, map_, *options):
    """The message of a run that has to fail and to leave its folder empty."""
    done = atomsight("validate", model, map_, "-o", folder / "out", *options)
    message = done.error
    assert "\x1b" not in done.err
    assert files_below(folder / "out") == []
    return message


def truncated(data, count):
    return data[:-count]


def with_word(number, value):
    return ccp4_bytes(VOLUME, words={number: value})


def packed(data):
    return gzip.compress(data, 1)


MAPS = {
    "nothing in it": (b"", "this map file is empty"),
    "a few bytes": (b"MAP ", "only 4 bytes"),
    "only a header": (ccp4_bytes(VOLUME)[:1024], "truncated, or its header is wrong"),
    "truncated": (truncated(ccp4_bytes(VOLUME), 4), "truncated, or its header is wrong"),
    "garbage": (np.random.default_rng(0).bytes(5000), "not a CCP4/MRC map"),
    "zeros": (bytes(5000), "not a CCP4/MRC map"),
    "a text": (b"data_x\n" * 500, "not a CCP4/MRC map"),
    "another magic word": (ccp4_bytes(VOLUME).replace(b"MAP ", b"MOP "), "not a CCP4/MRC map"),
    "complex values": (with_word(4, 4), "map mode 4 is not readable"),
    "an unknown mode": (with_word(4, 77), "map mode 77 is not readable"),
    "a header that promises too much": (with_word(3, 1_000_000), "truncated, or its header"),
    "a header that promises absurdly much": (with_word(1, 2**31 - 1), "impossible size"),
    "a negative size": (with_word(2, -8), "impossible size"),
    "an extended header beyond the end": (with_word(24, 2**31 - 1), "truncated, or its header"),
    "a negative extended header": (with_word(24, -1024), "negative size of the extended header"),
    "one axis twice": (with_word(17, 2), "is not an arrangement of 1, 2, 3"),
    "zero voxel size": (with_word(11, 0.0), "zero or negative voxel size"),
    "negative voxel size": (with_word(12, -8.0), "zero or negative voxel size"),
    "a voxel size that is no number": (with_word(13, float("nan")), "not numbers"),
    "no intervals": (with_word(8, 0), "zero or negative voxel size"),
    "flat cell angles": (with_word(14, 0.0), "impossible cell angles"),
    "an origin that is no number": (
        ccp4_bytes(VOLUME, words={50: float("nan"), 5: 0}),
        "does not lie in",
    ),
    "gzip that breaks off": (truncated(packed(ccp4_bytes(VOLUME)), 20), "breaks off or is damaged"),
    "gzip with a wrong checksum": (
        packed(ccp4_bytes(VOLUME))[:-8] + b"12345678",
        "breaks off or is damaged",
    ),
    "gzip's magic alone": (b"\x1f\x8b", "breaks off or is damaged"),
    "gzip of nothing": (packed(b""), "only 0 bytes"),
    "gzip of a truncated map": (packed(truncated(ccp4_bytes(VOLUME), 400)), "truncated"),
    "gzip that promises more than gzip can hold": (
        packed(with_word(3, 1_000_000)),
        "truncated, or its header is wrong",
    ),
    "constant": (ccp4_bytes(np.full((24, 24, 24), 1.0)), "the map has no contrast"),
    "all zero": (ccp4_bytes(np.zeros((24, 24, 24))), "the map has no contrast"),
    "nothing but NaN": (ccp4_bytes(np.full((24, 24, 24), np.nan)), "does not lie in"),
    "nothing but infinity": (ccp4_bytes(np.full((24, 24, 24), np.inf)), "does not lie in"),
    "far from the model": (ccp4_bytes(VOLUME, origin=(500.0, 0.0, 0.0)), "none of its atoms is"),
}


@pytest.mark.parametrize(("content", "complaint"), MAPS.values(), ids=MAPS)
def test_maps_that_cannot_be_used(atomsight, case, tmp_path, content, complaint):
    model, map_ = case
    map_.write_bytes(content)
    message = refusal(atomsight, tmp_path, model, map_)
    assert complaint in message
    assert str(map_) in message


def text_of(atoms, **changes):
    text = cif_text(atoms)
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


MODELS = {
    "nothing in it": (b"", "this model file is empty"),
    "blank lines": (b"\n \n\n", "holds no atoms"),
    "garbage": (bytes(range(1, 256)) * 20, "holds no atoms"),
    "NUL bytes": (b"ATOM\0" * 100, "not a text file"),
    "a map": (ccp4_bytes(VOLUME), "not a text file"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0" * 10, "not a text file"),
    "mmCIF without atoms": (b"data_x\n_cell.length_a 10\n", "holds no atoms"),
    "an empty block": (b"data_x\n", "holds no atoms"),
    "mmCIF that breaks off in a row": (
        cif_text(peptide("ALA GLY"))[:-40].encode(),
        "cannot be read as a model",
    ),
    "mmCIF that breaks off in a quoted text": (b"data_x\n_struct.title 'abc\n", "cannot be read"),
    "mmCIF without coordinates": (
        text_of(peptide("ALA"), Cartn_="Karton_").encode(),
        "has no column Cartn_x",
    ),
    "unknown coordinates only": (cif_text([Atom(xyz=None)]).encode(), "none of its atoms has"),
    "PDB without coordinates": (pdb_text([Atom(xyz=None)]).encode(), "none of its atoms has"),
    "PDB headers only": (b"HEADER    X\nREMARK   2\nEND\n", "holds no atoms"),
    "hydrogens only": (
        cif_text(residue("ALA", "HA HB", number=1, element="H")).encode(),
        "holds only hydrogens",
    ),
    "hydrogens only, as PDB": (
        pdb_text(residue("ALA", "HA HB", number=1, element="H")).encode(),
        "holds only hydrogens",
    ),
    "wholly outside": (
        cif_text(moved(small_model(), (500.0, 0.0, 0.0))).encode(),
        "none of its atoms is inside the map",
    ),
    "very far outside": (
        cif_text(moved(small_model(), (1e9, 0.0, 0.0))).encode(),
        "none of its atoms is inside the map",
    ),
    "gzip that breaks off": (packed(cif_text(small_model()).encode())[:-30], "breaks off or is"),
    "gzip of nothing": (packed(b""), "holds no atoms"),
    "endless gzip": (packed(b" " * (80 * MIB)), "which no model file of this size does"),
}


@pytest.mark.parametrize(("content", "complaint"), MODELS.values(), ids=MODELS)
def test_models_that_cannot_be_used(atomsight, case, tmp_path, content, complaint):
    model, map_ = case
    write_model(model, content)
    message = refusal(atomsight, tmp_path, model, map_)
    assert complaint in message
    assert str(model) in message


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        ("none", "no such {} file"),
        ("none/below", "no such {} file"),
        ("", "this is a folder, not a {} file"),
        ("model.cif/below", "cannot open this {} file"),
        ("x" * 300, "cannot open this {} file"),
    ],
)
@pytest.mark.parametrize("what", ["model", "map"])
def test_files_that_cannot_be_opened(atomsight, case, tmp_path, what, place, complaint):
    path = tmp_path / place
    model, map_ = (path, case[1]) if what == "model" else (case[0], path)
    message = refusal(atomsight, tmp_path, model, map_)
    assert message.startswith(f"{path}: ")
    assert complaint.format(what) in message


@pytest.mark.parametrize("name", ["model.pdb", "model.ent.gz", "model"])
def test_the_ending_of_a_file_name_promises_nothing(atomsight, case, tmp_path, name):
    model = write_model(tmp_path / name, MODELS["hydrogens only"][0])
    assert "holds only hydrogens" in refusal(atomsight, tmp_path, model, case[1])


def test_model_and_map_the_wrong_way_round(atomsight, case, tmp_path):
    model, map_ = case
    assert str(map_) in refusal(atomsight, tmp_path, map_, model)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--resolution", "0"), "resolution must be a positive number of Å, not 0.0"),
        (("--resolution", "-3"), "resolution must be a positive number of Å, not -3.0"),
        (("--resolution", "nan"), "resolution must be a positive number of Å, not nan"),
        (("--resolution", "inf"), "resolution must be a positive number of Å, not inf"),
        (("--sigma", "0"), "sigma must be a positive number of Å, not 0.0"),
        (("--sigma", "-0.4"), "sigma must be a positive number of Å, not -0.4"),
        (("--sigma", "nan"), "sigma must be a positive number of Å, not nan"),
        (("--points", "0"), "points must be between 2 and 10000, not 0"),
        (("--points", "-8"), "points must be between 2 and 10000, not -8"),
        (("--radius", "0"), "radius must be a positive number of Å, not 0.0"),
        (("--step", "0"), "step must be a positive number of Å, not 0.0"),
        (("--step", "5"), "radius 2.0 Å and step 5.0 Å do not give"),
        (("--select", "//Z"), "selection '//Z' names no atom of"),
        (("--select", "(("), "selection '((' cannot be understood"),
        (("--model", "2"), "has no MODEL 2; it has 1"),
        (("--model", "-1"), "has no MODEL -1; it has 1"),
        (("--orientations", "1"), "orientations must be 0 or at least 2, not 1"),
        (("--threads", "0"), "threads must be at least 1, not 0"),
        (("--neighbours", "assembly"), "describes no assembly"),
        (("--neighbours", "crystal"), "describes no crystal"),
    ],
)
def test_options_that_mean_nothing(atomsight, case, tmp_path, options, complaint):
    assert complaint in refusal(atomsight, tmp_path, *case, *options)


@pytest.mark.parametrize("place", ["model.cif", "model.cif/out", "/proc/atomsight", "/dev/null"])
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_read(
    atomsight, case, tmp_path, place
):
    before = files_below(tmp_path)
    done = atomsight("validate", tmp_path / "none.cif", case[1], "-o", tmp_path / place)
    why = "this is a file, not a folder" if place == "model.cif" else "cannot write to this output"
    assert done.error.startswith(f"{tmp_path / place}: {why}")
    assert done.error.endswith("; choose another with -o")
    assert files_below(tmp_path) == before


NAMES = [
    "a\nb",
    "a\r\nb",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "a\x9bb",
    "caf\udce9",
    "\u202ex",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", ["model", "map"])
def test_names_that_could_steer_a_terminal(atomsight, case, tmp_path, what, name):
    path = tmp_path / f"{name}.x"
    path.write_text("neither map nor model")
    model, map_ = (path, case[1]) if what == "model" else (case[0], path)
    message = refusal(atomsight, tmp_path, model, map_)
    assert message.isprintable()
    assert ascii(name)[1:-1] in message


@pytest.mark.parametrize("name", NAMES)
def test_such_names_are_shown_safely_when_all_is_well(atomsight, tmp_path, name):
    model, map_ = write_case(tmp_path, model=f"{name}.cif", map_=f"{name}.mrc")
    done = atomsight("validate", model, map_, "-o", tmp_path / name)
    assert (done.code, done.err) == (0, "")
    assert all(line.isprintable() for line in done.out.split("\n"))
    for written in files_below(tmp_path / name):
        assert written.isprintable()
    script = tmp_path / name / "chimerax" / "qscore.cxc"
    assert len(script.read_text(encoding="utf-8").split("\n")) == 10


def test_a_selection_is_shown_safely_too(atomsight, case, tmp_path):
    assert refusal(atomsight, tmp_path, *case, "--select", "\x1b[31m((\n").isprintable()


def test_a_map_with_some_nan_voxels_is_scored_and_that_is_said(atomsight, tmp_path):
    atoms = small_model()
    model, map_ = write_case(tmp_path, atoms)
    data = bytearray(map_.read_bytes())
    nx, ny = struct.unpack("<2i", data[:8])
    origin = struct.unpack("<3f", data[196:208])
    x, y, z = (round((atoms[0].xyz[a] - origin[a]) / 0.8) for a in range(3))
    offset = 1024 + 4 * ((z * ny + y) * nx + x)
    data[offset : offset + 8] = struct.pack("<2f", float("nan"), float("nan"))
    map_.write_bytes(data)
    done = atomsight("validate", model, map_, "-o", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    assert "note: the map holds 2 NaN or Inf voxels; atoms near them have no Q" in done.out
    atoms = pl.read_csv(tmp_path / "out" / "atoms.csv")
    for column, status in (("q", "q_status"), ("density", "density_status")):
        assert atoms[column][0] is None
        assert atoms[status][0] == "not_finite"
        assert (atoms[status] == "ok").sum() > 10


def test_a_model_partly_outside_is_scored_and_that_is_said(atomsight, case, tmp_path):
    model, map_ = case
    write_model(model, cif_text([*small_model(), Atom("CB", number=9, xyz=(200.0, 0.0, 0.0))]))
    done = atomsight("validate", model, map_, "-o", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    assert "note: 1 of 21 atoms: outside the map, without a Q" in done.out
    atoms = pl.read_csv(tmp_path / "out" / "atoms.csv")
    for column, status in (("q", "q_status"), ("density", "density_status")):
        assert atoms[column][-1] is None
        assert atoms[status][-1] == "outside"


def test_bytes_after_the_last_voxel_are_noted(atomsight, case, tmp_path):
    model, map_ = case
    map_.write_bytes(map_.read_bytes() + b"more")
    done = atomsight("validate", model, map_, "-o", tmp_path / "out")
    assert done.code == 0
    assert "note: there are bytes after the last voxel" in done.out


def test_gzip_that_never_ends_after_the_map_is_not_read_on(atomsight, case, tmp_path):
    model, map_ = case
    map_.write_bytes(gzip.compress(map_.read_bytes() + bytes(64 * MIB), 1))
    done = atomsight("validate", model, map_, "-o", tmp_path / "out")
    assert done.code == 0
    assert "note: there are bytes after the last voxel" in done.out


def test_files_of_an_earlier_run_survive_a_refusal(atomsight, case, tmp_path):
    model, map_ = case
    assert atomsight("validate", model, map_, "-o", tmp_path / "out").code == 0
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    write_ccp4(map_, np.zeros((8, 8, 8), dtype=np.float32))
    assert atomsight("validate", model, map_, "-o", tmp_path / "out").error
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("flaw", ["missing", "garbage"])
def test_the_same_from_the_shell(shell, case, tmp_path, flaw):
    model, map_ = case
    map_.unlink()
    if flaw == "garbage":
        map_.write_bytes(b"garbage" * 1000)
    done = shell("validate", model, map_, "-o", tmp_path / "out")
    assert done.error.startswith(f"{map_}: ")
    assert files_below(tmp_path / "out") == []
