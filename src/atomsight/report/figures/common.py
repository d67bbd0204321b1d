"""What the figures share: groups of residues, bins, names of files, sources, sentences."""

import re
from collections.abc import Iterable

import numpy as np

from atomsight.report.figure import Absent, Axis, Figure, Role, Rule, Series, counts
from atomsight.report.results import Results
from atomsight.typing import Bool_N, Float_N, FloatArray, Int_N

Drawn = tuple[Figure | Absent, ...]

POLYMERS = ("protein", "nucleic")

Q_2020 = "Pintilie et al. 2020, Nat. Methods 17, 328-334"
Q_2025 = "Pintilie et al. 2025, Acta Cryst. D81, 410-422"
FSC_Q_2021 = "Ramírez-Aportela et al. 2021, Nat. Commun. 12, 42"
DENSITY_2000 = "Rossmann 2000, Acta Cryst. D56, 1341-1349"
INCLUSION_2013 = "Lagerstedt et al. 2013, J. Struct. Biol. 184, 173-181"
FSC_2003 = "Rosenthal & Henderson 2003, J. Mol. Biol. 333, 721-745"
CONVERGENCE_2019 = "Herzik et al. 2019, Structure 27, 344-358"

NEEDS_HALF_MAPS = "need the half maps: run again with --half-maps HALF1 HALF2."
NEEDS_ALL = "run again with: atomsight validate MODEL MAP."

_LONGEST_KEY = 40
_MOST_POINTS = 20_000
"""More make a page slow."""


def sentence(words: str) -> str:
    """Words with a capital and a full stop.

    Parameters
    ----------
    words : str

    Returns
    -------
    str
    """
    return words[:1].upper() + words[1:].rstrip(".") + "."


