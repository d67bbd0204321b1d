"""Manifests: what is read, what is named, and what is refused."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.batch.entry import entry_of
from atomsight.batch.manifest import COLUMNS, LONGEST_NAME, read_manifest
from atomsight.errors import ManifestError, ParameterError
from atomsight.outcome import Options

DEFAULTS = Options(threads=1)


def manifest(folder, text):
    path = folder / "manifest.csv"
    path.write_text(text, encoding="utf-8")
    return path


def one(folder, header, row):
    """The entry of a manifest's only row."""
    return entry_of(read_manifest(manifest(folder, f"{header}\n{row}\n"))[0], DEFAULTS)


def test_a_row_is_read_with_its_line_and_folder(tmp_path):
    rows = read_manifest(manifest(tmp_path, "name,model,map\na,m.cif,x.mrc\n\nb,n.cif,y.mrc\n"))
    assert [(row.name, row.cells) for row in rows] == [
        ("a", {"name": "a", "model": "m.cif", "map": "x.mrc"}),
        ("b", {"name": "b", "model": "n.cif", "map": "y.mrc"}),
    ]
    assert rows[0].line == 2
    assert {row.folder for row in rows} == {tmp_path.resolve()}


def test_paths_start_at_the_manifest_and_absolute_ones_stay(tmp_path):
    entry = one(tmp_path, "model,map", "sub/m.cif,/data/x.mrc")
    assert entry.model == tmp_path / "sub" / "m.cif"
    assert str(entry.map) == "/data/x.mrc"


@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_separators_and_byte_order_marks(tmp_path, separator, mark):
    text = f"{mark}Name ,MODEL,map\na,m.cif,x.mrc\n".replace(",", separator)
    assert read_manifest(manifest(tmp_path, text))[0].cells["model"] == "m.cif"


def test_parquet_has_numbers_of_its_own(tmp_path):
    files = {"model": ["m"], "map": ["x"], "half_1": ["a"], "half_2": ["b"]}
    table = {"name": ["a"], **files, "resolution": [3.0], "box": [20]}
    path = tmp_path / "manifest.parquet"
    pl.DataFrame(table | {"force": [True], "contour": [None]}).write_parquet(path)
    entry = entry_of(read_manifest(path)[0], DEFAULTS)
    assert (entry.options.resolution, entry.options.force, entry.windows) == (
        3.0,
        True,
        {"box": 20},
    )


def test_ids_are_text_whatever_they_look_like(tmp_path):
    assert one(tmp_path, "name,id", "0012,5e10").id == "5e10"


@pytest.mark.parametrize(
    ("header", "row", "name"),
    [
        ("model,map", "x/5ni1.cif.gz,emd_3488.map.gz", "5ni1__emd_3488"),
        ("id", "EMD-3488", "EMD-3488"),
        ("model,map", "../my model.pdb,m (2).mrc", "my_model__m_2"),
        ("name,id", "third try,EMD-1", None),
        ("name,id", "../escape,EMD-1", None),
        ("name,id", "a/b,EMD-1", None),
        ("name,id", ".hidden,EMD-1", None),
        ("name,id", "nul,EMD-1", None),
        ("name,id", f"{'x' * (LONGEST_NAME + 1)},EMD-1", None),
        ("name,id", "é,EMD-1", None),
    ],
)
def test_names_are_made_or_checked(tmp_path, header, row, name):
    path = manifest(tmp_path, f"{header}\n{row}\n")
    if name is None:
        with pytest.raises(ManifestError, match=r"line 2: .* cannot be a name"):
            read_manifest(path)
    else:
        assert read_manifest(path)[0].name == name


