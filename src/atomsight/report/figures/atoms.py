"""The profile of one atom."""

import numpy as np

from atomsight.errors import ParameterError
from atomsight.evidence.copies import copy_positions
from atomsight.evidence.profile import atom_profile
from atomsight.evidence.q_score import EXCLUSION
from atomsight.report.figure import Absent, Axis, Figure, Role, Series
from atomsight.report.figures.common import Q_2020, sentence
from atomsight.report.results import Results


def profile_figure(results: Results, atom: int) -> Figure | Absent:
    """Mean map value against the distance from an atom, with the reference Gaussian.

    Parameters
    ----------
    results : Results
    atom : int
        Row of the model.

    Returns
    -------
    Figure or Absent

    Raises
    ------
    ParameterError
        If there is no such atom.
    """
    model = results.model
    if not 0 <= atom < len(model):
        raise ParameterError(f"atoms have rows from 0 to {len(model) - 1}, not {atom}")
    name = f"{model.residues.label(int(model.residue[atom]))} {model.atom[atom]}"
    key, title = f"profile_{atom}", f"Profile of {name}"
    if results.map is None:
        return Absent(key, title, sentence(results.no_map))
    if not model.heavy[atom]:
        return Absent(key, title, "Hydrogens and atoms without coordinates have no profile.")
    options = results.facts["parameters"]
    q = options["q"]
    found = atom_profile(
        results.map,
        model,
        atom,
        sigma=q["sigma"],
        points=q["points"],
        radius=q["radius"],
        step=q["step"],
        neighbours=copy_positions(
            model,
            options["neighbours"],
            (1.0 + EXCLUSION) * q["radius"],
            assembly=options["assembly"],
        ),
    )
    r, mean = found.radius, found.mean[0]
    parts = [
        Series("reference Gaussian", r, found.reference, "line", Role.SECOND, dashed=True),
        Series("mean map value", r, mean, "line", Role.MAIN),
        Series("", r, mean, "points", Role.MAIN),
    ]
    words = "No Gaussian fits the means."
    if np.isfinite(found.fit_sigma[0]):
        width = float(found.fit_sigma[0])
        fitted = found.fit_a[0] * np.exp(-0.5 * (r / width) ** 2) + found.fit_b[0]
        parts.insert(1, Series("fitted Gaussian", r, fitted, "line", Role.THIRD, dashed=True))
        words = f"The Gaussian fitted to the means has a width of {width:.2f} Å."
    score = f"Q = {found.q[0]:.3f}" if np.isfinite(found.q[0]) else "no Q"
    return Figure(
        key=key,
        title=title,
        x=Axis("distance from the atom (Å)", 0.0, float(r[-1])),
        y=Axis("mean map value (map units)"),
        parts=tuple(parts),
        caption=f"Mean map value on shells around {name}, over the points that have no other atom "
        f"nearer, n = {int(found.n_points[0].sum())}; {score}. Reference: the Gaussian of "
        f"sigma {q['sigma']:g} Å that Q compares with. {words} {Q_2020}, Figs. 1 and 2.",
    )
