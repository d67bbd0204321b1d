from dataclasses import replace

import pytest

from atomsight.archive.archives import build_archive
from atomsight.archive.percentiles import percentiles
from atomsight.findings.archive import archive_finding
from tests.support.entries import made_up_table


def test_the_haemoglobin_stands_where_the_function_says(haemoglobin):
    found = archive_finding(haemoglobin)
    q = found.facts["q"]
    # without water, as EMDB's means are
    assert q["value"] == pytest.approx(0.5535, abs=5e-5)
    known = percentiles(q["value"], 3.2)
    assert (q["of_all"], q["of_resolution"]) == (known.of_all, known.of_resolution)
    assert (q["n_all"], q["n_window"]) == (known.n_all, known.n_window)
    assert found.facts["definition"] == known.text
    assert found.facts["inclusion"]["no_all"] == "no contour level given (--contour)"
    assert found.rows == (
        ("percentile", "Q above 84.1 % of 25396 entries, 87.3 % of 15019 within 0.5 Å of 3.2 Å"),
    )


def test_inclusion_at_the_contour_level_has_one_too(evidence):
    found = archive_finding(evidence)
    assert found.facts["inclusion"]["value"] > 0
    assert found.facts["inclusion"]["of_all"] is not None
    assert [row[1].split()[0] for row in found.rows] == ["Q", "inclusion"]


def test_another_definition_and_another_archive(evidence, tmp_path):
    emdb = archive_finding(replace(evidence, definition="emdb"))
    assert emdb.facts["half_width"] == 1.0
    own = build_archive(made_up_table(tmp_path / "own.csv"), name="ours")
    found = archive_finding(replace(evidence, archive=own))
    assert found.facts["archive"].startswith("ours (")
    assert found.facts["archive_sha256"] == own.sha256


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sigma": 0.6}, "none of Q: the archive's Q has sigma 0.4, not 0.6"),
        ({"resolution": 0.8}, "none of similar resolution: 0.8 Å is outside 1-10 Å"),
        ({"resolution": None}, "none of similar resolution: no resolution given"),
    ],
)
def test_where_there_is_none_the_reason_is_shown(evidence, change, reason):
    found = archive_finding(replace(evidence, contour=None, **change))
    assert reason in found.rows[0][1]
