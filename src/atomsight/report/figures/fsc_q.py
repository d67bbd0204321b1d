"""What the half maps say along the chains, and against local resolution."""

import numpy as np

from atomsight.report.figure import Absent, Axis, Figure, Role, Rule
from atomsight.report.figures.chains import Measure, along_chains
from atomsight.report.figures.common import (
    FSC_Q_2021,
    NEEDS_HALF_MAPS,
    Drawn,
    numbers,
    residue_points,
)
from atomsight.report.results import Results
from atomsight.typing import FloatArray

_LINES = {
    "protein": (("FSC-Q", "fsc_q", Role.MAIN),),
    "nucleic": (("FSC-Q", "fsc_q", Role.MAIN),),
}


def fsc_q_chains(results: Results) -> Drawn:
    """FSC-Q along each chain.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure or Absent
    """
    values = numbers(results, "fsc_q")
    if values is None:
        return (_absent(results, "fsc_q_chains", "FSC-Q along the chains"),)
    limit = results.facts["fsc_q"]["beyond"]
    measure = Measure(
        key="fsc_q_chain",
        group="fsc_q_chains",
        lines=_LINES,
        column="fsc_q",
        y=_axis(values),
        rules=_limits(limit),
        caption="FSC-Q, mean over the atoms of a residue: local resolution of map against model "
        f"less that of the half maps ({FSC_Q_2021}). Below -{limit:g} Å the model is better than "
        f"the half maps support, above {limit:g} Å it is not resolved or misplaced.",
    )
    return tuple(along_chains(results, measure))


def fsc_q_resolution(results: Results) -> Drawn:
    """FSC-Q of residues against the local resolution of the half maps.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure or Absent
    """
    key, title = "fsc_q_resolution", "FSC-Q against local resolution"
    y, x = numbers(results, "fsc_q"), numbers(results, "local_resolution_half")
    if x is None or y is None:
        return (_absent(results, key, title),)
    points, words = residue_points(results, x, y)
    limit = results.facts["fsc_q"]["beyond"]
    threshold = results.facts["fsc_q"]["thresholds"]["half"]
    return (
        Figure(
            key=key,
            title=title,
            x=Axis("local resolution of the half maps (Å)"),
            y=_axis(y),
            parts=points,
            rules=_limits(limit),
            caption=f"Means over the atoms of each residue, {words}. The local resolution of the "
            f"half maps is where their correlation falls below {threshold:g} ({FSC_Q_2021}).",
        ),
    )


def _absent(results: Results, key: str, title: str) -> Absent:
    if "fsc_q" in results.residues:
        return Absent(key, title, "No residue has a value of FSC-Q.")
    return Absent(key, title, f"Values of FSC-Q {NEEDS_HALF_MAPS}")


def _axis(values: FloatArray) -> Axis:
    return Axis(
        "FSC-Q (Å)",
        min(-1.0, float(np.nanmin(values)) - 0.1),
        max(1.0, float(np.nanmax(values)) + 0.1),
    )


def _limits(limit: float) -> tuple[Rule, ...]:
    return (Rule("y", -limit, f"-{limit:g} Å"), Rule("y", limit, f"{limit:g} Å"))
