"""Results in Jupyter: the view, the figures, the table."""

from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest

import atomsight as ats
from atomsight.report.figures.collect import figures
from atomsight.report.notebook import plot, table, view
from atomsight.report.plotly import plotly_figure
from atomsight.report.results import results_of
from tests.support.pages import CHAIN, RESIDUE, blocks, hostile, validated


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return validated(tmp_path_factory.mktemp("run"))


class Cells(HTMLParser):
    """Texts of a table, line by line."""

    def __init__(self, html):
        super().__init__()
        self.lines, self.tags, self.open = [], set(), False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not attrs
        if tag == "tr":
            self.lines.append([])
        if tag in ("th", "td"):
            self.lines[-1].append("")
            self.open = True

    def handle_endtag(self, tag):
        self.open = self.open and tag not in ("th", "td")

    def handle_data(self, data):
        if self.open:
            self.lines[-1][-1] += data


def test_the_view_is_a_frame_around_a_page_of_its_own(run):
    shown = ats.view(run, height=300)
    frame = shown._repr_html_()
    assert frame.count("<") == 2
    assert frame.startswith("<iframe srcdoc=")
    assert 'style="width: 100%; height: 300px; border: 0"></iframe>' in frame
    assert unescape(frame.split('"')[1]) == shown.html
    assert set(blocks(shown.html)) == {"data", "model", "map", "molstar", "molstar-style"}


def test_the_view_holds_no_figures(run):
    html = view(run).html
    assert b'"figures":[]' in blocks(html)["data"]
    assert 'id="residue-table"' not in html


def test_figures_are_those_of_the_page(run):
    for figure in figures(results_of(run)):
        if hasattr(figure, "reason"):
            with pytest.raises(ats.ParameterError, match=f"no figure '{figure.key}': "):
                plot(run, figure.key)
            continue
        drawn = run.plot(figure.key)
        assert drawn.layout.title.text == figure.title
        assert len(drawn.data) == len(plotly_figure(figure)["data"])


def test_an_unknown_figure_names_those_there_are(run):
    with pytest.raises(ats.ParameterError) as caught:
        plot(run, "nonsense")
    message = str(caught.value)
    assert message.startswith("there is no figure 'nonsense'; there are archive, ")
    assert "fsc_curves" not in message


def test_the_table_shows_the_lowest_residues(run):
    shown = Cells(table(run))
    assert shown.lines[0][0] == "residue"
    at = shown.lines[0].index("Q")
    q = [float(line[at]) for line in shown.lines[1:]]
    assert q == sorted(q)
    assert q[0] == pytest.approx(np.nanmin(run.residues["q"]), abs=5e-4)
    assert len(q) == len(run.residues["q"]) == 8
    assert run._repr_html_() == table(run)
    assert repr(run).startswith("<Validation of model.cif in map.mrc: 20 atoms")
    assert "&lt;Validation of model.cif" in table(run)


def test_names_stay_text(tmp_path):
    shown = Cells(table(hostile(tmp_path)))
    assert shown.tags == {"p", "table", "thead", "tbody", "tr", "th", "td"}
    assert f"{CHAIN}/{RESIDUE} 4<" in [line[0] for line in shown.lines]


def test_a_run_without_any_q_has_an_empty_table(run):
    nothing = np.full(len(run.residues["q"]), np.nan)
    empty = replace(run, residues={**run.residues, "q": nothing})
    assert len(Cells(table(empty)).lines) == 1
