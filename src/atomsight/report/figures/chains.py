"""Scores along each chain, and all chains at a glance."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from atomsight.report.figure import Axis, Figure, Role, Rule, Series, Strip
from atomsight.report.figures.common import (
    Q_2020,
    Q_2025,
    Drawn,
    chain_rows,
    expected_rules,
    expected_words,
    file_keys,
    is_polymer,
    q_axis,
    residue_labels,
    shown_chain,
)
from atomsight.report.results import Results
from atomsight.typing import Float_N, Int_N

Line = tuple[str, str, Role]
"""Name, column, role."""

_Q_LINES: Mapping[str, tuple[Line, ...]] = {
    "protein": (
        ("side chain", "q_sidechain", Role.SECOND),
        ("backbone", "q_backbone", Role.MAIN),
    ),
    "nucleic": (
        ("base", "q_base", Role.THIRD),
        ("sugar", "q_sugar", Role.SECOND),
        ("phosphate", "q_phosphate", Role.MAIN),
    ),
}
"""The steadiest last, so that it is drawn over the others."""

_MARKS: Mapping[str, tuple[Literal["square", "diamond", "triangle", "circle"], Role]] = {
    "saccharide": ("square", Role.THIRD),
    "ligand": ("diamond", Role.THIRD),
    "ion": ("triangle", Role.THIRD),
    "water": ("circle", Role.MUTED),
}

_FAR = 2.0
"""Where ligands and water make the axis this many times as long as the polymer, they get their
own figure."""

_GAPS = "A line ends where residues, or their atoms, are missing. "


@dataclass(frozen=True, slots=True)
class Measure:
    """A score of residues that is drawn along chains.

    Attributes
    ----------
    key : str
        Beginning of the figures' keys.
    group : str
    lines : mapping
        Class of the polymer → its lines.
    column : str
        What the marks of single residues show.
    y : Axis
    rules : tuple of Rule
    caption : str
        Sentences that every figure ends with.
    """

    key: str
    group: str
    lines: Mapping[str, tuple[Line, ...]]
    column: str
    y: Axis
    rules: tuple[Rule, ...]
    caption: str


def q_chains(results: Results) -> Drawn:
    """Q along each chain.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure
    """
    columns = ("q", *(name for lines in _Q_LINES.values() for _, name, _ in lines))
    sigma = results.facts["q_score"]["sigma"]
    measure = Measure(
        key="chain",
        group="chains",
        lines=_Q_LINES,
        column="q",
        y=q_axis(*(results.residues[name] for name in columns)),
        rules=expected_rules(results),
        caption=f"Mean Q of the atoms (sigma {sigma:g} Å, {Q_2020}). "
        f"{expected_words(results)} As in Figs. 3 to 5 of {Q_2025}.",
    )
    return tuple(along_chains(results, measure))


def along_chains(results: Results, measure: Measure) -> Iterator[Figure]:
    """One figure a chain; two where its ligands are numbered far from its polymer.

    Parameters
    ----------
    results : Results
    measure : Measure

    Yields
    ------
    Figure
    """
    found = []
    for chain, rows in chain_rows(results):
        name = shown_chain(chain)
        polymer = is_polymer(results)[rows]
        number = results.residues["number"][rows]
        if _far_apart(number, polymer):
            found.append((chain, f"Chain {name}", rows[polymer]))
            found.append((f"{chain}_others", f"Chain {name}, other than polymer", rows[~polymer]))
        else:
            found.append((chain, f"Chain {name}", rows))
    keys = file_keys((name for name, _, _ in found), measure.key)
    for key, (_, title, rows) in zip(keys, found, strict=True):
        parts = tuple(_parts(results, measure, rows))
        if parts:
            yield Figure(
                key=key,
                title=title,
                x=Axis("residue number"),
                y=measure.y,
                parts=parts,
                rules=measure.rules,
                caption=f"{_counted(results, rows)}, numbered as in the file. "
                + (_GAPS if any(part.draw == "line" for part in parts) else "")
                + measure.caption,
                group=measure.group,
            )


def _far_apart(number: Int_N, polymer: np.ndarray) -> bool:
    if not polymer.any() or polymer.all():
        return False
    return bool(np.ptp(number) + 1 > _FAR * (np.ptp(number[polymer]) + 1))


def _counted(results: Results, rows: Int_N) -> str:
    count = Counter(results.residues["class"][rows].tolist())
    kinds = ", ".join(f"{count[kind]} {kind}" for kind in (*_Q_LINES, *_MARKS) if count[kind])
    return f"n = {len(rows)} residue{'' if len(rows) == 1 else 's'} ({kinds})"


def _parts(results: Results, measure: Measure, rows: Int_N) -> Iterator[Series]:
    kind = results.residues["class"][rows]
    both = len({*kind.tolist()} & {*measure.lines}) > 1
    for polymer, lines in measure.lines.items():
        chosen = rows[kind == polymer]
        if not len(chosen):
            continue
        x, at = walk(results, chosen)
        labels = residue_labels(results, at)
        for name, column, role in lines:
            y = _taken(results.residues[column], at)
            if np.isfinite(y).any():
                dashed = both and polymer == "nucleic"
                yield Series(name, x, y, "line", role, dashed=dashed, rows=at, labels=labels)
    for other, (symbol, role) in _MARKS.items():
        chosen = rows[kind == other]
        y = results.residues[measure.column][chosen]
        chosen, y = chosen[np.isfinite(y)], y[np.isfinite(y)]
        if len(chosen):
            x = _places(results, chosen)
            labels = residue_labels(results, chosen)
            yield Series(other, x, y, "points", role, symbol, rows=chosen, labels=labels)


def _taken(values: Float_N, rows: Int_N) -> Float_N:
    """Values at rows, NaN where the row is -1."""
    return np.where(rows < 0, np.nan, values[rows])


def _places(results: Results, rows: Int_N) -> Float_N:
    """Residue numbers; residues that share one stand between it and the next."""
    number, asym = results.residues["number"][rows], results.residues["label_asym"][rows]
    new = np.r_[True, (number[1:] != number[:-1]) | (asym[1:] != asym[:-1])]
    start = np.flatnonzero(new)
    run = np.cumsum(new) - 1
    length = np.diff(np.r_[start, len(rows)])
    places: Float_N = number + (np.arange(len(rows)) - start[run]) / length[run]
    return places


def walk(results: Results, rows: Int_N) -> tuple[Float_N, Int_N]:
    """The way along a polymer, with a break at each gap in its numbers.

    Parameters
    ----------
    results : Results
    rows : ndarray of int, shape (k,)
        Residues of one chain, at least one.

    Returns
    -------
    x : ndarray
        Residue number, a fraction further for each insertion code; NaN at breaks.
    rows : ndarray of int
        -1 at breaks.
    """
    number, asym = results.residues["number"][rows], results.residues["label_asym"][rows]
    step = np.diff(number)
    breaks = np.flatnonzero((step < 0) | (step > 1) | (asym[1:] != asym[:-1])) + 1
    return np.insert(_places(results, rows), breaks, np.nan), np.insert(rows, breaks, -1)


def chain_strip(results: Results) -> Drawn:
    """Q of every polymer residue, one row a chain.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure
        Empty where there is no polymer.
    """
    polymer = is_polymer(results) & np.isfinite(results.residues["q"])
    chains = [(name, rows[polymer[rows]]) for name, rows in chain_rows(results)]
    chains = [(name, rows) for name, rows in chains if len(rows)]
    if not chains:
        return ()
    number, q = results.residues["number"], results.residues["q"]
    x = _columns(number[polymer])
    value = np.full((len(chains), len(x)), np.nan)
    at = np.full(value.shape, -1)
    shared = 0
    for line, (_, rows) in enumerate(chains):
        worst_last = rows[np.argsort(-q[rows], kind="stable")]
        place = np.searchsorted(x, number[worst_last])
        value[line, place], at[line, place] = q[worst_last], worst_last
        shared += len(rows) - len(np.unique(place))
    expected = results.facts["expected"]["value"]
    high = 1.0 if expected is None else float(expected["peak"])
    colours = f"Colours from 0 to {'1' if expected is None else f'Q_peak, {high:.3f}'}."
    if expected is not None:
        colours += f" As in Fig. 3 of {Q_2025}."
    return (
        Figure(
            key="glance",
            title="All chains at a glance",
            x=Axis("residue number"),
            y=Axis("chain"),
            parts=(Strip("Q-score", x, _names(chains), value, at, 0.0, high),),
            caption=f"Mean Q of each polymer residue, n = {int(polymer.sum())} in {len(chains)} "
            f"chain{'' if len(chains) == 1 else 's'}, in the file's order ({Q_2020}). {colours}"
            + (" Of residues that share a number the lowest is drawn." if shared else ""),
        ),
    )


def _columns(number: Int_N) -> Float_N:
    """The numbers in use, with an empty one at either side of each gap."""
    used = np.unique(number)
    return np.unique(
        np.r_[used, (used[:-1] + 1)[np.diff(used) > 1], (used[1:] - 1)[np.diff(used) > 1]]
    ).astype(float)


def _names(chains: list[tuple[str, Int_N]]) -> tuple[str, ...]:
    return tuple(shown_chain(name) for name, _ in chains)
