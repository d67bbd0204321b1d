"""What every finding has in common: it fits the tables, the summary and the screen."""

import json

import numpy as np
import polars as pl
import pytest

from atomsight.export.summary_json import write_summary
from atomsight.export.tables import frame
from atomsight.findings.collect import collect
from atomsight.findings.finding import joined, shown


def test_columns_have_one_value_an_atom_or_residue_and_names_of_their_own(evidence):
    findings = collect(evidence)
    assert len(findings) > 1
    for part, n in (("atoms", len(evidence.model)), ("residues", len(evidence.model.residues))):
        names = [name for finding in findings for name in getattr(finding, part)]
        assert len(set(names)) == len(names)
        for finding in findings:
            for name, column in getattr(finding, part).items():
                assert column.shape == (n,), name
    keys = [finding.key for finding in findings]
    assert len(set(keys)) == len(keys)


def test_facts_and_tables_can_be_written(evidence, tmp_path):
    for finding in collect(evidence):
        write_summary(dict(finding.facts), tmp_path / "facts.json")
        assert json.loads((tmp_path / "facts.json").read_text())
        for columns in finding.tables.values():
            assert isinstance(frame(columns), pl.DataFrame)


def test_every_figure_has_a_definition_or_a_reason(evidence):
    for finding in collect(evidence):
        assert any("definition" in key for key in finding.facts), finding.key


def test_without_a_resolution_every_reason_is_told(without_resolution):
    findings = {finding.key: finding for finding in collect(without_resolution)}
    assert "no resolution" in findings["percentiles"].facts["q"]["no_resolution"]
    for key in ("correlation", "b_factors"):
        assert "no resolution given" in findings[key].facts["reason_if_none"]
        assert findings[key].rows[0][1].startswith("none: no resolution given")
        assert (findings[key].atoms, findings[key].residues, findings[key].tables) == ({}, {}, {})


def test_without_everything_there_is_fsc_q_at_most(evidence):
    assert collect(evidence, everything=False) == ()


def test_columns_side_by_side():
    one, two = {"a": np.zeros(2)}, {"b": np.ones(2)}
    assert list(joined(one, two)) == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(0.12345, 4, "0.1235"), (2.0, 2, "2.00"), (None, 4, "-"), (float("nan"), 4, "-")],
)
def test_numbers_on_the_screen(value, decimals, text):
    assert shown(value, decimals) == text
