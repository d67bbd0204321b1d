import csv

import numpy as np
import polars as pl
import pytest

from atomsight.errors import OutputError
from atomsight.export.columns import atom_keys
from atomsight.export.tables import frame, read_csv, write_csv, write_parquet
from atomsight.io.models import read_model
from tests.support.cases import small_model
from tests.support.models import Atom, cif_text, write_model

HEADER = (
    "model,chain,label_asym,number,icode,residue,atom,altloc,element,class,"
    "x,y,z,occupancy,b_iso,q,q_status"
)


def table_of(folder, atoms, **more):
    model = read_model(write_model(folder / "in.cif", cif_text(atoms)))
    measures = {"q": np.linspace(-1.0, 1.0, len(model)), "q_status": np.full(len(model), "ok")}
    return frame({**atom_keys(model), **measures, **more})


def csv_rows(path):
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.reader(handle))


def one_column(folder, values):
    """A column of values as it stands in the CSV file."""
    path = write_csv(
        frame({"key": np.arange(len(values)), "v": np.array(values)}), folder / "t.csv"
    )
    return [line.partition(",")[2] for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def test_the_header_is_the_one_that_readers_know(tmp_path):
    path = write_csv(table_of(tmp_path, small_model()), tmp_path / "atoms.csv")
    assert path.read_text().splitlines()[0] == HEADER


def test_a_row_to_the_letter(tmp_path):
    atoms = [
        Atom("N", "SER", "AA", -5, "N", (1.0, -2.25, 0.1), "B", "C", 0.35, 12.5, label_asym="Z"),
        Atom("CA"),
    ]
    path = write_csv(table_of(tmp_path, atoms), tmp_path / "atoms.csv")
    assert path.read_text() == (
        f"{HEADER}\n"
        "1,AA,Z,-5,B,SER,N,C,N,protein,1.0,-2.25,0.1,0.35,12.5,-1.0,ok\n"
        "1,A,A,1,,ALA,CA,,C,protein,1.0,2.0,3.0,1.0,20.0,1.0,ok\n"
    )


def test_rows_keep_their_order(tmp_path):
    atoms = small_model()[::-1]
    path = write_csv(table_of(tmp_path, atoms), tmp_path / "atoms.csv")
    assert [row[6] for row in csv_rows(path)[1:]] == [a.name for a in atoms]


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([0.5, np.nan, -1.0], ["0.5", "", "-1.0"]),
        ([np.nan, np.nan], ["", ""]),
        (["a", "", "b"], ["a", "", "b"]),
        (["", ""], ["", ""]),
        (["a,b", 'say "x"', " x "], ['"a,b"', '"say ""x"""', " x "]),
        (["NA", "nan", "null", "1"], ["NA", "nan", "null", "1"]),
        (["Å", "β", "🧊"], ["Å", "β", "🧊"]),
        ([0.1234564, 0.1234566, 1e-7, -1e-7], ["0.123456", "0.123457", "0.0", "0.0"]),
        ([-0.0, 0.0], ["0.0", "0.0"]),
        ([1234567.125, -0.5], ["1234567.125", "-0.5"]),
        ([-5, 0, 10**12], ["-5", "0", str(10**12)]),
    ],
)
def test_how_values_look(tmp_path, values, written):
    assert one_column(tmp_path, values) == written


def test_names_with_commas_and_quotes_come_back(tmp_path):
    names = ["O5'", 'O"', "A,B", "a\nb", ";x", " ", "#"]
    path = write_csv(frame({"atom": np.array(names)}), tmp_path / "t.csv")
    assert [row[0] for row in csv_rows(path)[1:]] == names
    assert pl.read_csv(path)["atom"].to_list() == names


