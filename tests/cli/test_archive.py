"""The command ``archive``: what it prints, what it refuses."""

import json

import numpy as np
import pytest

from atomsight.archive.percentiles import percentiles
from atomsight.archive.storage import read_archive
from tests.support.cases import files_below
from tests.support.entries import made_up_table, write_table


@pytest.fixture
def table(tmp_path):
    return made_up_table(tmp_path / "own.csv")


@pytest.fixture
def built(atomsight, table, tmp_path):
    path = tmp_path / "own.parquet"
    done = atomsight("archive", "build", table, "-o", path, "--date", "2025-01-02")
    assert (done.code, done.err) == (0, "")
    return path


def test_percentile_names_archive_definition_window_and_numbers(atomsight):
    done = atomsight("archive", "percentile", "--q", 0.554, "--resolution", 3.2)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["archive", *read_archive().label.split()]
    assert "share of entries with a lower value" in lines[1]
    assert lines[2].split(maxsplit=1) == ["q", "0.554 (sigma 0.4 Å)"]
    found = percentiles(0.554, 3.2)
    assert f"{found.of_all:.1f} % of 25396 entries" in lines[3]
    assert (
        f"{found.of_resolution:.1f} % of {found.n_window} entries within 0.5 Å of 3.2 Å"
        in (lines[4])
    )
    assert lines[5].startswith("expected Q    0.487 (0.337 to 0.572): cubic of Pintilie")


def test_percentile_by_emdbs_definition(atomsight):
    done = atomsight(
        "archive", "percentile", "--q", 0.554, "--resolution", 3.2, "--definition", "emdb"
    )
    assert "this value or a lower one, the model itself counted" in done.out
    assert "within 1 Å of 3.2 Å" in done.out


def test_other_measures_need_no_q(atomsight):
    command = "archive", "percentile", "--resolution", 3, "--inclusion", 0.9, "--value", "smoc=0.7"
    done = atomsight(*command)
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()[2::3]] == [
        "inclusion",
        "smoc",
        "expected",
    ]


def test_percentile_as_json_has_every_digit_and_definition(atomsight):
    done = atomsight("archive", "percentile", "--q", 0.554, "--resolution", 3.2, "--json")
    facts = json.loads(done.out)
    (one,) = facts["percentiles"]
    found = percentiles(0.554, 3.2)
    assert one["of_resolution"] == found.of_resolution
    assert (one["n_all"], one["n_window"], one["half_width"]) == (25_396, found.n_window, 0.5)
    assert (one["definition"], one["text"]) == ("paper", found.text)
    assert facts["archive"] == read_archive().label
    assert facts["sha256"] == read_archive().sha256
    assert facts["expected_q"]["peak"] == pytest.approx(0.4866672)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--resolution", 12), "none: 12 Å is outside 1-10 Å"),
        ((), "none: no resolution given"),
    ],
)
def test_what_cannot_be_said_has_its_reason(atomsight, options, reason):
    done = atomsight("archive", "percentile", "--q", 0.5, *options)
    lines = done.out.splitlines()
    assert done.code == 0
    assert "% of 25396 entries" in lines[3]
    assert reason in lines[4]
    assert reason in lines[5]


def test_another_sigma_has_no_percentile(atomsight):
    done = atomsight("archive", "percentile", "--q", 0.5, "--resolution", 3, "--sigma", 0.6)
    assert done.out.count("none: the archive's Q has sigma 0.4, not 0.6") == 2
    assert "cubic of MapQ 2.9.7 (sigma 0.6)" in done.out
    as_json = atomsight("archive", "percentile", "--q", 0.5, "--sigma", 0.6, "--json")
    assert json.loads(as_json.out)["percentiles"][0]["of_all"] is None


def test_a_value_that_is_none_is_null_and_none(atomsight):
    command = "archive", "percentile", "--q", "nan", "--resolution", 3
    assert atomsight(*command).out.count("none: no value of q") == 2
    facts = json.loads(atomsight(*command, "--json").out, parse_constant=pytest.fail)
    assert facts["percentiles"][0]["value"] is None


def test_build_says_what_it_made(atomsight, table, tmp_path):
    table.write_text(table.read_text() + ",,,\n")
    done = atomsight(
        "archive", "build", table, "-o", tmp_path / "x", "--date", "May", "--name", "A"
    )
    lines = done.out.splitlines()
    assert lines[0].startswith(f"{tmp_path / 'x'}: A (May, 400 entries, ")
    assert lines[1].startswith("cubic of 400 entries: R² 0.")
    assert lines[2] == "note: 1 empty row skipped"


def test_percentile_and_show_use_what_was_built(atomsight, built):
    archive = read_archive(built)
    command = "archive", "percentile", "--q", 0.5, "--resolution", 3.2, "--archive", built
    assert "% of 400 entries" in atomsight(*command).out
    assert f"cubic of own 2025-01-02 ({archive.regression.n} entries" in atomsight(*command).out
    other = atomsight(*command, "--sigma", 0.6).out
    assert other.count("none: the archive's Q has sigma 0.4, not 0.6") == 3
    assert atomsight("archive", "show", "--archive", built).out.split()[1:3] == [
        "own",
        "(2025-01-02,",
    ]


