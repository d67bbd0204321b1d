"""The scores that a model can be coloured by: what they mean, and in which colours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from atomsight.report.results import Results
from atomsight.verdict.readings import Reading

Stops = tuple[tuple[float, str], ...]

SAFE = "colour-blind safe"
PUBLISHED = "as published"

# vermillion and blue of Okabe and Ito stay apart for every kind of colour vision
_WORSE, _MIDDLE, _BETTER = "#d55e00", "#e9e4dc", "#0072b2"
_VIRIDIS = ("#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154")


@dataclass(frozen=True, slots=True)
class Score:
    """One way to colour a model.

    Attributes
    ----------
    key : str
        Column of the tables.
    name, unit : str
        For people.
    definition : str
    palettes : mapping
        Name → (value, colour) from low to high; of labels, one colour each.
    worse : {"low", "high", ""}
        Which end is the worse one.
    decimals : int
    labels : tuple of str
        Of a score that is a word.
    atom_column, residue_column : str
        Where it stands in the tables; empty: it has no such column.
    """

    key: str
    name: str
    unit: str
    definition: str
    palettes: Mapping[str, Stops | tuple[str, ...]]
    worse: Literal["low", "high", ""] = ""
    decimals: int = 3
    labels: tuple[str, ...] = ()
    atom_column: str = ""
    residue_column: str = ""


def scores(results: Results) -> tuple[Score, ...]:
    """Scores that these results hold, the Q-score first.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Score
    """
    made = [
        _q(results),
        _verdict(),
        _fsc_q(),
        _fsc_q_r(),
        _local_resolution(results),
        _inclusion(),
        _density(results),
        _cc_mean(results),
        _ca_rmsd(results),
        _b_factor(results),
    ]
    return tuple(
        score
        for score in made
        if _holds(results.atoms, score.atom_column)
        or _holds(results.residues, score.residue_column)
    )


def _holds(columns: Mapping[str, np.ndarray], name: str) -> bool:
    values = columns.get(name)
    if values is None:
        return False
    return bool((values != "").any() if values.dtype.kind == "U" else np.isfinite(values).any())


def _spread(colours: tuple[str, ...], low: float, high: float) -> Stops:
    """Colours at equal distances from low to high."""
    at = np.linspace(low, high, len(colours))
    return tuple(
        (round(float(value), 4), colour) for value, colour in zip(at, colours, strict=True)
    )


def _range(results: Results, column: str) -> tuple[float, float]:
    """Where nearly all of a column lies."""
    source = results.residues if column in results.residues else results.atoms
    values = source.get(column, np.empty(0))
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(finite, [2, 98]))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _q(results: Results) -> Score:
    sigma = results.facts["q_score"]["sigma"]
    return Score(
        key="q",
        name="Q-score",
        unit="",
        definition=(
            f"How much the map around an atom looks like that of a well-resolved one (sigma "
            f"{sigma:g} Å): 1 the same, 0 no likeness. Pintilie et al. 2020."
        ),
        palettes={
            SAFE: ((0.0, _WORSE), (0.5, _MIDDLE), (1.0, _BETTER)),
            PUBLISHED: ((0.0, "#ff0000"), (0.5, "#808080"), (1.0, "#0000ff")),
        },
        worse="low",
        atom_column="q",
        residue_column="q",
    )


def _verdict() -> Score:
    judged = [reading for reading in Reading if reading != Reading.NOT_JUDGED]
    colours = {
        Reading.AS_EXPECTED: "#b8c4cf",
        Reading.WORSE: "#d55e00",
        Reading.NOT_RESOLVED: "#e6c33c",
        Reading.TOO_GOOD: "#7b3fa0",
    }
    return Score(
        key="verdict",
        name="Verdict",
        unit="",
        definition=(
            "Q of a residue against the Q that a right model would have with the signal and the "
            "noise of these data."
        ),
        palettes={SAFE: tuple(colours[reading] for reading in judged)},
        labels=tuple(reading.label for reading in judged),
        residue_column="verdict",
    )


def _fsc_q() -> Score:
    return Score(
        key="fsc_q",
        name="FSC-Q",
        unit="Å",
        definition=(
            "Local resolution of map against model less that of the half maps: above 0 the model "
            "agrees less with the map than the data with themselves, below 0 it agrees better than "
            "the data support. Ramírez-Aportela et al. 2021."
        ),
        palettes={
            SAFE: (
                *((-3.0, "#5e3c99"), (-1.0, "#b2abd2"), (0.0, "#f0efee")),
                *((1.0, "#fdb863"), (3.0, "#d55e00")),
            ),
            PUBLISHED: (
                *((-3.0, "#ff0000"), (-2.0, "#ffa500"), (-1.0, "#ffd700"), (0.0, "#ffff00")),
                *((1.0, "#00ff00"), (2.0, "#00ffff"), (3.0, "#0000ff")),
            ),
        },
        atom_column="fsc_q",
        residue_column="fsc_q",
    )


def _fsc_q_r() -> Score:
    return Score(
        key="fsc_q_r",
        name="FSC-Q_R",
        unit="",
        definition=(
            "FSC-Q over the local resolution of the half maps. Ramírez-Aportela et al. 2021."
        ),
        palettes={
            SAFE: (
                *((-1.0, "#5e3c99"), (-0.3, "#b2abd2"), (0.0, "#f0efee")),
                *((0.3, "#fdb863"), (1.0, "#d55e00")),
            ),
        },
        atom_column="fsc_q_r",
        residue_column="fsc_q_r",
    )


def _local_resolution(results: Results) -> Score:
    low, high = _range(results, "local_resolution_half")
    rainbow = ("#0000ff", "#00ffff", "#00ff00", "#ffff00", "#ff0000")
    return Score(
        key="local_resolution_half",
        name="Local resolution",
        unit="Å",
        definition="Local resolution of the half maps against each other.",
        palettes={
            SAFE: _spread(_VIRIDIS[::-1], low, high),
            "rainbow": _spread(rainbow, low, high),
        },
        worse="high",
        decimals=2,
        atom_column="local_resolution_half",
        residue_column="local_resolution_half",
    )


def _inclusion() -> Score:
    return Score(
        key="inclusion",
        name="Atom inclusion",
        unit="",
        definition=(
            "Whether the map at an atom is above the contour level; of a residue, the share of its "
            "atoms."
        ),
        palettes={SAFE: ((0.0, _WORSE), (0.5, _MIDDLE), (1.0, _BETTER))},
        worse="low",
        decimals=2,
        atom_column="inside",
        residue_column="inclusion",
    )


def _density(results: Results) -> Score:
    high = _range(results, "density")[1]
    return Score(
        key="density",
        name="Density",
        unit="σ",
        definition=(
            "Map value at the atoms above the mean of the map, over its standard deviation. "
            "Rossmann 2000."
        ),
        palettes={SAFE: _spread(_VIRIDIS, 0.0, max(high, 1.0))},
        worse="low",
        decimals=2,
        atom_column="density",
        residue_column="density",
    )


def _cc_mean(results: Results) -> Score:
    low = min(_range(results, "cc_mean")[0], 0.0)
    return Score(
        key="cc_mean",
        name="CC-mean",
        unit="",
        definition=(
            "Correlation about the mean of the map with the map of the model, around a residue. "
            "Equation 9 of Pintilie et al. 2025."
        ),
        palettes={SAFE: ((low, _WORSE), ((low + 1.0) / 2, _MIDDLE), (1.0, _BETTER))},
        worse="low",
        residue_column="cc_mean",
    )


def _ca_rmsd(results: Results) -> Score:
    return Score(
        key="ca_rmsd",
        name=f"{results.rmsd_atoms} RMSD",
        unit="Å",
        definition=(
            f"Spread of a residue's {results.rmsd_atoms} over all pairs of independent models: "
            "below 1 Å the map fixes it, above 3 Å its register may be off. Herzik et al. 2019."
        ),
        palettes={
            SAFE: _spread(_VIRIDIS[::-1], 0.0, max(_range(results, "ca_rmsd")[1], 1.0)),
            PUBLISHED: (
                *((0.0, "#0000ff"), (0.99, "#0000ff"), (1.0, "#808080")),
                *((3.0, "#808080"), (3.01, "#ff0000"), (4.0, "#ff0000")),
            ),
        },
        worse="high",
        decimals=2,
        residue_column="ca_rmsd",
    )


def _b_factor(results: Results) -> Score:
    low, high = _range(results, "b_iso")
    return Score(
        key="b_iso",
        name="B factor of the model",
        unit="Å²",
        definition="As it stands in the model's file; of a residue, the mean of its atoms.",
        palettes={SAFE: _spread(_VIRIDIS[::-1], low, high)},
        worse="high",
        decimals=1,
        atom_column="b_iso",
    )
