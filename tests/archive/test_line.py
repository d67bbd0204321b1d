"""A line of convergence, made of one's own entries."""

import json

import numpy as np
import pytest

from atomsight.archive.line import build_line, placed_on, read_line, write_line
from atomsight.errors import ArchiveFileError

D = (1.75, 3.0, 4.0, 5.0)


def write_table(path, *, protocols=("abc",) * 4, rmsd=(0.12, 0.20, 0.46, 0.74)):
    rows = [f"E{i},{d},{r},{p}" for i, (d, r, p) in enumerate(zip(D, rmsd, protocols, strict=True))]
    path.write_text("\n".join(["id,resolution,ca_rmsd,protocol", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def line(tmp_path):
    return build_line(write_table(tmp_path / "ours.csv"), date="2025-06")


def test_a_table_gives_a_line(line):
    assert (line.name, line.date, line.fit.n, line.fit.protocol) == ("ours", "2025-06", 4, "abc")
    assert line.ids.tolist() == ["E0", "E1", "E2", "E3"]
    assert line.label == "ours (2025-06, 4 entries, protocol abc)"
    assert (np.diff(line.fit.at(np.array(D))) > 0).all()


def test_it_is_read_back_to_the_last_digit(line, tmp_path):
    again = read_line(write_line(line, tmp_path / "line.json"))
    assert again.fit == line.fit
    np.testing.assert_array_equal(again.ca_rmsd, line.ca_rmsd)
    assert (again.ids.tolist(), again.sha256) == (line.ids.tolist(), line.sha256)


def test_an_entry_is_placed_only_where_it_can_be_compared(line):
    value = 0.5 * (line.ca_rmsd[2] + line.ca_rmsd[3])
    words = placed_on(line, 4.5, "abc")
    assert float(words.split(" ", 1)[0]) == pytest.approx(value, abs=0.1)
    assert words.endswith(line.label)
    assert placed_on(line, None, "abc").startswith("none: the resolution is not known")
    assert placed_on(line, 7.0, "abc") == "none: 7 Å is outside the entries, 1.75-5 Å"
    assert "of protocol abc, these models are of an unknown one" in placed_on(line, 4.0, "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,resolution,ca_rmsd\na,3,0.2\nb,4,0.3\n", "2 entries of 2 resolutions"),
        ("resolution,q\n3,0.5\n", "no column 'ca_rmsd'"),
        ("resolution,ca_rmsd\n3,-0.5\n", "line 2: ca_rmsd is -0.5"),
    ],
)
def test_tables_that_give_none(tmp_path, content, message):
    path = tmp_path / "table.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ArchiveFileError, match=message):
        build_line(path)


def test_entries_of_several_protocols_are_refused(tmp_path):
    table = write_table(tmp_path / "mixed.csv", protocols=("abc", "abc", "xyz", "xyz"))
    with pytest.raises(ArchiveFileError, match=r"mixed\.csv: the entries are of 2 protocols"):
        build_line(table)


@pytest.mark.parametrize("content", ["", "{}", "nonsense", '{"format": "other"}', "[]"])
def test_other_files_are_no_line(tmp_path, content):
    path = tmp_path / "line.json"
    path.write_text(content or " ", encoding="utf-8")
    with pytest.raises(ArchiveFileError, match="holds no line of convergence"):
        read_line(path)


def test_a_line_of_another_version_is_no_line(line, tmp_path):
    path = write_line(line, tmp_path / "line.json")
    facts = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(facts | {"fit": {"a": 1}}), encoding="utf-8")
    with pytest.raises(ArchiveFileError):
        read_line(path)
