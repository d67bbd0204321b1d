"""Other programs read the folders of a data set as one table each."""

import math
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from atomsight.batch.cluster import Local
from atomsight.batch.dataset import ATOMS, RESIDUES, ROWS
from atomsight.batch.job import Settings
from atomsight.batch.outliers import RULES
from atomsight.batch.run import run_batch
from atomsight.batch.schema import ATOMS as ATOM_COLUMNS
from atomsight.batch.schema import ENTRIES
from atomsight.batch.schema import RESIDUES as RESIDUE_COLUMNS
from atomsight.batch.summary import summarise
from tests.support.crops import write_crops
from tests.support.datasets import add_archive

pytestmark = pytest.mark.xdist_group("batch")

TABLES = {ROWS: ENTRIES, RESIDUES: RESIDUE_COLUMNS, ATOMS: ATOM_COLUMNS}


@pytest.fixture(scope="module")
def scored(source, tmp_path_factory):
    """Three pieces of a real map; many of their columns are null throughout."""
    folder = tmp_path_factory.mktemp("scored")
    manifest = write_crops(source, folder / "in", 3, radius=6.0)
    run_batch(manifest, Settings(folder / "out"), Local(workers=1))
    return folder / "out"


def own(folder, table):
    """What polars reads, file by file."""
    files = sorted((folder / table).rglob("*.parquet"))
    return pl.concat(pl.read_parquet(file, hive_partitioning=False) for file in files)


@pytest.mark.parametrize("table", TABLES)
def test_polars_scans_the_folder(scored, table):
    found = pl.scan_parquet(scored / table).drop("part", strict=False).collect()
    assert dict(found.schema) == dict(TABLES[table])
    assert found.sort(pl.all()).equals(own(scored, table).sort(pl.all()))


@pytest.mark.parametrize("table", TABLES)
def test_pandas_reads_the_folder(scored, table):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    found = pandas.read_parquet(scored / table)
    expected = own(scored, table)
    assert set(found.columns) == {*TABLES[table], "part"}
    assert len(found) == len(expected)
    assert math.isclose(found["q"].sum(), expected["q"].sum(), rel_tol=1e-12)
    assert sorted(found["entry"]) == sorted(expected["entry"])


@pytest.mark.parametrize("table", TABLES)
def test_duckdb_reads_the_folder(scored, table):
    duckdb = pytest.importorskip("duckdb")
    expected = own(scored, table)
    places = f"'{scored}/{table}/*/*.parquet'"
    (row,) = duckdb.sql(f"SELECT count(*), sum(q), count(q) FROM {places}").fetchall()
    assert row == (
        expected.height,
        pytest.approx(expected["q"].sum(), rel=1e-12),
        expected["q"].count(),
    )
    columns = [line[0] for line in duckdb.sql(f"DESCRIBE SELECT * FROM {places}").fetchall()]
    assert set(columns) - {"part"} == set(TABLES[table])


def test_duckdb_joins_residues_and_entries(scored):
    duckdb = pytest.importorskip("duckdb")
    residues, entries = (f"'{scored}/{table}/*/*.parquet'" for table in (RESIDUES, ROWS))
    rows = duckdb.sql(
        f"SELECT e.entry, count(*), e.residues FROM {residues} r JOIN {entries} e USING (entry) "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert len(rows) == 3
    assert all(count == residues > 0 for _, count, residues in rows)


def test_the_summary_agrees_with_the_tables(scored):
    found = summarise(scored)
    table = own(scored, RESIDUES)
    assert found.residues.residues == table["q"].count()
    assert found.residues.types["residues"].sum() == table["q"].count()
    summarised = found.residues.types.filter(pl.col("residue") == "LEU").row(0, named=True)
    leucine = table.filter((pl.col("residue") == "LEU") & pl.col("q").is_not_null())["q"]
    assert summarised["median"] == pytest.approx(leucine.median(), abs=5e-5)


PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "batch.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split()[1])
def test_the_examples_of_the_page_run(scored, tmp_path, monkeypatch, example):
    library = example.split()[1]
    for needed in (library, *(("pyarrow",) if library == "pandas" else ())):
        pytest.importorskip(needed)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").symlink_to(scored)
    names: dict[str, object] = {}
    exec(example, names)
    if library == "pandas":
        assert list(names["entries"].columns) == ["entry", "resolution", "q"]
    if library == "duckdb":
        table = own(scored, RESIDUES)
        assert [line[0] for line in names["by_type"]] == sorted(set(table["residue"]))
        assert sum(line[1] for line in names["by_type"]) == table["q"].count()


def test_the_page_names_all_columns_files_and_rules(scored, tmp_path):
    named = set(re.findall(r"`([^`\s]+)`", PAGE.read_text("utf-8")))
    assert set(ENTRIES) <= named
    assert {rule.key for rule in RULES} <= named
    folder = shutil.copytree(scored, tmp_path / "copy")
    add_archive(folder, 50)
    out = folder / "summary"
    found = summarise(folder, out, figures="svg")
    assert {path.as_posix() for path in found.files} <= named
    tables = named | set(re.findall(r"`([^`\s]+)`", PAGE.with_name("tables.md").read_text("utf-8")))
    for path in found.files:
        if path.suffix == ".csv":
            assert set(pl.read_csv(out / path, n_rows=0).columns) <= tables, path
