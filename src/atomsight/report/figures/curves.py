"""Curves of the whole model: atom inclusion, FSC, correlation against the scale of B."""

import numpy as np

from atomsight.report.figure import Absent, Axis, Figure, Role, Rule, Series
from atomsight.report.figures.common import (
    FSC_2003,
    INCLUSION_2013,
    NEEDS_ALL,
    NEEDS_HALF_MAPS,
    Q_2025,
    Drawn,
    sentence,
)
from atomsight.report.results import Columns, Results

_FSC = {
    "half": ("half maps", Role.MUTED, False),
    "half_masked": ("half maps, masked", Role.MAIN, True),
    "half_corrected": ("half maps, corrected", Role.MAIN, False),
    "model": ("map against model", Role.SECOND, False),
}


def inclusion_curves(results: Results) -> Drawn:
    """Atom inclusion against the contour level.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure or Absent
    """
    key, title = "atom_inclusion", "Atom inclusion"
    table = results.curves.get(key)
    if table is None:
        return (Absent(key, title, f"For atom inclusion {NEEDS_ALL}"),)
    names = {"all_atoms": ("all atoms", Role.MAIN), "backbone": ("backbone", Role.SECOND)}
    present = [name for name in names if np.isfinite(table[name]).any()]
    if not present:
        return (Absent(key, title, "No atom counts for atom inclusion."),)
    level = table["level"]
    rule, words = _level(results)
    low, high = _falling(table, present)
    if rule is not None:
        low, high = min(low, rule.value), max(high, rule.value)
    margin = 0.03 * (high - low)
    return (
        Figure(
            key=key,
            title=title,
            x=Axis("contour level (map units)", low - margin, high + margin),
            y=Axis("fraction of atoms inside", -0.02, 1.02),
            parts=tuple(
                Series(names[name][0], level, table[name], "line", names[name][1])
                for name in present
            ),
            rules=() if rule is None else (rule,),
            caption=f"Atom inclusion is the {results.facts['inclusion']['definition']} "
            f"({INCLUSION_2013}). {words} Backbone: "
            f"{results.facts['inclusion']['backbone_definition']}.",
        ),
    )


def _level(results: Results) -> tuple[Rule | None, str]:
    """The contour level to mark, and what is inside there."""
    facts = results.facts["inclusion"]
    given, other = facts["at_contour"], facts["level_including"]
    if given is not None:
        share = "-" if given["all_atoms"] is None else f"{given['all_atoms']:.3f}"
        return (
            Rule("x", given["level"], "given level"),
            f"At the given level of {given['level']:.4g} it is {share}, n = {given['n']}.",
        )
    if other["level"] is None:
        return None, "Part of the atoms lie outside the map."
    return (
        Rule("x", other["level"], f"{100 * other['fraction']:g} % inside"),
        f"No contour level was given (--contour); {100 * other['fraction']:g} % of the atoms lie "
        f"inside at {other['level']:.4g}.",
    )


def _falling(table: Columns, names: list[str]) -> tuple[float, float]:
    """Between which levels inclusion falls from its highest to its lowest."""
    level = table["level"]
    changes = (
        [
            at
            for name in names
            for at in np.flatnonzero(np.abs(np.diff(table[name])) > 0)[[0, -1]].tolist()
        ]
        if all(np.ptp(table[name]) > 0 for name in names)
        else [0, len(level) - 2]
    )
    return float(level[min(changes)]), float(level[max(changes) + 1])


def fsc_curves(results: Results) -> Drawn:
    """FSC of the half maps, and of the map against the model.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure or Absent
    """
    key, title = "fsc", "Fourier shell correlation"
    table = results.curves.get(key)
    if table is None:
        return (Absent(key, title, f"FSC curves {NEEDS_HALF_MAPS}"),)
    frequency = table["frequency"]
    labels = tuple(f"{d:.2f} Å" if np.isfinite(d) else "" for d in table["resolution"].tolist())
    found = results.facts["fsc_q"]["resolutions"]
    return (
        Figure(
            key=key,
            title=title,
            x=Axis("1 / resolution (1/Å)", 0.0, float(frequency[-1])),
            y=Axis("FSC", _lowest(table), 1.03),
            parts=tuple(
                Series(words, frequency, table[name], "line", role, dashed=dashed, labels=labels)
                for name, (words, role, dashed) in _FSC.items()
                if name in table
            ),
            rules=(Rule("y", 0.143, "0.143"), Rule("y", 0.5, "0.5")),
            caption="Correlation of two maps in shells of Fourier space. Half maps: as they are, "
            "within the mask, and corrected for the mask, "
            f"{_angstrom(found['half_corrected_0.143'])} at 0.143; map against model within the "
            f"mask: {_angstrom(found['model_0.5'])} at 0.5. n = {len(frequency)} shells. "
            f"{FSC_2003}.",
        ),
    )


def _lowest(table: Columns) -> float:
    values = np.concatenate([table[name] for name in _FSC if name in table])
    return min(-0.05, float(np.nanmin(values, initial=0.0)) - 0.05)


def _angstrom(value: float | None) -> str:
    return "no resolution" if value is None else f"{value:.2f} Å"


def b_scale_curves(results: Results) -> Drawn:
    """CC and CC-mean against f of B = f (1 - Q).

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure or Absent
    """
    key, title = "b_factor_fit", "B factors from Q: the best f"
    facts = results.facts.get("b_factors", {})
    table = results.curves.get(key)
    if table is None:
        reason = facts.get("reason_if_none") or (
            "B factors are fitted by: atomsight validate MODEL MAP, without --no-fit-b"
        )
        return (Absent(key, title, sentence(reason)),)
    return (
        Figure(
            key=key,
            title=title,
            x=Axis("f (Å²)"),
            y=Axis("correlation of map and model"),
            parts=(
                Series("CC-mean", table["f"], table["cc_mean"], "line", Role.MAIN),
                Series("CC", table["f"], table["cc"], "line", Role.SECOND),
            ),
            rules=(Rule("x", facts["f"], f"f = {facts['f']:.0f} Å²"),),
            caption=f"{sentence(facts['definition'])} Best: f = {facts['f']:.0f} Å² with CC-mean "
            f"{facts['best']['cc_mean']:.3f}; n = {facts['best']['n']} points of the map. "
            f"{Q_2025}, Fig. 5.",
        ),
    )
