"""Figures drawn for print with matplotlib, which only this module loads."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure as Sheet
from matplotlib.ticker import MaxNLocator

from atomsight.report.colours import BLUE, GREY, OUTLINE, ROLES, STRIP
from atomsight.report.figure import Cloud, Figure, Role, Rule, Series, Strip, in_right_part
from atomsight.typing import FloatArray

_STYLE: Mapping[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.frameon": False,
    "legend.borderaxespad": 0.0,
    "legend.columnspacing": 1.2,
    "legend.handlelength": 1.6,
    "legend.handletextpad": 0.5,
    "figure.dpi": 300,
    "savefig.dpi": 300,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "atomsight",
    "pdf.fonttype": 42,
}
_MM = 1 / 25.4
_NARROW, _MIDDLE, _WIDE, _HIGH = 85.0, 120.0, 175.0, 65.0
"""mm."""

_ROW, _ROWS_HIGH, _FRAME = 4.0, 190.0, 26.0
_LABEL_ROOM = 2.8
_KEY_WIDE, _LETTER = 9.0, 1.4
"""mm; of an entry of the key, and of each of its letters."""

_THICK, _THIN = 0.9, 0.5
_MANY = 400

_NO_DATES: Mapping[str, Mapping[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
_SYMBOLS = {"circle": "o", "diamond": "D", "square": "s", "triangle": "^", "cross": "x"}
_CLOUD_COLOURS = ("#cfe3f0", BLUE, "#00263d")


def save(figure: Figure, path: Path, kind: str) -> None:
    """Draw a figure and write it.

    Parameters
    ----------
    figure : Figure
    path : Path
    kind : {"svg", "png", "pdf"}
    """
    with print_style():
        sheet = draw(figure)
        sheet.savefig(
            path, format=kind, metadata={"Title": _printable(figure.title), **_NO_DATES[kind]}
        )


@contextmanager
def print_style() -> Iterator[None]:
    """The style of print whatever the user's own is, and silence about letters a font lacks.

    Yields
    ------
    None
    """
    with style.context(["default", dict(_STYLE)]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def draw(figure: Figure) -> Sheet:
    """A figure on a sheet of its own size; to be called within `print_style`.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    matplotlib.figure.Figure
    """
    strip = next((part for part in figure.parts if isinstance(part, Strip)), None)
    along = any(
        isinstance(p, Series) and p.draw == "line" and p.rows is not None for p in figure.parts
    )
    width = _WIDE if strip or along else _MIDDLE if figure.x.names else _NARROW
    height = _HIGH
    if strip:
        height = _FRAME + min(_ROW * len(strip.y), _ROWS_HIGH)
    sheet = Sheet(figsize=(width * _MM, height * _MM), layout="constrained")
    axes: Axes = sheet.add_subplot()
    below = np.zeros(0)
    for part in figure.parts:
        if isinstance(part, Cloud):
            _cloud(sheet, axes, part)
        elif isinstance(part, Strip):
            _strip(sheet, axes, part)
        elif part.draw == "bars":
            below = _bars(axes, part, below)
        else:
            _series(axes, part)
    _ends(axes, figure, strip)
    for rule in figure.rules:
        _rule(axes, figure, rule)
    title = _printable(figure.title)
    named = [p.name for p in figure.parts if isinstance(p, Series) and p.name]
    if named:
        longest = _KEY_WIDE + _LETTER * max(map(len, named))
        sheet.legend(
            loc="outside upper left",
            ncols=max(int(width / longest), 1),
            title=title,
            title_fontsize=8,
            alignment="left",
        )
    else:
        axes.set_title(title)
    return sheet


def _bars(axes: Axes, part: Series, below: FloatArray) -> FloatArray:
    """Bars on those of the series before."""
    bottom = below if len(below) else np.zeros(len(part.y))
    axes.bar(
        part.x, part.y, part.bin_width, bottom, color=ROLES[part.role], linewidth=0,
        label=_label(part),
    )  # fmt: skip
    top: FloatArray = bottom + part.y
    return top


def _series(axes: Axes, part: Series) -> None:
    colour, line = ROLES[part.role], "--" if part.dashed else "-"
    thick = _THICK if len(part.x) < _MANY else _THIN
    if part.draw == "steps":
        axes.step(part.x, part.y, line, where="post", color=colour, lw=thick, label=_label(part))
        return
    if part.draw == "line":
        # a residue between two gaps has no line to either side
        marker = "" if part.rows is None else "."
        axes.plot(
            part.x, part.y, line, color=colour, linewidth=thick,
            marker=marker, markersize=2.2 * thick, label=_label(part),
        )  # fmt: skip
        return
    entry = part.role is Role.ENTRY and len(part.x) == 1
    edge = 0.8 if entry or part.symbol == "cross" else 0
    axes.plot(
        part.x, part.y, linestyle="none", marker=_SYMBOLS[part.symbol], color=colour,
        markersize=6 if entry else 2.5, markeredgewidth=edge,
        markeredgecolor=OUTLINE if entry else colour, label=_label(part),
        alpha=0.5 if len(part.x) > _MANY else 1.0, clip_on=not entry, zorder=4 if entry else 2,
    )  # fmt: skip


def _label(part: Series) -> str:
    # a name that begins with _ is left out of the key
    return (
        f"\u200b{_printable(part.name)}"
        if part.name.startswith("_")
        else _printable(part.name) or "_"
    )


def _cloud(sheet: Sheet, axes: Axes, part: Cloud) -> None:
    count = np.ma.masked_less_equal(part.count, 0)
    colours = LinearSegmentedColormap.from_list("cloud", _CLOUD_COLOURS)
    scale = LogNorm(1, max(float(part.count.max(initial=1)), 10.0))
    axes.pcolormesh(
        _edges(part.x), _edges(part.y), count, norm=scale, cmap=colours, rasterized=True
    )
    decades = 10 ** np.arange(int(np.log10(scale.vmax or 10.0)) + 1)
    bar = sheet.colorbar(ScalarMappable(scale, colours), ax=axes, label=_printable(part.name))
    bar.set_ticks(decades.tolist(), labels=[str(n) for n in decades.tolist()])
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)


def _edges(centres: FloatArray) -> FloatArray:
    """Ends of cells, halfway between their centres."""
    between = (centres[1:] + centres[:-1]) / 2
    half = np.diff(centres) / 2 if len(centres) > 1 else np.array([0.5])
    edges: list[FloatArray] = [centres[:1] - half[:1], between, centres[-1:] + half[-1:]]
    return np.concatenate(edges)


def _strip(sheet: Sheet, axes: Axes, part: Strip) -> None:
    colours = LinearSegmentedColormap.from_list("strip", STRIP)
    scale = Normalize(part.low, part.high)
    axes.pcolormesh(
        _edges(part.x), np.arange(len(part.y) + 1) - 0.5, np.ma.masked_invalid(part.value),
        norm=scale, cmap=colours, rasterized=True,
    )  # fmt: skip
    room = min(_ROW, _ROWS_HIGH / len(part.y))
    every = int(np.ceil(_LABEL_ROOM / room))
    axes.set_yticks(
        range(0, len(part.y), every), labels=[_printable(name) for name in part.y[::every]]
    )
    bar = sheet.colorbar(
        ScalarMappable(scale, colours), ax=axes, label=_printable(part.name), aspect=12, shrink=0.9
    )
    bar.outline.set_visible(False)


def _ends(axes: Axes, figure: Figure, strip: Strip | None) -> None:
    axes.set_xlabel(_printable(figure.x.title))
    axes.set_ylabel(_printable(figure.y.title))
    if figure.x.names:
        axes.set_xticks(range(len(figure.x.names)), labels=[_printable(n) for n in figure.x.names])
        axes.tick_params("x", length=0)
    axes.set_xlim(figure.x.low, figure.x.high)
    axes.set_ylim(figure.y.low, figure.y.high)
    if any(isinstance(part, Series) and part.draw == "bars" for part in figure.parts):
        axes.yaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    if strip:
        axes.set_ylim(len(strip.y) - 0.5, -0.5)
        axes.spines["left"].set_visible(False)
        axes.tick_params("y", length=0)


def _rule(axes: Axes, figure: Figure, rule: Rule) -> None:
    draw_line, draw_band = (
        (axes.axvline, axes.axvspan) if rule.along == "x" else (axes.axhline, axes.axhspan)
    )
    if rule.upper is not None:
        draw_band(rule.value, rule.upper, color=GREY, alpha=0.18, linewidth=0, zorder=0)
    else:
        draw_line(rule.value, color=GREY, linewidth=0.8, linestyle=":", zorder=1.5)
    if not rule.name:
        return
    value = rule.value if rule.upper is None else rule.upper
    name = _printable(rule.name)
    if rule.along == "y":
        axes.annotate(
            name, (1.0, value), (3, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", fontsize=6, annotation_clip=False,
        )  # fmt: skip
        return
    left = in_right_part(figure, rule.value)
    axes.annotate(
        name, (value, 1.0), (-2 if left else 2, 0), xycoords=("data", "axes fraction"),
        textcoords="offset points", va="top", ha="right" if left else "left", fontsize=6,
        annotation_clip=False,
    )  # fmt: skip


def _printable(text: str) -> str:
    """Text without control characters, which SVG must not hold."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
