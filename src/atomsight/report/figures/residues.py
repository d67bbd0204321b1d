"""What is said of residues as a whole: readings, and Q against the model's own B factors."""

from textwrap import wrap

import numpy as np

from atomsight.evidence.groups import group_means
from atomsight.report.figure import Absent, Axis, Figure, Role, Series
from atomsight.report.figures.common import (
    FSC_Q_2021,
    NEEDS_HALF_MAPS,
    Q_2020,
    Q_2025,
    Drawn,
    numbers,
    q_axis,
    residue_points,
    sentence,
)
from atomsight.report.results import Results

_WORDS_WIDE = 14
_SAME = 1e-9


def verdict_counts(results: Results) -> Drawn:
    """Numbers of residues by reading.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure or Absent
    """
    key, title = "verdict", "Readings of the residues"
    facts = results.facts.get("verdict")
    if facts is None or "counts" not in facts:
        return (Absent(key, title, f"Readings of the residues {NEEDS_HALF_MAPS}"),)
    if facts["reason_if_none"]:
        return (Absent(key, title, sentence(facts["reason_if_none"])),)
    names, count = [*facts["counts"]], np.array([*facts["counts"].values()], dtype=float)
    shown = [f"{name} ({n:.0f})" for name, n in zip(names, count.tolist(), strict=True)]
    return (
        Figure(
            key=key,
            title=title,
            x=Axis(
                "",
                -0.6,
                len(names) - 0.4,
                names=tuple("\n".join(wrap(n, _WORDS_WIDE)) for n in shown),
            ),
            y=Axis("residues", 0.0),
            parts=(Series("", np.arange(len(names), dtype=float), count, "bars", bin_width=0.7),),
            caption=f"{sentence(facts['definition'])} n = {count.sum():.0f} residues. {Q_2025}, "
            f"Discussion; {FSC_Q_2021}.",
        ),
    )


def q_against_b(results: Results) -> Drawn:
    """Mean Q of residues against the mean of their B factors.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure or Absent
    """
    key, title = "q_b_factor", "Q against the model's B factors"
    model, q = results.model, numbers(results, "q")
    if q is None:
        return (Absent(key, title, "No residue has a Q-score."),)
    scored = model.heavy & np.isfinite(results.atoms["q"])
    b = group_means(model.b_iso, model.residue, len(model.residues), scored)
    known = np.isfinite(q) & np.isfinite(b)
    if not known.any() or np.ptp(b[known]) <= _SAME * np.abs(b[known]).max():
        return (
            Absent(key, title, "The B factors of this model are all the same: refine them first."),
        )
    points, words = residue_points(results, b, q)
    parts = [*points]
    table = results.curves.get("b_factor_relations")
    if table is not None:
        chosen = (table["measure"] == "q") & (table["over"] == "residues")
        if chosen.any():
            median = table["median"][chosen]
            parts.append(Series("median", table["b"][chosen], median, "line", Role.SECOND))
    return (
        Figure(
            key=key,
            title=title,
            x=Axis("mean B factor of a residue (Å²)"),
            y=q_axis(q[known], title="mean Q-score of a residue"),
            parts=tuple(parts),
            caption=f"Means over the atoms other than hydrogen of each residue, {words}; B as the "
            "model's file has it. "
            f"{_coefficients(results)}Compare {Q_2020}, Supplementary Figs. 8 and 9.",
        ),
    )


def _coefficients(results: Results) -> str:
    found = results.facts.get("relations", {}).get("b_factors", {}).get("q", {}).get("residues")
    if not found or found["pearson"] is None:
        return ""
    return (
        f"Pearson's coefficient {found['pearson']:.2f}, Spearman's {found['spearman']:.2f} "
        f"(n = {found['n']}). "
    )
