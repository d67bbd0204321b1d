"""Archives: what is built of a table, and what it lets expect."""

import gzip
import hashlib
import json
import shutil

import numpy as np
import pytest

from atomsight.archive.archives import archive_facts, build_archive, expected_from
from atomsight.errors import ArchiveFileError, ParameterError
from tests.support.entries import CUBIC, write_table


def test_an_archive_names_its_source(archive, table):
    assert (archive.name, archive.table, archive.date) == ("own", "own.csv", "2025-01-02")
    assert archive.sha256 == hashlib.sha256(table.read_bytes()).hexdigest()
    assert archive.program.startswith("atomsight ")
    assert (archive.sigma, archive.filters, archive.notes) == (0.4, (), ())
    assert archive.label == f"own (2025-01-02, 400 entries, {archive.sha256[:8]})"


def test_a_name_can_be_given_and_the_date_is_todays(table):
    made = build_archive(table, name="Our institute", sigma=0.6)
    assert made.name == "Our institute"
    assert made.sigma == 0.6
    assert len(made.date.split("-")) == 3


@pytest.mark.parametrize(("file", "name"), [("a.b.csv", "a.b"), ("plain", "plain")])
def test_the_name_is_the_files_without_its_ending(table, tmp_path, file, name):
    shutil.copy(table, tmp_path / file)
    assert build_archive(tmp_path / file).name == name


def test_a_gzipped_table_is_named_without_either_ending(table, tmp_path):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(table.read_bytes()))
    assert build_archive(tmp_path / "t.csv.gz").name == "t"


def test_facts_are_json_and_name_everything(archive):
    facts = json.loads(json.dumps(archive_facts(archive), allow_nan=False))
    assert facts["n"] == facts["measures"]["q"] == 400
    assert facts["regression"]["n"] == 400
    assert [fit["degree"] for fit in facts["regression"]["fits"]] == [1, 2, 3, 4]
    assert len(facts["windows"]) == 12
    for key in ("name", "date", "table", "sha256", "program", "sigma", "filters", "notes"):
        assert key in facts


def test_only_entries_with_at_least_a_value(table, archive):
    some = build_archive(table, at_least={"inclusion": 0.6, "q": 0.4})
    measures = archive.entries.measures
    kept = (measures["inclusion"] >= 0.6) & (measures["q"] >= 0.4)
    assert some.filters == ("inclusion >= 0.6", "q >= 0.4")
    assert some.entries.ids.tolist() == archive.entries.ids[kept].tolist()
    assert some.regression.n == kept.sum() < 400


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"at_least": {"cc": 0.7}}, "own.csv: no measure 'cc' to choose by; it has q, inclusion"),
        ({"sigma": 0.0}, "sigma 0"),
        ({"sigma": float("nan")}, "sigma nan"),
    ],
)
def test_options_that_mean_nothing_are_refused(table, options, message):
    with pytest.raises(ParameterError, match=message):
        build_archive(table, **options)


def test_too_few_entries_name_the_table(tmp_path):
    path = write_table(tmp_path / "few.csv", ("resolution", "q"), [3.0, 4.0], [0.5, 0.4])
    with pytest.raises(ArchiveFileError, match=r"few.csv: 2 entries .* needs 50"):
        build_archive(path)


def test_expected_values_follow_the_archives_own_cubic(tmp_path):
    d = np.linspace(2, 8, 300)
    q = np.polyval(CUBIC, d) + np.tile([-0.05, 0.03, 0.03], 100)
    archive = build_archive(
        write_table(tmp_path / "t.csv", ("resolution", "q"), d, q), date="2025-01-02"
    )
    expected, reason = expected_from(archive, 3.2)
    # 0.4626672 as in test_expected; the noise has mean 0.01/3; the peak may lie within ± 0.01
    assert reason == ""
    assert expected.peak == pytest.approx(0.4626672 + 0.03, abs=0.011)
    assert expected.low == pytest.approx(0.4626672 - 0.05, abs=0.002)
    assert expected.high == pytest.approx(0.4626672 + 0.03, abs=0.002)
    assert expected.definition == "cubic of t 2025-01-02 (300 entries, 2-8 Å, sigma 0.4)"
    assert "95 %" in expected.band


@pytest.mark.parametrize("resolution", [1.99, 8.01, 12.0, None, float("nan")])
def test_nothing_is_expected_beyond_the_entries(tmp_path, resolution):
    d = np.linspace(2, 8, 300)
    archive = build_archive(
        write_table(tmp_path / "t.csv", ("resolution", "q"), d, np.polyval(CUBIC, d))
    )
    expected, reason = expected_from(archive, resolution)
    assert expected is None
    assert ("no resolution" if resolution is None else "outside 2-8 Å") in reason


def test_nothing_is_expected_of_a_q_of_another_sigma(archive):
    assert expected_from(archive, 3.2, 0.4)[0] == expected_from(archive, 3.2)[0] is not None
    assert expected_from(archive, 3.2, 0.6) == (None, "the archive's Q has sigma 0.4, not 0.6")
