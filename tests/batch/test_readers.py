"""Other programs read the folders of a data set as one table each."""

import math

import polars as pl
import pytest

from atomsight.batch.cluster import Local
from atomsight.batch.dataset import ATOMS, RESIDUES, ROWS
from atomsight.batch.job import Settings
from atomsight.batch.run import run_batch
from atomsight.batch.schema import ATOMS as ATOM_COLUMNS
from atomsight.batch.schema import ENTRIES
from atomsight.batch.schema import RESIDUES as RESIDUE_COLUMNS
from atomsight.batch.summary import summarise
from tests.support.crops import write_crops

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
