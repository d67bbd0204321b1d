import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import gemmi
import numpy as np
import polars as pl
import pytest

import atomsight.output
from atomsight.errors import OutputError
from atomsight.export.names import stem
from atomsight.outcome import Options
from atomsight.output import write_results
from atomsight.validation import validate
from tests.support.cases import files_below, small_model, write_case

RESOLUTION = "_em_3d_reconstruction.resolution 3.2\n"
FEW = ["atoms.csv", "model__Q__map.cif", "model__Q__map.pdb", "residues.csv", "summary.json"]
ALL = [
    "model__B_from_Q__map.cif",
    "archive",
    "archive/emdb_va.json",
    "archive/wwpdb_validation.cif",
    "atoms.csv",
    "atoms.parquet",
    "chimerax",
    "chimerax/qscore.cxc",
    "chimerax/qscore.defattr",
    "chimerax/residues_chimerax.csv",
    "curves",
    "curves/atom_inclusion.csv",
    "curves/b_factor_fit.csv",
    "curves/b_factor_relations.csv",
    "curves/solvent_distances.csv",
    *FEW[1:4],
    "report.html",
    "residues.parquet",
    "summary.json",
]
ALL.sort()
FOLDERS = ("archive", "chimerax", "curves")
FILES = [name for name in ALL if name not in FOLDERS]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    return validate(*write_case(folder, before=RESOLUTION))


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    folder = tmp_path_factory.mktemp("short")
    return validate(*write_case(folder, before=RESOLUTION), Options(everything=False))


def names(paths, folder):
    return [str(path.relative_to(folder)) for path in paths]


def load(folder):
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def test_every_promised_file_is_there_and_named_in_the_answer(result, tmp_path):
    written = write_results(result, tmp_path)
    assert files_below(tmp_path) == ALL
    assert sorted(names(written, tmp_path)) == FILES


def test_the_short_answer_has_tables_models_and_summary(short, tmp_path):
    written = write_results(short, tmp_path, everything=False)
    assert files_below(tmp_path) == FEW
    assert sorted(names(written, tmp_path)) == FEW


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_is_made_with_its_parents(short, tmp_path, kind):
    write_results(short, kind(tmp_path / "new" / "deep"), everything=False)
    assert files_below(tmp_path / "new" / "deep") == FEW


def test_every_file_opens(result, tmp_path):
    write_results(result, tmp_path)
    for name in ("atoms", "residues"):
        assert len(pl.read_csv(tmp_path / f"{name}.csv")) == len(
            pl.read_parquet(tmp_path / f"{name}.parquet")
        )
    for ending in ("cif", "pdb"):
        structure = gemmi.read_structure(str(tmp_path / f"model__Q__map.{ending}"))
        assert structure[0].count_atom_sites() == 20
    script = (tmp_path / "chimerax" / "qscore.cxc").read_text()
    assert 'open "../model__Q__map.cif" id 1' in script
    assert 'open "qscore.defattr" models #1' in script
    assert f'open "{result.map.path.resolve()}" id 2' in script


def test_all_files_show_the_same_scores(result, tmp_path):
    write_results(result, tmp_path)
    q = result.scores.q
    np.testing.assert_array_equal(pl.read_parquet(tmp_path / "atoms.parquet")["q"], q)
    np.testing.assert_allclose(pl.read_csv(tmp_path / "atoms.csv")["q"], q, atol=5e-7)
    block = gemmi.cif.read(str(tmp_path / "model__Q__map.cif")).sole_block()
    np.testing.assert_allclose(
        [float(v) for v in block.find_values("_atom_site.Q-score")], q, atol=5e-5
    )
    structure = gemmi.read_structure(str(tmp_path / "model__Q__map.pdb"))
    np.testing.assert_allclose([s.atom.b_iso for s in structure[0].all()], q, atol=5.1e-3)
    attribute = (tmp_path / "chimerax" / "qscore.defattr").read_text().splitlines()[3:]
    np.testing.assert_allclose([float(line.split("\t")[2]) for line in attribute], q, atol=5e-5)


