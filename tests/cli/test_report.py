"""`atomsight report`: the page of a run, made anew from its folder."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from tests.cli.test_app import can_run
from tests.support.cases import files_below, moved, small_model, write_case, write_map_of
from tests.support.pages import assert_same, data_of

RESOLUTION = "_em_3d_reconstruction.resolution 3.2\n"


@pytest.fixture
def case(tmp_path):
    return write_case(tmp_path, before=RESOLUTION)


@pytest.fixture
def folder(atomsight, case, tmp_path):
    assert atomsight("validate", *case, "-o", tmp_path / "out").code == 0
    return tmp_path / "out"


def page_of(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


def snapshot(folder):
    return {
        name: (folder / name).read_bytes()
        for name in files_below(folder)
        if (folder / name).is_file()
    }


def test_the_demo_from_the_shell(shell, demo_data, tmp_path):
    out = tmp_path / "out"
    run = shell("q", demo_data / "5ni1.cif", demo_data / "emd_3488.mrc", "-o", out)
    assert run.code == 0
    assert not (out / "report.html").exists()
    done = shell("report", out)
    assert (done.code, done.err) == (0, "")
    assert done.out.split() == [f"{out}:", "report.html"]
    html = page_of(out)
    assert '<h1 id="heading">5NI1 in EMD-3488</h1>' in html
    assert len(data_of(html)["residues"]["label"]) == 602


def test_the_page_is_that_of_the_run(atomsight, folder):
    first = data_of(page_of(folder))
    (folder / "report.html").unlink()
    others = snapshot(folder)
    done = atomsight("report", folder)
    assert (done.code, done.err) == (0, "")
    assert_same(first, data_of(page_of(folder)), places=1.01e-3)
    del (now := snapshot(folder))["report.html"]
    assert now == others


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_figures_are_written_beside_it(atomsight, folder, kind):
    done = atomsight("report", folder, "--figures", kind)
    assert (done.code, done.err) == (0, "")
    made = sorted(path.name for path in (folder / "figures").iterdir())
    assert made
    assert all(name.endswith(f".{kind}") for name in made)
    said = " ".join(done.out.split())
    assert said == f"{folder}: {', '.join(f'figures/{name}' for name in made)}, report.html"
    keys = {one["key"] for one in data_of(page_of(folder))["figures"]}
    assert {Path(name).stem for name in made} == keys


def test_a_map_that_was_moved_can_be_given(atomsight, folder, case, tmp_path):
    elsewhere = tmp_path / "elsewhere.mrc"
    shutil.move(case[1], elsewhere)
    assert atomsight("report", folder).code == 0
    assert "No surface: the map is no longer at map.mrc: give it with --map." in page_of(folder)
    assert atomsight("report", folder, "--map", elsewhere).code == 0
    assert "No surface" not in page_of(folder)


def test_relative_paths_hold_where_the_run_was_made(atomsight, tmp_path, monkeypatch):
    write_case(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert atomsight("validate", "model.cif", "map.mrc", "-o", "out").code == 0
    assert atomsight("report", "out").code == 0
    assert "No surface" not in page_of(tmp_path / "out")
    monkeypatch.chdir(tmp_path / "out")
    assert atomsight("report", ".").code == 0
    assert "No surface: the map is no longer at map.mrc" in page_of(tmp_path / "out")


def refusal(atomsight, folder, *options):
    """The one line of a run that has to fail and to change nothing."""
    before = snapshot(folder) if folder.is_dir() else None
    message = atomsight("report", folder, *options).error
    assert (snapshot(folder) if folder.is_dir() else None) == before
    assert not [name for name in files_below(folder) if "partial" in name]
    return message


def test_a_folder_without_results(atomsight, tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert refusal(atomsight, folder) == (
            f"{folder}: holds no summary.json; give a folder that atomsight wrote results to"
        )


def test_the_folder_of_a_comparison(atomsight, case, tmp_path):
    atoms = moved(small_model(), (0.2, 0.0, 0.0))
    other, _ = write_case(tmp_path, atoms, model="other.cif", map_="other.mrc")
    done = atomsight("compare", case[1], case[0], other, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    message = refusal(atomsight, tmp_path / "out")
    assert message.endswith(
        "is no summary that validate, q or fsc-q of this version writes; run again"
    )


def test_a_map_that_is_another_one_or_none(atomsight, folder, tmp_path):
    other = write_map_of(tmp_path / "other.mrc", small_model(), width=0.9)
    assert "SHA-256" in refusal(atomsight, folder, "--map", other)
    assert "no such map file" in refusal(atomsight, folder, "--map", tmp_path / "x.mrc")


def test_tables_that_were_changed(atomsight, folder):
    path = folder / "atoms.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    assert "do not belong together" in refusal(atomsight, folder)
    path.write_text("".join(lines).replace(",20.0,", ",high,"))
    assert "holds text where numbers belong" in refusal(atomsight, folder)


@pytest.mark.parametrize("options", [(), ("--figures", "svg")])
def test_a_full_disk_leaves_everything_as_it_was(atomsight, folder, monkeypatch, options):
    def full(path, *_, **__):
        with path.open("wb") as handle:
            handle.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    message = refusal(atomsight, folder, *options)
    assert message == f"{folder}/report.html: cannot write this file (No space left on device)"


def test_figures_that_cannot_be_drawn_leave_the_page_as_it_was(atomsight, folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("atomsight.report.drawing.save", full)
    (folder / "report.html").write_text("old")
    message = refusal(atomsight, folder, "--figures", "svg")
    assert "No space left on device" in message
    assert not (folder / "figures").exists()


def test_a_folder_that_cannot_be_written(shell, folder):
    alone = ("unshare", "--mount", "sh", "-c")
    mount = f'mount --bind "{folder}" "{folder}" && mount -o remount,ro,bind "{folder}"'
    if os.geteuid() != 0 or not can_run(*alone, mount):
        pytest.skip("needs root and mount namespaces for a folder that cannot be written")
    before = snapshot(folder)
    done = shell("report", folder, before=(*alone, f'{mount} && "$0" "$@"'))
    assert done.error == f"{folder}: cannot write here (Read-only file system)"
    assert snapshot(folder) == before
