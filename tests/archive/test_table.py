"""Tables of entries: what is read, what is left out, what is refused."""

import gzip

import numpy as np
import pytest

from atomsight.archive.table import read_entries, select_entries
from atomsight.errors import ArchiveFileError

PLAIN = "id,resolution,q\n0001,3.4,0.412\n0002,4.1,0.288\n"


def read(tmp_path, text, name="table.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_entries(path)


def test_ids_resolutions_and_q_keep_their_order(tmp_path):
    entries, notes = read(tmp_path, PLAIN)
    assert entries.ids.tolist() == ["0001", "0002"]
    assert entries.resolution.tolist() == [3.4, 4.1]
    assert entries.measures["q"].tolist() == [0.412, 0.288]
    assert list(entries.measures) == ["q"]
    assert (len(entries), notes) == (2, ())


@pytest.mark.parametrize("title", ["q", "Q", "qscore", "Q_score", "q-score", " Q "])
def test_q_has_several_names(tmp_path, title):
    entries, _ = read(tmp_path, PLAIN.replace("q\n", f"{title}\n"))
    assert entries.measures["q"].tolist() == [0.412, 0.288]


@pytest.mark.parametrize("title", ["ai", "atom_inclusion", "Inclusion"])
def test_so_has_atom_inclusion(tmp_path, title):
    entries, _ = read(tmp_path, f"resolution,q,{title}\n3,0.5,0.9\n")
    assert entries.measures["inclusion"].tolist() == [0.9]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_separators_and_line_ends(tmp_path, separator, ending):
    text = "\ufeff" + PLAIN.replace(",", separator).replace("\n", ending)
    entries, _ = read(tmp_path, text)
    assert entries.measures["q"].tolist() == [0.412, 0.288]


def test_gzip_is_read_whatever_its_name(tmp_path):
    entries, _ = read(tmp_path, gzip.compress(PLAIN.encode()))
    assert len(entries) == 2


def test_ids_are_optional(tmp_path):
    entries, _ = read(tmp_path, "q,resolution\n0.5,3\n")
    assert entries.ids.tolist() == [""]


@pytest.mark.parametrize("nothing", ["", " ", "NA", "n/a", "NaN", "null", "None", "-", "?", "."])
def test_missing_values_are_nan(tmp_path, nothing):
    entries, notes = read(tmp_path, f"resolution,q,cc\n{nothing},0.5,0.7\n3,0.5,{nothing}\n")
    np.testing.assert_array_equal(entries.resolution, [np.nan, 3])
    np.testing.assert_array_equal(entries.measures["cc"], [0.7, np.nan])
    assert notes == ("1 entry without a resolution counted among all entries only",)


def test_rows_with_another_measure_but_no_q_stay(tmp_path):
    entries, notes = read(tmp_path, "resolution,q,cc\n3,,0.7\n4,0.3,\n5,,\n")
    np.testing.assert_array_equal(entries.measures["q"], [np.nan, 0.3])
    assert notes == ("1 row without any measure skipped",)


def test_empty_rows_are_skipped_and_counted(tmp_path):
    entries, notes = read(tmp_path, PLAIN + ",,\n\n ,,\n")
    assert len(entries) == 2
    assert notes == ("3 empty rows skipped",)


def test_infinite_values_are_missing(tmp_path):
    entries, notes = read(tmp_path, "resolution,q,smoc\n3,0.5,-inf\n4,0.4,0.7\n5,0.3,inf\n")
    np.testing.assert_array_equal(entries.measures["smoc"], [np.nan, 0.7, np.nan])
    assert notes == ("2 infinite values of smoc taken as missing",)


def test_columns_of_text_are_left_out_and_named(tmp_path):
    # 6e94 is a PDB id and a number
    entries, notes = read(tmp_path, "pdb,resolution,q,Note\n6e94,3,0.5,a\n6v8i,4,0.4,1_0\n")
    assert list(entries.measures) == ["q"]
    assert notes == ("left out, not all numbers: pdb, Note",)


def test_chosen_entries_keep_everything(tmp_path):
    entries, _ = read(tmp_path, "id,resolution,q,cc\na,3,0.5,1\nb,4,0.4,2\nc,5,0.3,3\n")
    some = select_entries(entries, np.array([True, False, True]))
    assert some.ids.tolist() == ["a", "c"]
    assert some.resolution.tolist() == [3, 5]
    assert some.measures["cc"].tolist() == [1, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "this table file is empty"),
        ("\n", "no column 'resolution' (there are: none)"),
        ("resolution,q\n", "a header and no rows"),
        ("resolution,q\n,\n", "a header and no rows"),
        ("d,q\n3,0.5\n", "no column 'resolution' (there are: d, q)"),
        ("resolution,score\n3,0.5\n", "no column 'q' or 'qscore' or 'q_score' or 'q-score'"),
        ("3.4,0.412\n4.1,0.288\n", "the first line must name the columns"),
        ("resolution,q,qscore\n3,0.5,0.5\n", "the columns 'q' and 'qscore' both mean q"),
        ("resolution,q\n3,0.5\n\n3,high\n", "line 4: q is 'high', not a number"),
        ("resolution;q\n3;0,5\n", "line 2: q is '0,5', not a number (with a decimal point)"),
        ("resolution,q\n3,0.5\n3 Å,0.5\n", "line 3: resolution is '3 Å', not a number"),
        ("resolution,q\n3,0.5\n0,0.5\n", "line 3: resolution is 0; it must be above 0 Å"),
        ("resolution,q\n-3,0.5\n", "line 2: resolution is -3; it must be above 0 Å"),
        ("resolution,q\n0.5,3\n", "line 2: q is 3, but it lies between -1 and 1"),
        ("resolution,q,ai\n3,0.5,91\n", "line 2: ai is 91, but it lies between 0 and 1"),
        ("resolution,q,ai\n3,0.5,all\n", "line 2: ai is 'all', not a number"),
        ("resolution,q\n3,0.5,7\n", "line 2 has 3 cells, but the header has 2"),
        ("resolution,q\n3\n", "line 2 has 1 cells, but the header has 2"),
        (b"resolution,q\n\xff\xfe\n", "this is no text in UTF-8"),
        ('resolution,q\n3,"' + "5" * 200_000 + '"\n', "line 2 is no CSV"),
    ],
)
def test_a_fault_names_the_file_and_the_line(tmp_path, text, message):
    with pytest.raises(ArchiveFileError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "table.csv"))


def test_lines_are_counted_through_quoted_line_ends(tmp_path):
    with pytest.raises(ArchiveFileError, match="line 4: q"):
        read(tmp_path, 'note,resolution,q\n"two\nlines",3,0.5\n,3,x\n')


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ArchiveFileError, match="no such table file"):
        read_entries(tmp_path / "none.csv")
