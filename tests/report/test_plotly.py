"""Figures as plotly's JSON. plotly itself checks that every property is one that it knows."""

import json
import math

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.report.colours import ROLES
from atomsight.report.figure import Axis, Cloud, Figure, Role, Rule, Series, Strip
from atomsight.report.figures.atoms import profile_figure
from atomsight.report.plotly import plain, plotly_figure, safe
from tests.support.results import drawn, with_chains

X = np.arange(4.0)
NASTY = '<img src=x onerror="alert(1)"> & </b>'


def one(*parts, **more) -> dict:
    """plotly's dict of a figure with these parts."""
    axes = {"x": Axis("x"), "y": Axis("y")} | more
    return plotly_figure(Figure(key="k", title="t", parts=parts, **axes))


@pytest.mark.parametrize("which", ["small", "mixed", "bare", "halved"])
def test_plotly_takes_every_figure_and_so_does_json(which, request):
    found = request.getfixturevalue(which)
    for figure in [*drawn(found).values(), profile_figure(found, 1)]:
        made = plotly_figure(figure)
        assert set(made) == {"data", "layout"}
        text = json.dumps(made, allow_nan=False)
        assert json.loads(text) == made
        go.Figure(made)
        assert {trace["type"] for trace in made["data"]} <= {"scatter", "bar", "heatmap"}


def test_rows_of_residues_go_along(mixed):
    made = plotly_figure(drawn(mixed)["chain_A"])
    for trace in made["data"]:
        assert len(trace["customdata"]) == len(trace["x"]) == len(trace["y"]) == len(trace["text"])
        for row, y, label in zip(trace["customdata"], trace["y"], trace["text"], strict=True):
            assert (label == "") == (row == -1)
            if y is not None and trace["name"] == "backbone":
                assert y == pytest.approx(mixed.residues["q_backbone"][row], rel=1e-5)
    strip = plotly_figure(drawn(mixed)["glance"])["data"][0]
    assert np.array(strip["customdata"]).shape == (len(strip["y"]), len(strip["x"]))


def test_missing_values_end_a_line():
    trace = one(Series("", X, np.array([1, np.nan, np.inf, 2.0])))["data"][0]
    assert trace["y"] == [1, None, None, 2]
    assert trace["connectgaps"] is False


def test_nothing_from_a_file_is_markup(small):
    part = Series(NASTY, X, X, "points", labels=(NASTY,) * 4)
    made = one(part, x=Axis(NASTY, names=(NASTY,)), y=Axis(NASTY), rules=(Rule("x", 1.0, NASTY),))
    strip = Strip(NASTY, X, (NASTY,), X[None], X[None].astype(int), 0, 1)
    cloud = Cloud(NASTY, X, X, np.ones((4, 4)))
    for text in (json.dumps(made), json.dumps(one(strip)), json.dumps(one(cloud))):
        assert "<img" not in text
        assert "</b>" not in text
    for figure in drawn(with_chains(small, ["<b>", "a&b"])).values():
        text = json.dumps(plotly_figure(figure))
        assert "<b>" not in text
        assert "a&b" not in text


def test_escaped_text_reads_as_it_was():
    assert safe("<b> & 5'\n2") == "&lt;b&gt; &amp; 5'<br>2"


def test_chains_that_are_called_like_numbers_keep_their_names():
    strip = Strip("Q", X, ("2", "10", "1"), np.zeros((3, 4)), np.zeros((3, 4), dtype=int), 0, 1)
    made = one(strip)
    assert made["layout"]["yaxis"]["type"] == "category"
    assert made["layout"]["yaxis"]["autorange"] == "reversed"
    assert made["data"][0]["y"] == ["2", "10", "1"]


def test_many_chains_get_a_taller_figure():
    heights = []
    for n in (2, 40):
        rows = np.zeros((n, 4), dtype=int)
        strip = Strip("Q", X, tuple(map(str, range(n))), rows * 1.0, rows, 0, 1)
        heights.append(one(strip)["layout"]["height"])
    assert heights[1] > heights[0] >= 200


