"""Figures as plotly's JSON, for the page and for notebooks.

Only traces of SVG: browsers give a page few contexts of WebGL, and the 3-D view needs one.
"""

from html import escape
from typing import Any

import numpy as np

from atomsight.report.colours import BLUE, GREY, OUTLINE, ROLES, STRIP
from atomsight.report.figure import Axis, Cloud, Figure, Role, Rule, Series, Strip, in_right_part
from atomsight.typing import FloatArray

_DIGITS = 6
_TEXT = "#808080"
_GRID = "rgba(128,128,128,0.22)"
_BAND = "rgba(128,128,128,0.16)"
_CLEAR = "rgba(0,0,0,0)"
_FONT = {"family": "system-ui, sans-serif", "size": 12, "color": _TEXT}
_SMALL = 11
_FEW = 5
_MANY = 400

_HEIGHT = 380
_STRIP_ROW, _STRIP_FRAME, _STRIP_LEAST = 15, 110, 230
_RIGHT, _RIGHT_WITH_NAMES = 20, 80

_SYMBOLS = {
    "circle": "circle",
    "diamond": "diamond",
    "square": "square",
    "triangle": "triangle-up",
    "cross": "x-thin",
}


def plotly_figure(figure: Figure) -> dict[str, Any]:
    """A figure as a plain dict that plotly draws.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    dict
        ``data`` and ``layout``, of what JSON knows. ``customdata`` of a trace: rows of residues,
        -1 where there is none.
    """
    named = any(isinstance(part, Series) and part.name for part in figure.parts)
    return {
        "data": [_trace(part) for part in figure.parts],
        "layout": _layout(figure, named=named),
    }


def _trace(part: Series | Cloud | Strip) -> dict[str, Any]:
    if isinstance(part, Cloud):
        return _cloud(part)
    if isinstance(part, Strip):
        return _strip(part)
    return _bars(part) if part.draw == "bars" else _scatter(part)


def _bars(part: Series) -> dict[str, Any]:
    return {
        "type": "bar",
        **_common(part),
        "width": part.bin_width,
        "marker": {"color": ROLES[part.role], "line": {"width": 0}},
    }


def _scatter(part: Series) -> dict[str, Any]:
    colour = ROLES[part.role]
    trace = {"type": "scatter", **_common(part)}
    line = {"color": colour, "width": 1.6, "dash": "dash" if part.dashed else "solid"}
    if part.draw == "points":
        entry = part.role is Role.ENTRY and len(part.x) == 1
        edge: dict[str, Any] = {"width": 1.5 if entry else 0, "color": OUTLINE}
        if part.symbol == "cross":
            edge = {"width": 1.5, "color": colour}
        marker: dict[str, Any] = {"color": colour, "symbol": _SYMBOLS[part.symbol], "line": edge}
        if len(part.x) > _MANY:
            marker["opacity"] = 0.6
        return trace | {"mode": "markers", "marker": marker | {"size": 14 if entry else 6}}
    if part.draw == "steps":
        return trace | {"mode": "lines", "line": line | {"shape": "hv"}}
    if part.rows is None:
        return trace | {"mode": "lines", "line": line, "connectgaps": False}
    # a residue between two gaps has no line to either side
    dots = {"color": colour, "size": 3.5}
    return trace | {"mode": "lines+markers", "line": line, "marker": dots, "connectgaps": False}


def _common(part: Series) -> dict[str, Any]:
    common: dict[str, Any] = {
        "name": safe(part.name),
        "showlegend": bool(part.name),
        "x": plain(part.x),
        "y": plain(part.y),
    }
    if part.rows is not None:
        common["customdata"] = part.rows.tolist()
    if part.labels:
        common["text"] = [safe(label) for label in part.labels]
        common["hovertemplate"] = "%{text}: %{y}"
    else:
        common["hovertemplate"] = "%{x}: %{y}"
    if not part.name:
        common["hovertemplate"] += "<extra></extra>"
    return common


def _cloud(part: Cloud) -> dict[str, Any]:
    count = np.where(part.count > 0, part.count, np.nan)
    decades = range(int(np.log10(np.nanmax(count, initial=1.0))) + 1)
    return {
        "type": "heatmap",
        "name": safe(part.name),
        "x": plain(part.x),
        "y": plain(part.y),
        "z": [plain(line, 3) for line in np.log10(count)],
        "text": [plain(line) for line in count],
        "hovertemplate": f"%{{x}}, %{{y}}: %{{text}} {safe(part.name)}<extra></extra>",
        "hoverongaps": False,
        "colorscale": [[0.0, _shade(0.25)], [1.0, _shade(1.0)]],
        "zmin": 0.0,
        "colorbar": _colour_bar(safe(part.name))
        | {"tickvals": [*decades], "ticktext": [str(10**decade) for decade in decades]},
    }


