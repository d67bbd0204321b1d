"""Percentiles: the definition written plainly, Table 2 of the paper, EMDB's own column."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.archive.archives import build_archive
from atomsight.archive.percentiles import percentiles
from atomsight.archive.storage import read_archive
from atomsight.archive.table import Entries
from atomsight.errors import ParameterError
from tests.support.entries import made_up_table
from tests.support.entries import write_table as write

NAN = float("nan")
TABLE_2 = {
    "EMD-7770": (1.9, 0.700, 99, 73),
    "EMD-21432": (2.36, 0.075, 3.9, 0.39),
    "EMD-22136": (2.9, 0.505, 71, 51),
    "EMD-31385": (3.14, 0.425, 47, 26),
    "EMD-30321": (3.5, 0.659, 97, 99),
    "EMD-0449": (5.67, 0.001, 0.78, 0.94),
    "EMD-23206": (7.0, 0.355, 31, 100),
}
"""Pintilie et al. (2025), Table 2, with resolution and Q as EMDB has them, to three decimals."""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return build_archive(made_up_table(tmp_path_factory.mktemp("archive") / "small.csv", 300))


def near(a, b, half_width):
    return abs(round(1000 * a) - round(1000 * b)) <= round(1000 * half_width)


@pytest.mark.parametrize("value", [-0.2, 0.1, 0.347, 0.6, 1.0])
@pytest.mark.parametrize("resolution", [1.0, 3.2, 5.55, 9.0])
@pytest.mark.parametrize("measure", ["q", "inclusion"])
def test_paper_and_emdb_are_what_their_equations_say(small, value, resolution, measure):
    value = abs(value) if measure == "inclusion" else value
    d, values = small.entries.resolution.tolist(), small.entries.measures[measure].tolist()
    half, one = (
        [v for d_i, v in zip(d, values, strict=True) if near(d_i, resolution, width)]
        for width in (0.5, 1.0)
    )
    found = percentiles(value, resolution, measure, archive=small)
    assert found.of_all == pytest.approx(100 * sum(v < value for v in values) / 300)
    assert found.of_resolution == pytest.approx(100 * sum(v < value for v in half) / len(half))
    assert (found.n_all, found.n_window, found.half_width) == (300, len(half), 0.5)
    near_by = [d_i for d_i in d if near(d_i, resolution, 0.5)]
    assert found.range_all == (min(d), max(d))
    assert found.range_window == (min(near_by), max(near_by))
    found = percentiles(value, resolution, measure, definition="emdb", archive=small)
    with_it = [*one, value]
    assert found.of_all == pytest.approx(100 * sum(v <= value for v in [*values, value]) / 301)
    assert found.of_resolution == pytest.approx(
        100 * sum(v <= value for v in with_it) / len(with_it)
    )
    assert (found.n_all, found.n_window, found.half_width) == (301, len(with_it), 1.0)


@pytest.mark.parametrize("entry", TABLE_2)
def test_table_2_of_the_paper(entry):
    """Within 1 point of similar entries, 3 of all: the archive has grown since."""
    resolution, q, of_all, of_resolution = TABLE_2[entry]
    found = percentiles(q, resolution)
    assert found.of_resolution == pytest.approx(of_resolution, abs=1)
    assert found.of_all == pytest.approx(of_all, abs=3)
    ids, d = read_archive().entries.ids, read_archive().entries.resolution
    at = (ids == entry.removeprefix("EMD-").zfill(4)) & (d == resolution)
    assert q in read_archive().entries.measures["q"][at]


def test_equal_values_are_not_lower_ones(small):
    values = small.entries.measures["q"]
    value = float(values[7])
    below, with_ties = (values < value).sum(), (values <= value).sum()
    assert with_ties > below
    assert percentiles(value, 3.0, archive=small).of_all == pytest.approx(100 * below / 300)


@given(a=st.floats(-1, 1), b=st.floats(-1, 1), d=st.floats(1.5, 9.5))
def test_a_higher_value_has_no_lower_percentile(small, a, b, d):
    low, high = (percentiles(v, d, archive=small) for v in sorted((a, b)))
    assert 0 <= low.of_all <= high.of_all <= 100
    assert 0 <= low.of_resolution <= high.of_resolution <= 100
    assert low.n_window == high.n_window


def test_the_order_of_the_entries_does_not_matter(small):
    back = Entries(
        small.entries.ids[::-1],
        small.entries.resolution[::-1],
        {name: v[::-1] for name, v in small.entries.measures.items()},
    )
    turned = replace(small, entries=back)
    assert percentiles(0.4, 3.2, archive=turned) == percentiles(0.4, 3.2, archive=small)


def test_entries_without_a_resolution_have_no_part_in_its_range(small):
    d = np.where(np.arange(300) % 3, small.entries.resolution, NAN)
    some = replace(small, entries=replace(small.entries, resolution=d))
    assert percentiles(0.4, 3.2, archive=some).range_all == (np.nanmin(d), np.nanmax(d))
    none = replace(small, entries=replace(small.entries, resolution=np.full(300, NAN)))
    found = percentiles(0.4, 3.2, archive=none)
    assert (found.n_all, found.range_all) == (300, None)


@pytest.mark.parametrize("resolution", [0.99, 10.01, 42.0, -3.0, NAN, float("inf")])
def test_outside_1_to_10_angstrom_there_is_only_the_percentile_of_all(resolution):
    found = percentiles(0.5, resolution)
    assert found.of_resolution is None
    assert found.n_window == 0
    assert "outside 1-10 Å" in found.no_resolution
    assert found.of_all == percentiles(0.5, 3.0).of_all
    assert found.no_all == ""


def test_without_a_resolution_the_reason_says_so():
    found = percentiles(0.5, None)
    assert (found.of_resolution, found.n_window, found.range_window) == (None, 0, None)
    assert "no resolution given" in found.no_resolution
    assert found.of_all == percentiles(0.5, 3.0).of_all


@pytest.mark.parametrize("resolution", [1.0, 10.0])
def test_both_ends_of_the_range_belong_to_it(resolution):
    assert percentiles(0.5, resolution).of_resolution is not None


@pytest.mark.parametrize("sigma", [0.6, 0.41, NAN])
def test_a_q_of_another_sigma_has_no_percentile(sigma):
    found = percentiles(0.5, 3.0, sigma=sigma)
    assert (found.of_all, found.of_resolution, found.range_all) == (None, None, None)
    assert found.no_all == found.no_resolution == f"the archive's Q has sigma 0.4, not {sigma:g}"
    assert percentiles(0.5, 3.0, "inclusion", sigma=sigma).of_all is not None


def test_rounding_of_sigma_is_forgiven():
    assert percentiles(0.5, 3.0, sigma=0.7 - 0.3).of_all is not None


def test_an_archive_of_another_sigma_takes_its_own(small):
    other = replace(small, sigma=0.6)
    assert percentiles(0.5, 3.0, archive=other).of_all is None
    assert percentiles(0.5, 3.0, sigma=0.6, archive=other).of_all is not None


@pytest.mark.parametrize("value", [None, NAN])
def test_no_value_no_percentile(value):
    found = percentiles(value, 3.0, "inclusion")
    assert (found.of_all, found.of_resolution, found.n_all) == (None, None, 0)
    assert found.no_all == found.no_resolution == "no value of inclusion"
    assert found.value is None


@pytest.mark.parametrize(("value", "measure"), [(55.4, "q"), (-1.1, "q"), (91.0, "inclusion")])
def test_what_cannot_be_a_value_is_refused(value, measure):
    with pytest.raises(ParameterError, match="it lies between"):
        percentiles(value, 3.0, measure)


def test_a_measure_that_the_archive_lacks_is_refused():
    with pytest.raises(ParameterError, match=r"no measure 'cc'; it has q, smoc, inclusion, ccc"):
        percentiles(0.5, 3.0, "cc")
    with pytest.raises(ParameterError, match="choose paper or emdb"):
        percentiles(0.5, 3.0, definition="mine")


def test_fewer_than_ten_entries_are_too_few(tmp_path):
    d = np.concatenate((np.linspace(2, 4, 60), np.full(9, 8.0)))
    table = write(tmp_path / "t.csv", ("resolution", "q"), d, np.linspace(0.6, 0.1, 69))
    archive = build_archive(table)
    found = percentiles(0.3, 8.0, archive=archive)
    assert (found.of_resolution, found.of_all is None) == (None, False)
    assert found.no_resolution.startswith("only 9 entries of t lie within 0.5 Å of 8 Å")
    assert percentiles(0.3, 3.0, archive=archive).n_window >= 10


def test_a_measure_without_values_says_so(small):
    measures = {**small.entries.measures, "cc": np.full(300, NAN)}
    empty = replace(small, entries=replace(small.entries, measures=measures))
    found = percentiles(0.5, 3.0, "cc", archive=empty)
    assert found.no_all == found.no_resolution == "no entry of small has a value of cc"


def test_only_entries_with_the_measure_count():
    ccc = read_archive().entries.measures["ccc"]
    found = percentiles(0.6, 3.0, "ccc")
    assert found.n_all == np.isfinite(ccc).sum() == 6439
    assert found.n_window < percentiles(0.6, 3.0).n_window


def test_every_result_names_its_definition_and_archive():
    paper, emdb = percentiles(0.5, 3.0), percentiles(0.5, 3.0, definition="emdb")
    assert "lower value" in paper.text
    assert "itself counted" in emdb.text
    assert paper.archive == emdb.archive == read_archive().label
    assert "25396 entries" in paper.archive


def test_emdbs_column_follows_its_own_definition(extra_data):
    """EMDB's q_relative, of an earlier state of its table: one point with ± 1.0 Å, six with 0.5."""
    with (extra_data / "emdb_statistics" / "va-2025.csv").open(encoding="utf-8") as handle:
        rows = [r for r in csv.DictReader(handle) if r["resolution"] and r["q_relative"]]
    rows = [r for r in rows[::40] if 1 <= float(r["resolution"]) <= 10]
    assert len(rows) > 500
    off = {}
    for definition in ("emdb", "paper"):
        found = (
            percentiles(float(r["qscore"]), float(r["resolution"]), definition=definition)
            for r in rows
        )
        both = zip(found, rows, strict=True)
        off[definition] = np.median(
            [abs(p.of_resolution - 100 * float(r["q_relative"])) for p, r in both]
        )
    assert off["emdb"] < 1.0
    assert off["paper"] > 5.0