def shown_chain(name: str) -> str:
    """Name of a chain for people; some files have one without a name.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    return name if name.strip() else "(no name)"


def file_keys(names: Iterable[str], before: str) -> list[str]:
    """Keys that can be names of files anywhere, no two the same even where case does not count.

    Parameters
    ----------
    names : iterable of str
    before : str
        Beginning of each key.

    Returns
    -------
    list of str
        One a name, in their order.
    """
    taken: set[str] = set()
    keys = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9-]+", "_", name).strip("_")[:_LONGEST_KEY]
        first = key = f"{before}_{plain or 'x'}"
        number = 1
        while key.lower() in taken:
            number += 1
            key = f"{first}_{number}"
        taken.add(key.lower())
        keys.append(key)
    return keys


def is_polymer(results: Results) -> Bool_N:
    """Residues of proteins and nucleic acids.

    Parameters
    ----------
    results : Results

    Returns
    -------
    ndarray of bool, shape (m,)
    """
    return np.isin(results.residues["class"], POLYMERS)


def chain_rows(results: Results) -> list[tuple[str, Int_N]]:
    """Rows of each chain's residues, chains in the order of the file.

    Parameters
    ----------
    results : Results

    Returns
    -------
    list of (str, ndarray of int)
    """
    chain = results.residues["chain"]
    names, first, group = np.unique(chain, return_index=True, return_inverse=True)
    by_chain = np.argsort(group, kind="stable")
    parts = np.split(by_chain, np.cumsum(np.bincount(group, minlength=len(names)))[:-1])
    return [(str(names[at]), parts[at].astype(np.int64)) for at in np.argsort(first)]


def residue_labels(results: Results, rows: Int_N) -> tuple[str, ...]:
    """Names of residues for people; empty where there is none.

    Parameters
    ----------
    results : Results
    rows : ndarray of int
        -1: no residue.

    Returns
    -------
    tuple of str
    """
    label = results.model.residues.label
    return tuple(label(row) if row >= 0 else "" for row in rows.tolist())


def numbers(results: Results, name: str) -> Float_N | None:
    """A column of the residues, if it is there and holds a number.

    Parameters
    ----------
    results : Results
    name : str

    Returns
    -------
    ndarray, shape (m,), or None
    """
    values = results.residues.get(name)
    return None if values is None or not np.isfinite(values).any() else values


def atom_numbers(results: Results, name: str) -> Float_N | None:
    """A column of the atoms without hydrogens, if it is there and holds a number.

    Hydrogens show their parent's values, and would count it twice.

    Parameters
    ----------
    results : Results
    name : str

    Returns
    -------
    ndarray, shape (n,), or None
        NaN for hydrogens.
    """
    values = results.atoms.get(name)
    if values is None:
        return None
    values = np.where(results.model.hydrogen, np.nan, values)
    return values if np.isfinite(values).any() else None


def residue_points(
    results: Results, x: FloatArray, y: FloatArray
) -> tuple[tuple[Series, ...], str]:
    """One measure of the residues against another, those of polymers before the others.

    Parameters
    ----------
    results : Results
    x, y : ndarray, shape (m,)

    Returns
    -------
    points : tuple of Series
    words : str
        Number of residues, and how many of them are drawn where they are very many.
    """
    known, polymer = np.isfinite(x) & np.isfinite(y), is_polymer(results)
    groups = (("polymer", polymer, Role.MAIN), ("ligands, ions, water", ~polymer, Role.MUTED))
    n = int(known.sum())
    every = max(-(-n // _MOST_POINTS), 1)
    points = []
    for name, group, role in groups:
        rows = np.flatnonzero(known & group)[::every]
        if len(rows):
            labels = residue_labels(results, rows)
            points.append(Series(name, x[rows], y[rows], "points", role, rows=rows, labels=labels))
    return tuple(points), f"n = {n} residues" + (
        f", of which one in {every} is drawn" if every > 1 else ""
    )


def bins(values: FloatArray, width: float, low: float = -np.inf, high: float = np.inf) -> Float_N:
    """Edges of bins that hold the values, at whole multiples of the width.

    Parameters
    ----------
    values : ndarray
        At least one of them finite.
    width : float
    low, high : float
        No bin beyond these multiples of the width.

    Returns
    -------
    ndarray, shape (k + 1,)
    """
    finite = np.clip(values[np.isfinite(values)], low, high)
    first = int(np.floor(finite.min() / width + 1e-9))
    last = max(int(np.ceil(finite.max() / width - 1e-9)), first + 1)
    edges: Float_N = np.round(np.arange(first, last + 1) * float(width), 9)
    return edges


def bars(name: str, values: FloatArray, edges: Float_N, role: Role) -> Series:
    """Numbers of values in bins.

    Parameters
    ----------
    name : str
    values : ndarray
    edges : ndarray, shape (k + 1,)
        Evenly spaced.
    role : Role

    Returns
    -------
    Series
    """
    return Series(
        name,
        (edges[:-1] + edges[1:]) / 2,
        counts(values, edges),
        "bars",
        role,
        bin_width=float(edges[1] - edges[0]),
    )


def expected_rules(results: Results) -> tuple[Rule, ...]:
    """The band in which the archive lets us expect Q, and its peak.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Rule
        Empty where nothing is expected.
    """
    expected = results.facts["expected"]["value"]
    if expected is None:
        return ()
    low, high = band_names(expected["band"])
    return (
        Rule("y", expected["low"], "", expected["high"]),
        Rule("y", expected["low"], low),
        Rule("y", expected["peak"], "Q_peak"),
        Rule("y", expected["high"], high),
    )


def band_names(band: str) -> tuple[str, str]:
    """What the ends of an expected band are called.

    Parameters
    ----------
    band : str
        What the band is.

    Returns
    -------
    low, high : str
    """
    return ("Q_low_95", "Q_high_95") if band.startswith("95 %") else ("Q_low", "Q_high")


def expected_words(results: Results) -> str:
    """What the lines of `expected_rules` are, or why there are none.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
        Whole sentences.
    """
    facts = results.facts["expected"]
    expected = facts["value"]
    if expected is None:
        return sentence(f"no expected Q: {facts['reason_if_none']}")
    d = results.facts["resolution"]["value"]
    return (
        f"Lines: what entries of the archive at {d:g} Å have as a whole, Q_peak "
        f"{expected['peak']:.3f} and a band from {expected['low']:.3f} to {expected['high']:.3f} "
        f"({expected['band']}; {expected['definition']})."
    )


def q_axis(*values: FloatArray, title: str = "Q-score") -> Axis:
    """An axis from 0 to 1, further down where Q is below 0.

    Parameters
    ----------
    *values : ndarray
    title : str

    Returns
    -------
    Axis
    """
    lowest = min(
        (float(v[np.isfinite(v)].min()) for v in values if np.isfinite(v).any()), default=0
    )
    return Axis(title, min(-0.02, lowest - 0.04), 1.02)