def _shade(opacity: float) -> str:
    red, green, blue = (int(BLUE[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def _strip(part: Strip) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "name": safe(part.name),
        "x": plain(part.x),
        "y": [safe(name) for name in part.y],
        "z": [plain(line, 3) for line in part.value],
        "customdata": part.rows.tolist(),
        "hovertemplate": f"%{{y}} %{{x}}: {safe(part.name)} %{{z}}<extra></extra>",
        "hoverongaps": False,
        "colorscale": [[0.0, STRIP[0]], [0.5, STRIP[1]], [1.0, STRIP[2]]],
        "zmin": part.low,
        "zmax": part.high,
        "colorbar": _colour_bar(safe(part.name)),
    }


def _colour_bar(title: str) -> dict[str, Any]:
    return {
        "title": {"text": title, "side": "right"},
        "thickness": 12,
        "outlinewidth": 0,
        "tickfont": {"size": _SMALL},
    }


def _layout(figure: Figure, *, named: bool) -> dict[str, Any]:
    strip = next((part for part in figure.parts if isinstance(part, Strip)), None)
    beside = any(rule.along == "y" and rule.name for rule in figure.rules)
    layout: dict[str, Any] = {
        "height": _HEIGHT if strip is None else _strip_height(strip),
        "paper_bgcolor": _CLEAR,
        "plot_bgcolor": _CLEAR,
        "font": _FONT,
        "margin": {"l": 60, "r": _RIGHT_WITH_NAMES if beside else _RIGHT, "t": 36, "b": 50},
        "xaxis": _axis(figure.x),
        "yaxis": _axis(figure.y),
        "barmode": "stack",
        "bargap": 0,
        "hovermode": "closest",
        "showlegend": named,
        "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"},
        "shapes": [_shape(rule) for rule in figure.rules],
        "annotations": [_note(figure, rule) for rule in figure.rules if rule.name],
    }
    bars = [p.y for p in figure.parts if isinstance(p, Series) and p.draw == "bars"]
    if bars and np.concatenate(bars).max(initial=0.0) <= _FEW:
        layout["yaxis"]["dtick"] = 1  # there is no half of an atom
    if strip is not None:
        # names such as 1 and 2 are no numbers, and the first chain stands on top
        layout["yaxis"] |= {"type": "category", "autorange": "reversed", "showgrid": False}
        layout["xaxis"] |= {"showgrid": False}
    return layout


def _strip_height(strip: Strip) -> int:
    return max(_STRIP_FRAME + _STRIP_ROW * len(strip.y), _STRIP_LEAST)


def _axis(axis: Axis) -> dict[str, Any]:
    drawn: dict[str, Any] = {
        "title": {"text": safe(axis.title)},
        "gridcolor": _GRID,
        "linecolor": _TEXT,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": _TEXT,
        "automargin": True,
    }
    if axis.names:
        drawn |= {
            "tickvals": [*range(len(axis.names))],
            "ticktext": [safe(name) for name in axis.names],
            "showgrid": False,
        }
    if axis.low is not None and axis.high is not None:
        drawn["range"] = [axis.low, axis.high]
    elif axis.low == 0.0:
        drawn["rangemode"] = "tozero"
    return drawn


def _shape(rule: Rule) -> dict[str, Any]:
    """A line or a band across the whole figure."""
    across = "y" if rule.along == "x" else "x"
    low, high = rule.value, rule.value if rule.upper is None else rule.upper
    shape: dict[str, Any] = {
        "type": "line" if rule.upper is None else "rect",
        f"{across}ref": "paper",
        f"{across}0": 0,
        f"{across}1": 1,
        f"{rule.along}ref": rule.along,
        f"{rule.along}0": low,
        f"{rule.along}1": high,
        "layer": "below",
    }
    if rule.upper is None:
        return shape | {"line": {"color": GREY, "width": 1.2, "dash": "dot"}}
    return shape | {"line": {"width": 0}, "fillcolor": _BAND}


def _note(figure: Figure, rule: Rule) -> dict[str, Any]:
    """The name of a rule: to the right of the figure, or beside the line at its top."""
    value = rule.value if rule.upper is None else rule.upper
    note: dict[str, Any] = {
        "text": safe(rule.name),
        "showarrow": False,
        "font": {"size": _SMALL},
        "xanchor": "left",
    }
    if rule.along == "y":
        return note | {"xref": "paper", "x": 1.005, "yref": "y", "y": value, "yanchor": "middle"}
    side = "right" if in_right_part(figure, value) else "left"
    place = {"xref": "x", "x": value, "yref": "paper", "y": 1.0, "yanchor": "top"}
    return note | place | {"xanchor": side}


def safe(text: str) -> str:
    """Text that plotly shows as it is: it reads some of HTML.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Line ends as plotly has them.
    """
    return escape(text, quote=False).replace("\n", "<br>")


def plain(values: FloatArray, digits: int = _DIGITS) -> list[int | float | None]:
    """Numbers as JSON has them: short, whole ones without a point, None for NaN and Inf.

    Parameters
    ----------
    values : ndarray, shape (k,)
    digits : int
        Significant ones that stay of numbers that are not whole.

    Returns
    -------
    list
    """
    values = np.asarray(values, dtype=float)
    finite = np.isfinite(values)
    known = np.where(finite, values, 0.0)
    with np.errstate(divide="ignore"):
        exponent = np.floor(np.log10(np.abs(known)))
    places = np.clip(np.where(known == 0, 0, digits - 1 - exponent), -300, 300).astype(int)
    whole = known == np.round(known)
    short = [
        int(value) if is_whole else round(value, place)
        for value, is_whole, place in zip(
            known.tolist(), whole.tolist(), places.tolist(), strict=True
        )
    ]
    return [value if known else None for value, known in zip(short, finite.tolist(), strict=True)]