def test_remarks_name_program_version_method_and_map(result, tmp_path):
    write_results(result, tmp_path)
    lines = (tmp_path / "model__Q__map.pdb").read_text().splitlines()
    text = " ".join(line[11:].strip() for line in lines if line.startswith("REMARK   0"))
    assert f"ATOMSIGHT {version('atomsight')}" in text
    assert "SIGMA 0.4 A" in text
    assert "-9.99 MARKS ATOMS WITHOUT ONE" in text
    assert "MAP: map" in text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("5ni1.cif", "5ni1"),
        ("5ni1.cif.gz", "5ni1"),
        ("5NI1.CIF.GZ", "5NI1"),
        ("pdb5me2.ent", "pdb5me2"),
        ("a.mmcif", "a"),
        ("emd_3488.map.gz", "emd_3488"),
        ("emd_3488.mrc", "emd_3488"),
        ("x.ccp4", "x"),
        ("half 1.5A.mrc", "half 1.5A"),
        ("v1.2.pdb", "v1.2"),
        ("no_ending", "no_ending"),
        (".cif", ".cif"),
        ("Å β.cif", "Å β"),
        ("a\nb\x1b[31m.cif", "a_b_[31m"),
        ("caf\udce9.mrc", "caf_"),
    ],
)
def test_the_stem_of_a_file_name(name, expected):
    assert stem(Path("/some/where") / name) == expected


@pytest.mark.parametrize(
    ("model", "map_", "expected"),
    [
        ("5xyz.cif.gz", "emd_1.map.gz", "5xyz__Q__emd_1"),
        ("5xyz.pdb", "my map.mrc", "5xyz__Q__my map"),
        ("5xyz.ent.pdb.gz", "m.ccp4", "5xyz__Q__m"),
    ],
)
def test_annotated_models_are_named_after_model_and_map(tmp_path, model, map_, expected):
    result = validate(*write_case(tmp_path, model=model, map_=map_))
    write_results(result, tmp_path / "out", everything=False)
    assert {f"{expected}.cif", f"{expected}.pdb"} <= set(files_below(tmp_path / "out"))


def test_a_map_without_a_file_gets_no_script(result, tmp_path):
    bare = replace(result, map=replace(result.map, path=None))
    write_results(bare, tmp_path)
    assert "chimerax/qscore.cxc" not in files_below(tmp_path)
    assert "model__Q__map.cif" in files_below(tmp_path)
    assert load(tmp_path)["inputs"]["map"]["path"] is None


def test_a_model_that_does_not_fit_gets_no_pdb_file_and_the_summary_says_why(tmp_path):
    atoms = [replace(atom, chain="AA") for atom in small_model()]
    result = validate(*write_case(tmp_path, atoms))
    write_results(result, tmp_path / "out")
    assert "model__Q__map.pdb" not in files_below(tmp_path / "out")
    assert load(tmp_path / "out")["no_pdb_because"] == ("chain name AA is longer than 1 characters")


WRITERS = [
    *("write_csv", "write_mmcif", "write_pdb", "write_summary", "write_parquet"),
    *("write_defattr", "write_residue_csv", "write_script", "write_emdb_json", "write_wwpdb"),
]
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def old(tmp_path):
    """A folder with files of an earlier run, and one that is not ours."""
    (tmp_path / "atoms.csv").write_text("earlier")
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "chimerax").mkdir()
    (tmp_path / "chimerax" / "qscore.cxc").write_text("earlier")
    (tmp_path / "residues.csv").symlink_to("nowhere")
    return tmp_path


OLD = ["atoms.csv", "chimerax", "chimerax/qscore.cxc", "mine.txt", "residues.csv"]