def test_build_can_take_only_some(atomsight, table, tmp_path):
    path = tmp_path / "x.parquet"
    command = "archive", "build", table, "-o", path, "--at-least", "inclusion=0.5", "--sigma", 0.6
    assert "only entries with inclusion >= 0.5" in atomsight(*command).out
    assert read_archive(path).filters == ("inclusion >= 0.5",)
    assert read_archive(path).sigma == 0.6
    assert "only          inclusion >= 0.5" in atomsight("archive", "show", "--archive", path).out


def test_show_prints_the_statistics_in_use(atomsight):
    done = atomsight("archive", "show")
    assert (done.code, done.err) == (0, "")
    archive = read_archive()
    assert archive.sha256 in done.out
    assert "q 25396, smoc 23576, inclusion 25393, ccc 6439" in done.out
    assert f"     3  {archive.regression.cubic.r2:.4f}" in done.out
    assert f"peak {archive.regression.peak:+.3f}" in done.out
    assert "  0.5      47   10293   15086       -0.295        0.015" in done.out
    assert "widest with correlations within 0.3: 0.5 Å" in done.out
    assert done.out.splitlines()[-1].startswith(" 10.0      146")


def test_show_as_json_is_what_the_file_holds(atomsight, built):
    facts = json.loads(atomsight("archive", "show", "--archive", built, "--json").out)
    assert facts["regression"]["n"] == facts["n"] == 400
    assert facts["regression"]["peak"] == read_archive(built).regression.peak


def test_show_of_a_narrow_archive_leaves_out_what_it_cannot_say(atomsight, tmp_path):
    d = [2 + i / 100 for i in range(80)]
    path = write_table(tmp_path / "t.csv", ("resolution", "q"), d, [0.9 - x / 7 for x in d])
    atomsight("archive", "build", path, "-o", tmp_path / "t.parquet")
    done = atomsight("archive", "show", "--archive", tmp_path / "t.parquet")
    assert done.code == 0
    assert "nan" not in done.out
    assert done.out.splitlines()[-1].startswith("  3.0")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("percentile", "--resolution", 3), "nothing to compare: give --q"),
        (("percentile", "--q", 55.4), "q 55.4: it lies between -1 and 1"),
        (("percentile", "--value", "smoc"), "--value smoc: write a name and a number"),
        (("percentile", "--value", "cc=0.7"), "EMDB 202505.v01 has no measure 'cc'"),
        (("percentile", "--q", 0.5, "--archive", "none"), "none: no such archive file"),
        (("show", "--archive", "none"), "none: no such archive file"),
        (("build", "none.csv", "-o", "x"), "none.csv: no such table file"),
    ],
)
def test_faults_are_one_line(atomsight, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in atomsight("archive", *arguments).error
    assert files_below(tmp_path) == []


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (("resolution", "score"), "no column 'q'"),
        (("d", "q"), "no column 'resolution'"),
        (("q", "resolution"), "it lies between -1 and 1"),
    ],
)
def test_a_bad_table_leaves_no_file(atomsight, tmp_path, header, message):
    path = write_table(tmp_path / "t.csv", header, [3.0, 4.0], [0.5, 0.4])
    error = atomsight("archive", "build", path, "-o", tmp_path / "x.parquet").error
    assert error.startswith(f"{path}: ")
    assert message in error
    assert not (tmp_path / "x.parquet").exists()


def test_neither_a_folder_nor_the_table_itself_is_written_to(atomsight, table, tmp_path):
    before = table.read_bytes()
    for path, message in ((tmp_path, "this is a folder"), (table, "this is the table itself")):
        assert message in atomsight("archive", "build", table, "-o", path).error
    assert table.read_bytes() == before


def test_components_of_a_table(atomsight, table):
    done = atomsight("archive", "components", table, "--column", "q", "--column", "resolution")
    assert (done.code, done.err) == (0, "")
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[1] == ["component", "1", "component", "2"]
    assert lines[3][-2:] == ["100.0", "%"]
    # of two measures that fall with each other, the loadings are ± 1/√2
    loadings = {line[0]: [float(v) for v in line[1:]] for line in lines[4:]}
    np.testing.assert_allclose(np.abs(list(loadings.values())), 2**-0.5, atol=1e-3)
    assert loadings["q"][0] == -loadings["resolution"][0]


def test_components_as_json_take_every_column(atomsight, table):
    facts = json.loads(atomsight("archive", "components", table, "--json").out)
    assert {"q", "resolution"} < set(facts["loadings"])
    assert sum(facts["explained"]) == pytest.approx(1.0)
    assert sum(facts["variance"]) == pytest.approx(len(facts["loadings"]))


def test_components_of_columns_that_are_not_there(atomsight, table):
    done = atomsight("archive", "components", table, "--column", "q", "--column", "beauty")
    assert done.error.startswith(f"{table}: no column 'beauty'; it has resolution, q")


def test_components_of_the_papers_table(atomsight, extra_data):
    table = extra_data / "emdb_statistics" / "mapq-2025.csv"
    columns = ("resolution", "q", "map_model_fsc05", "cc_mean")
    options = [text for name in columns for text in ("--column", name)]
    facts = json.loads(atomsight("archive", "components", table, *options, "--json").out)
    assert facts["entries"] == 10184
    assert np.cumsum(facts["explained"])[:2] == pytest.approx([0.67, 0.90], abs=0.005)
