"""``atomsight batch summary``: what it prints, writes and refuses."""

import json

import pytest

from tests.support.datasets import add_archive, add_entry, add_failure, add_residues, expected


@pytest.fixture
def ours(tmp_path):
    folder = tmp_path / "ours"
    add_archive(folder, 60)
    add_entry(folder, "low", q=-0.1, **expected(3.0))
    add_failure(folder, "broken", "read maps", "map.mrc: breaks off")
    add_failure(folder, "late", "timeout", "not done after 5 s (--timeout)")
    add_residues(folder, "low", [-0.2, 0.5], q_band=["below", ""])
    return folder


def test_it_prints_what_a_person_wants_to_know_first(atomsight, ours):
    done = atomsight("batch", "summary", ours)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[:3] == [
        "63 entries: 61 done, 2 failed",
        "failed at 'read maps': 1",
        "failed at 'timeout': 1",
    ]
    assert "Q below its expected band: 2" in lines
    assert (
        "residues: 2 with a Q; 0 worse than the map allows, 1 without a verdict and below the "
        "band of their entry"
    ) in " ".join(done.out.split())
    assert "archive: ours (2026-11-20, 61 entries, " in done.out
    files = " ".join(done.out.split("\n\n")[-1].split())
    assert files == (
        f"{ours}/summary: archive.csv, archive.parquet, entries.csv, entries.parquet, "
        "failures.csv, index.html, outliers.csv, residue_outliers.csv, residue_types.csv"
    )


def test_its_archive_is_one_for_the_other_commands(atomsight, ours, tmp_path):
    atomsight("batch", "summary", ours, "-o", tmp_path / "out")
    made = tmp_path / "out" / "archive.parquet"
    found = atomsight("archive", "percentile", "--q=0.5", "--resolution=3", "--archive", made)
    assert "ours (2026-11-20, 61 entries" in found.out
    again = tmp_path / "again.parquet"
    table = tmp_path / "out" / "archive.csv"
    atomsight("archive", "build", table, "-o", again, "--name=ours", "--date=2026-11-20")
    shown = [
        json.loads(atomsight("archive", "show", "--json", "--archive", f).out)
        for f in (made, again)
    ]
    assert shown[0] == shown[1]


def test_the_demo_compares_with_it(atomsight, ours, demo_data, tmp_path):
    atomsight("batch", "summary", ours)
    archive = ours / "summary" / "archive.parquet"
    done = atomsight(
        *("validate", demo_data / "5me2.pdb", demo_data / "emd_3488.mrc", "--resolution=3.2"),
        *("--no-fit-b", "--archive", archive, "-o", tmp_path / "results"),
    )
    assert done.code == 0, done.err
    summary = json.loads((tmp_path / "results" / "summary.json").read_text(encoding="utf-8"))
    assert summary["percentiles"]["archive"].startswith("ours (2026-11-20, 61 entries, ")
    assert "cubic of ours 2026-11-20 (61 entries" in summary["expected"]["value"]["definition"]


def test_too_few_entries_say_why_there_is_no_archive(atomsight, tmp_path):
    add_entry(tmp_path, "a", q=0.5, **expected(3.0))
    done = atomsight("batch", "summary", tmp_path, "-o", tmp_path / "out")
    assert done.code == 0
    assert "archive: none, 1 entries with Q between 1 and 10 Å; a statistical model needs 50" in (
        done.out
    )
    assert not (tmp_path / "out" / "archive.parquet").exists()


def test_a_figure_for_print_is_made_when_asked_for(atomsight, ours):
    done = atomsight("batch", "summary", ours, "--figures", "svg")
    assert done.code == 0
    figure = ours / "summary" / "figures" / "q_resolution.svg"
    assert "figures/q_resolution.svg" in done.out
    text = figure.read_text(encoding="utf-8")
    assert "Q against resolution" in text
    assert "Q_peak, this batch" in text


def test_names_with_terminal_codes_are_printed_as_escapes(atomsight, tmp_path):
    add_failure(tmp_path, "a", "x\x1b[31m", "m")
    done = atomsight("batch", "summary", tmp_path)
    assert "\x1b" not in done.out
    assert "failed at 'x\\x1b[31m': 1" in done.out


@pytest.mark.parametrize("name", ["nothing", "."])
def test_a_folder_without_a_data_set_is_refused_in_one_line(atomsight, tmp_path, name):
    error = atomsight("batch", "summary", tmp_path / name).error
    assert error.startswith(f"{tmp_path / name}: ")
    assert "atomsight batch" in error
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_refused(atomsight, ours, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    error = atomsight("batch", "summary", ours, "-o", tmp_path / "file").error
    assert "this is a file, not a folder" in error