def check_as_before(folder):
    assert files_below(folder) == OLD
    assert (folder / "residues.csv").readlink() == Path("nowhere")
    assert (folder / "atoms.csv").read_text() == "earlier"
    assert (folder / "chimerax" / "qscore.cxc").read_text() == "earlier"
    assert (folder / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("error", [FULL, OutputError("x: cannot write this file (why)")])
@pytest.mark.parametrize("writer", WRITERS)
def test_if_one_file_cannot_be_written_none_is(result, old, monkeypatch, writer, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(atomsight.output, writer, fail)
    with pytest.raises(OutputError, match=r"No space left on device|why"):
        write_results(result, old)
    check_as_before(old)


def test_an_unexpected_error_leaves_nothing_behind_either(result, old, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(atomsight.output, "write_script", fail)
    with pytest.raises(ZeroDivisionError):
        write_results(result, old)
    check_as_before(old)


@pytest.mark.parametrize("error", [FULL, KeyboardInterrupt()])
@pytest.mark.parametrize("last", range(1, len(FILES) + 4))
def test_if_one_file_cannot_be_moved_everything_is_as_before(result, old, monkeypatch, last, error):
    """All new files are moved into place, and 3 earlier ones out of the way."""
    moved = []
    move = Path.replace

    def fail(path, target):
        staged = ".partial-" in str(path) and path.name in {Path(f).name for f in FILES}
        if staged and Path(target).parent in (old, *(old / name for name in FOLDERS)):
            moved.append(target)
            if len(moved) == last:
                raise error
        return move(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    if last > len(FILES):
        write_results(result, old)
        assert sorted([*ALL, "mine.txt"]) == files_below(old)
        return
    with pytest.raises((OutputError, KeyboardInterrupt)):
        write_results(result, old)
    check_as_before(old)


@pytest.mark.parametrize("name", ["summary.json", "atoms.csv", "chimerax/qscore.cxc"])
def test_a_folder_in_the_way_is_left_alone(result, tmp_path, name):
    (tmp_path / name / "inside").mkdir(parents=True)
    before = files_below(tmp_path)
    with pytest.raises(
        OutputError, match=r"cannot write this file \(there is such a folder\)"
    ) as e:
        write_results(result, tmp_path)
    assert str(e.value).startswith(f"{tmp_path / name}: ")
    assert files_below(tmp_path) == before


def test_a_file_where_a_folder_should_be_is_left_alone(result, tmp_path):
    (tmp_path / "chimerax").write_text("mine")
    with pytest.raises(OutputError, match="cannot write results here"):
        write_results(result, tmp_path)
    assert files_below(tmp_path) == ["chimerax"]
    assert (tmp_path / "chimerax").read_text() == "mine"


def test_a_link_that_leads_nowhere_is_replaced(short, tmp_path):
    (tmp_path / "atoms.csv").symlink_to(tmp_path / "nowhere")
    write_results(short, tmp_path, everything=False)
    assert files_below(tmp_path) == FEW
    assert not (tmp_path / "atoms.csv").is_symlink()


def test_files_of_an_earlier_run_are_replaced_and_others_stay(result, old):
    write_results(result, old)
    assert files_below(old) == sorted([*ALL, "mine.txt"])
    assert (old / "atoms.csv").read_text().startswith("model,chain,")
    assert (old / "chimerax" / "qscore.cxc").read_text().startswith("open ")


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("file/below", r"cannot write to this output folder \(.+\)"),
        ("file", "this is a file, not a folder"),
        ("/proc/atomsight", r"cannot write to this output folder \(.+\)"),
    ],
)
def test_a_folder_that_cannot_be_written_is_an_output_error(result, tmp_path, place, why):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(OutputError, match=f"{why}; choose"):
        write_results(result, tmp_path / place)
    assert files_below(tmp_path) == ["file"]


LIMITED = """
import resource, sys
from pathlib import Path
import atomsight.output as output
from atomsight import OutputError, validate, write_results

model, map_, folder = map(Path, sys.argv[1:])
result = validate(model, map_)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

def limited(write):
    def run(*arguments, **named):
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
        try:
            return write(*arguments, **named)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    return run

for name in sys.stdin.read().split():
    write = getattr(output, name)
    setattr(output, name, limited(write))
    try:
        write_results(result, folder)
    except OutputError as exc:
        print(exc)
    else:
        raise SystemExit(f"{name} did not notice")
    assert not list(folder.iterdir()), list(folder.iterdir())
    setattr(output, name, write)
"""


def test_each_writer_notices_when_the_system_takes_no_more(tmp_path):
    """Each in turn may write 64 bytes only, as on a full disk."""
    arguments = [*write_case(tmp_path), tmp_path / "out"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *map(str, arguments)],
        check=False, capture_output=True, text=True, timeout=60, input=" ".join(WRITERS),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{tmp_path / 'out' / name}: cannot write this file (File too large)"
        for name in (
            *("atoms.csv", "model__Q__map.cif", "model__Q__map.pdb", "summary.json"),
            *("atoms.parquet", "chimerax/qscore.defattr"),
            *("chimerax/residues_chimerax.csv", "chimerax/qscore.cxc"),
            *("archive/emdb_va.json", "archive/wwpdb_validation.cif"),
        )
    ]