@given(st.text(min_size=1, max_size=120))
def test_no_name_leaves_its_folder(tmp_path_factory, text):
    """Whatever stands in the cell: refused, or one plain part of a path."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    pl.DataFrame({"name": [text], "id": ["EMD-1"]}).write_csv(path)
    try:
        name = read_manifest(path)[0].name
    except ManifestError:
        return
    assert (path.parent / name).resolve().parent == path.parent.resolve()
    assert not name.startswith(".")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("name,model,map\n", "holds no entries"),
        ("name,map\na,x\n", "needs the columns model and map, or id"),
        ("id,colour\nEMD-1,red\n", "knows no column 'colour'; there are name, id"),
        ("id,ID\nEMD-1,EMD-1\n", "has the column id twice"),
        ("name,id\na,EMD-1\nA,EMD-2\n", "lines 2 and 3 are both called A"),
        ("id,name\nEMD-1\nEMD-2,b,c,d\n", "cannot be read as a table"),
    ],
)
def test_what_is_no_manifest(tmp_path, text, message):
    with pytest.raises(ManifestError, match=message) as caught:
        read_manifest(manifest(tmp_path, text))
    assert "manifest.csv" in str(caught.value)


def test_what_is_no_text_or_not_there(tmp_path):
    path = tmp_path / "manifest.csv"
    with pytest.raises(ManifestError, match="no such manifest file"):
        read_manifest(path)
    path.write_bytes(b"id\n\xff\xfe\n")
    with pytest.raises(ManifestError, match="no text in UTF-8"):
        read_manifest(path)
    path.write_bytes(b"PAR1 but nothing more")
    with pytest.raises(ManifestError, match="cannot be read as a table"):
        read_manifest(path)


def test_every_column_is_understood(tmp_path):
    """A column that is allowed but has no effect would be a trap."""
    values = {
        "name": "a",
        "id": "EMD-1",
        "pdb": "1abc",
        "model": "m",
        "map": "x",
        "half_1": "h1",
        "half_2": "h2",
        "mask": "k",
        "resolution": "3.1",
        "contour": "-0.2",
        "sigma": "0.6",
        "select": "//A",
        "model_number": "2",
        "origin": "Zero",
        "force": "Yes",
        "neighbours": "assembly",
        "assembly": "1",
        "box": "18",
        "b_iso": "80",
    }
    assert set(COLUMNS) - set(values) == {"mask_level", "window"}
    entry = one(tmp_path, ",".join(values), ",".join(values.values()))
    options = entry.all_options()
    assert (entry.id, entry.pdb) == ("EMD-1", "1abc")
    assert (options.resolution, options.contour, options.q.sigma) == (3.1, -0.2, 0.6)
    assert (options.selection, options.model_number, options.origin) == ("//A", 2, "zero")
    assert (options.force, options.neighbours, options.assembly) == (True, "assembly", "1")
    assert options.threads == 1
    halves = options.half_maps
    assert (halves.half_1, halves.mask) == (tmp_path / "h1", tmp_path / "k")
    assert (halves.box, halves.window, halves.b_iso) == (18, None, 80.0)
    other = one(tmp_path, "model,map,half_1,half_2,mask_level,window", "m,x,a,b,0.5,4")
    assert (other.windows, other.mask) == ({"mask_level": 0.5, "window": 4.0}, None)


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("model,map", "m,", "no map, and no id to fetch by"),
        ("model,map,id", ",,", "holds no entries"),
        (
            "model,map,resolution",
            "m,x,three",
            r"line 2 \(m__x\): resolution is 'three', not a number",
        ),
        ("model,map,resolution", "m,x,nan", "not a number"),
        ("model,map,resolution", "m,x,1_0", "not a number"),
        ("model,map,resolution", "m,x,-1", "must be a positive number"),
        ("model,map,box", "m,x,2.5", "not a whole number"),
        ("model,map,origin", "m,x,here", "it may be auto, origin, nstart, zero"),
        ("model,map,force", "m,x,perhaps", "write yes or no"),
        ("model,map,half_1", "m,x,h", "half_1 and half_2 go together"),
        ("model,map,box", "m,x,20", "box without half_1 and half_2"),
        ("model,map,half_1,half_2,mask,mask_level", "m,x,a,b,k,1", "give one of them"),
        ("model,map,assembly", "m,x,1", "an assembly is named"),
    ],
)
def test_a_row_that_means_nothing(tmp_path, header, row, message):
    with pytest.raises((ManifestError, ParameterError), match=message):
        one(tmp_path, header, row).all_options()