def test_a_cloud_has_no_cells_without_entries():
    trace = one(Cloud("entries", X[:2], X[:2], np.array([[0, 1], [10, 100.0]])))["data"][0]
    assert trace["z"] == [[None, 0], [1, 2]]
    assert trace["text"] == [[None, 1], [10, 100]]
    assert trace["colorbar"]["ticktext"] == ["1", "10", "100"]
    assert "customdata" not in trace


def test_an_empty_cloud_is_drawn():
    go.Figure(one(Cloud("entries", X, X, np.zeros((4, 4)))))


def test_ways_of_drawing():
    parts = (
        Series("line", X, X, dashed=True),
        Series("residues", X, X, rows=np.arange(4)),
        Series("points", X, X, "points", symbol="cross"),
        Series("steps", X, X, "steps"),
        Series("bars", X, X, "bars", bin_width=1.0),
    )
    line, residues, points, steps, bars = one(*parts)["data"]
    assert (line["mode"], line["line"]["dash"]) == ("lines", "dash")
    assert residues["mode"] == "lines+markers"
    assert (points["mode"], points["marker"]["symbol"]) == ("markers", "x-thin")
    assert steps["line"]["shape"] == "hv"
    assert (bars["type"], bars["width"]) == ("bar", 1.0)
    assert one(*parts)["layout"]["barmode"] == "stack"


def test_every_role_has_a_colour_of_its_own():
    assert set(ROLES) == set(Role)
    assert len(set(ROLES.values())) == len(Role)


def test_only_named_series_are_in_the_key():
    made = one(Series("", X, X), Series("named", X, X))
    assert [trace["showlegend"] for trace in made["data"]] == [False, True]
    assert one(Series("", X, X))["layout"]["showlegend"] is False


def test_rules_and_bands_cross_the_figure():
    rules = (Rule("y", 0.2, "low", 0.6), Rule("x", 3.0, "right"), Rule("x", 0.0, ""))
    layout = one(Series("", X, X), rules=rules)["layout"]
    band, right, left = layout["shapes"]
    assert (band["type"], band["y0"], band["y1"]) == ("rect", 0.2, 0.6)
    assert (band["xref"], band["x0"], band["x1"]) == ("paper", 0, 1)
    assert (right["type"], right["x0"], right["x1"]) == ("line", 3.0, 3.0)
    assert (left["yref"], left["y0"], left["y1"]) == ("paper", 0, 1)
    notes = {note["text"]: note for note in layout["annotations"]}
    assert set(notes) == {"low", "right"}
    assert notes["low"]["y"] == 0.6
    assert notes["right"]["xanchor"] == "right"


def test_axes():
    layout = one(
        Series("", X, X),
        x=Axis("backwards", 5.0, 1.0),
        y=Axis("up", 0.0),
    )["layout"]
    assert layout["xaxis"]["range"] == [5.0, 1.0]
    assert layout["yaxis"]["rangemode"] == "tozero"
    assert "title" not in layout
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    words = one(Series("", X, X), x=Axis("", names=("one", "two\nlines")))["layout"]["xaxis"]
    assert words["tickvals"] == [0, 1]
    assert words["ticktext"] == ["one", "two<br>lines"]


@given(st.lists(st.floats(width=64), max_size=30))
def test_numbers_are_short_and_hardly_rounded(values):
    short = plain(np.array(values))
    json.dumps(short, allow_nan=False)
    for value, made in zip(values, short, strict=True):
        if not math.isfinite(value):
            assert made is None
        elif value == round(value):
            assert made == value
            assert isinstance(made, int)
        else:
            assert made == pytest.approx(value, rel=1e-5, abs=1e-300)


@given(st.floats(-1000, 1000, allow_nan=False))
def test_numbers_of_usual_size_have_six_digits_at_most(value):
    (made,) = plain(np.array([value]))
    if value != round(value) and abs(value) > 1e-3:
        digits = f"{made:.12f}".replace(".", "").replace("-", "").strip("0")
        assert len(digits) <= 6
