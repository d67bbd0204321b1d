"""The archive that ships is what it says it is."""

import hashlib
from dataclasses import asdict
from importlib.resources import files

import numpy as np
import pytest

from atomsight.archive.archives import expected_from
from atomsight.archive.expected import expected_q
from atomsight.archive.regression import fit_regression
from atomsight.archive.storage import REFERENCE, read_archive
from atomsight.archive.table import read_entries
from atomsight.archive.windows import rolling_windows, window_choices


def test_the_reference_is_read_once():
    assert read_archive() is read_archive()


def test_the_reference_is_emdbs_table():
    archive = read_archive()
    counts = {n: int(np.isfinite(v).sum()) for n, v in archive.entries.measures.items()}
    assert counts == {"q": 25_396, "smoc": 23_576, "inclusion": 25_393, "ccc": 6439}
    assert np.isfinite(archive.entries.resolution).sum() == 25_322
    assert len(set(archive.entries.ids)) == 25_268
    assert (archive.name, archive.date, archive.sigma) == ("EMDB 202505.v01", "2025-05", 0.4)
    first = archive.entries.ids == "0001"
    assert archive.entries.resolution[first] == 3.4
    assert [float(archive.entries.measures[m][first][0]) for m in counts] == pytest.approx(
        [0.412, 0.782, 0.912, np.nan], nan_ok=True
    )


def test_the_references_statistics_are_those_of_its_entries():
    """What is stored is what this version computes, but for the last bits of a fit."""
    archive = read_archive()
    d, q = archive.entries.resolution, archive.entries.measures["q"]
    fitted = fit_regression(d, q)
    stored, found = (
        {k: v for k, v in asdict(r).items() if k != "fits"} for r in (archive.regression, fitted)
    )
    assert stored == pytest.approx(found, abs=1e-6)
    assert fitted.n == ((d >= 1) & (d <= 10)).sum() == 24_718
    for old, new in zip(archive.regression.fits, fitted.fits, strict=True):
        np.testing.assert_allclose(old.coefficients, new.coefficients, rtol=1e-6)
        assert (old.r2, old.test_r2) == pytest.approx((new.r2, new.test_r2), abs=1e-6)
    again = [*window_choices(d, q), *rolling_windows(d, q)]
    for old, new in zip([*archive.windows, *archive.rolling], again, strict=True):
        assert asdict(old) == pytest.approx(asdict(new), abs=1e-6)


@pytest.mark.parametrize("resolution", [2.0, 3.0, 4.0, 6.0, 8.0])
def test_the_references_peak_is_near_the_published_one(resolution):
    ours, published = expected_from(read_archive(), resolution)[0], expected_q(resolution, 0.4)[0]
    assert ours.peak == pytest.approx(published.peak, abs=0.015)


def test_the_reference_brings_its_licence():
    folder = files("atomsight.archive") / "data"
    text = (folder / "README.md").read_text(encoding="utf-8")
    for fact in (REFERENCE, read_archive().sha256, "Apache License, Version 2.0", "202505.v01"):
        assert fact in text
    assert "Version 2.0, January 2004" in (folder / "LICENSE-Apache-2.0.txt").read_text()


def test_the_reference_can_be_made_again(extra_data):
    table = extra_data / "emdb_statistics" / "va-2025.csv"
    entries, notes = read_entries(table)
    shipped = read_archive()
    assert hashlib.sha256(table.read_bytes()).hexdigest() == shipped.sha256
    assert notes == shipped.notes
    np.testing.assert_array_equal(entries.ids, shipped.entries.ids)
    np.testing.assert_array_equal(entries.resolution, shipped.entries.resolution)
    for name, values in shipped.entries.measures.items():
        np.testing.assert_array_equal(values, entries.measures[name])