def test_polars_reads_the_csv_back(tmp_path):
    table = table_of(tmp_path, small_model())
    path = write_csv(table, tmp_path / "atoms.csv")
    again = pl.read_csv(path, schema=table.schema)
    assert again.columns == table.columns
    assert again["atom"].to_list() == table["atom"].to_list()
    assert again["icode"].to_list() == [None] * len(table)
    np.testing.assert_allclose(again["q"], table["q"], rtol=0, atol=5e-7)


def test_parquet_holds_every_bit(tmp_path):
    q = np.random.default_rng(3).uniform(-1.0, 1.0, 20)
    q[4] = np.nan
    table = table_of(tmp_path, small_model(), q=q)
    again = pl.read_parquet(write_parquet(table, tmp_path / "atoms.parquet"))
    assert again.columns == table.columns
    assert again["q"].is_null().to_list() == [i == 4 for i in range(20)]
    known = again["q"].to_numpy()
    np.testing.assert_array_equal(known[np.isfinite(q)], q[np.isfinite(q)])
    for axis in "xyz":
        np.testing.assert_array_equal(again[axis].to_numpy(), table[axis].to_numpy())
    assert again["atom"].to_list() == [a.name for a in small_model()]


def test_types_of_the_columns(tmp_path):
    table = table_of(tmp_path, small_model())
    again = pl.read_parquet(write_parquet(table, tmp_path / "atoms.parquet"))
    for name in ("model", "number"):
        assert again.schema[name] == pl.Int64
    for name in ("x", "y", "z", "occupancy", "b_iso", "q"):
        assert again.schema[name] == pl.Float64
    for name in ("chain", "label_asym", "icode", "residue", "atom", "altloc", "element", "class"):
        assert again.schema[name] == pl.String


def test_empty_names_stay_empty_strings_in_parquet(tmp_path):
    table = table_of(tmp_path, small_model())
    again = pl.read_parquet(write_parquet(table, tmp_path / "atoms.parquet"))
    assert set(again["icode"]) == {""}


def test_csv_and_parquet_say_the_same(demo_data, tmp_path):
    model = read_model(demo_data / "5ni1.cif")
    table = frame({**atom_keys(model), "q": np.linspace(-1, 1, len(model))})
    one = pl.read_csv(write_csv(table, tmp_path / "t.csv"), schema=table.schema)
    two = pl.read_parquet(write_parquet(table, tmp_path / "t.parquet"))
    assert len(one) == len(two) == 4579
    strings = [name for name, kind in table.schema.items() if kind == pl.String]
    for name in strings:
        assert one[name].fill_null("").to_list() == two[name].to_list()
    for name in set(table.columns) - set(strings):
        np.testing.assert_allclose(one[name], two[name], rtol=0, atol=5e-7)


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_a_table_that_cannot_be_written_is_an_output_error(tmp_path, write):
    table = frame({"a": np.zeros(3)})
    with pytest.raises(OutputError, match="cannot write this file"):
        write(table, tmp_path / "none" / "t")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_a_file_of_that_name_is_replaced(tmp_path, write):
    path = tmp_path / "t"
    path.write_text("old " * 10_000)
    write(frame({"a": np.zeros(3)}), path)
    assert not path.read_bytes().startswith(b"old")
    assert [p.name for p in tmp_path.iterdir()] == ["t"]


def test_a_curve_may_be_called_like_a_key(tmp_path):
    table = {"frequency": np.array([0.0, 0.1]), "model": np.array([1.0, np.nan])}
    back = read_csv(write_csv(frame(table), tmp_path / "fsc.csv"))
    np.testing.assert_array_equal(back["model"], [1.0, np.nan])


def test_the_number_of_a_model_is_whole(tmp_path):
    table = {"model": np.array([1, 2]), "chain": np.array(["1", "B"]), "number": np.array([-1, 7])}
    back = read_csv(write_csv(frame(table), tmp_path / "residues.csv"))
    assert back["model"].dtype == np.int64
    assert back["chain"].tolist() == ["1", "B"]
    assert back["number"].tolist() == [-1, 7]
