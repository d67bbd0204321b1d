"""One description of a figure, that a page, a notebook and a printed supplement all draw."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np

from atomsight.typing import FloatArray, Int_N

_RIGHT = 0.7

Draw = Literal["line", "points", "bars", "steps"]


class Role(StrEnum):
    """What a colour stands for; the drawing program knows which colour that is."""

    MAIN = "main"
    SECOND = "second"
    THIRD = "third"
    MUTED = "muted"
    ENTRY = "entry"
    """The model at hand among others."""


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis.

    Attributes
    ----------
    title : str
        With its unit.
    low, high : float or None
        Ends; from the data when None. `low` above `high`: the axis runs backwards.
    names : tuple of str
        Words at 0, 1, 2, … instead of numbers; empty: numbers.
    """

    title: str
    low: float | None = None
    high: float | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """Values that are drawn in one way.

    Attributes
    ----------
    name : str
        For the key; empty: not in it.
    x, y : ndarray, shape (k,)
        NaN ends a line. Bars stand on x, and on the bars of the series before; steps go from
        one x to the next.
    draw : {"line", "points", "bars", "steps"}
    role : Role
    symbol : {"circle", "diamond", "square", "triangle", "cross"}
        Of points.
    dashed : bool
    rows : ndarray of int, shape (k,), or None
        Row of the residue that each value is of, for linking; -1 where there is none.
    labels : tuple of str
        Name of each value for people; empty, or one a value.
    bin_width : float
        Of bars, in units of x.
    """

    name: str
    x: FloatArray
    y: FloatArray
    draw: Draw = "line"
    role: Role = Role.MAIN
    symbol: Literal["circle", "diamond", "square", "triangle", "cross"] = "circle"
    dashed: bool = False
    rows: Int_N | None = None
    labels: tuple[str, ...] = ()
    bin_width: float = 0.0


@dataclass(frozen=True, slots=True)
class Cloud:
    """Numbers of many points in cells, drawn as shades.

    Attributes
    ----------
    name : str
    x, y : ndarray, shapes (a,) and (b,)
        Centres of the cells.
    count : ndarray, shape (b, a)
    """

    name: str
    x: FloatArray
    y: FloatArray
    count: FloatArray


@dataclass(frozen=True, slots=True)
class Strip:
    """One coloured row a chain.

    Attributes
    ----------
    name : str
    x : ndarray, shape (a,)
        Residue numbers.
    y : tuple of str
        Names of the b chains.
    value : ndarray, shape (b, a)
        NaN where there is no such residue.
    rows : ndarray of int, shape (b, a)
        Row of each residue; -1 where there is none.
    low, high : float
        Values at the ends of the colours.
    """

    name: str
    x: FloatArray
    y: tuple[str, ...]
    value: FloatArray
    rows: Int_N
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line across the figure at one value, or a band between two.

    Attributes
    ----------
    along : {"x", "y"}
        Which axis the value stands on.
    value : float
    name : str
        Written beside it.
    upper : float or None
        A band from `value` to here.
    """

    along: Literal["x", "y"]
    value: float
    name: str
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure.

    Attributes
    ----------
    key : str
        Name of its file, and what `plot` calls it.
    title : str
    x, y : Axis
    parts : tuple of Series, Cloud or Strip
        Drawn in this order.
    rules : tuple of Rule
    caption : str
        What it shows, with definitions and sources, in whole sentences.
    group : str
        Figures of one group are shown one at a time, under `title`; empty: by itself.
    """

    key: str
    title: str
    x: Axis
    y: Axis
    parts: tuple[Series | Cloud | Strip, ...]
    rules: tuple[Rule, ...] = ()
    caption: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """A figure that these inputs do not allow.

    Attributes
    ----------
    key, title : str
    reason : str
        One sentence that says what to give.
    """

    key: str
    title: str
    reason: str = field(default="")


def in_right_part(figure: Figure, x: float) -> bool:
    """Whether a place on the x-axis lies so far right that a name beside it must stand left.

    Parameters
    ----------
    figure : Figure
    x : float

    Returns
    -------
    bool
    """
    low, high = figure.x.low, figure.x.high
    if low is None or high is None:
        places = [part.x[np.isfinite(part.x)] for part in figure.parts]
        every = np.concatenate([*places, np.array([x])])
        low, high = float(every.min()), float(every.max())
    return (x - low) > _RIGHT * (high - low)


def counts(values: np.ndarray, edges: np.ndarray) -> FloatArray:
    """Numbers of values between edges, NaN left out, those beyond the ends in the last bins.

    Parameters
    ----------
    values : ndarray
    edges : ndarray, shape (k + 1,)

    Returns
    -------
    ndarray, shape (k,)
    """
    finite = values[np.isfinite(values)]
    inside = np.clip(finite, edges[0], edges[-1])
    return np.histogram(inside, edges)[0].astype(float)
