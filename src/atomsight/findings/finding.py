"""One form for what every kind of evidence has to say, so that all outputs can tell it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from atomsight.archive.archives import Archive
from atomsight.archive.percentiles import Definition
from atomsight.density.map import Map
from atomsight.ensemble.known import PlacedConvergence
from atomsight.evidence.q_score import QScores
from atomsight.half_maps import HalfMapResult
from atomsight.model import Model
from atomsight.typing import Float_Nx3, Int_N

Columns = Mapping[str, np.ndarray]

NO_CONTOUR = "no contour level given (--contour)"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a model in its map when the findings are made.

    Attributes
    ----------
    model : Model
    parent : ndarray of int, shape (n,)
        From `atomsight.evidence.hydrogens.parents`.
    map : Map
        Whole, or the box around the model.
    scores : QScores
    sigma : float
        Of the Q-scores, Å.
    resolution : float or None
        Å.
    neighbours : ndarray, shape (m, 3), or None
        Positions beside the model's own that counted as neighbours in Q.
    halves : HalfMapResult or None
    contour : float or None
        Contour level of the map, map units.
    archive : Archive or None
        To compare with; the one that comes with the package when None.
    definition : {"paper", "emdb"}
        Of percentiles.
    convergence : PlacedConvergence or None
        What independent models of the map say of the residues.
    """

    model: Model
    parent: Int_N
    map: Map
    scores: QScores
    sigma: float
    resolution: float | None
    neighbours: Float_Nx3 | None = None
    halves: HalfMapResult | None = None
    contour: float | None = None
    archive: Archive | None = None
    definition: Definition = "paper"
    convergence: PlacedConvergence | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one kind of evidence adds to the results.

    Attributes
    ----------
    key : str
        Its name in summary.json.
    facts : mapping
        Figures of the whole model with their definitions, for summary.json.
    atoms, residues : mapping
        Columns: name → one value an atom or residue. Hydrogens show their parent's values.
    tables : mapping
        Name of a CSV file in the folder curves, without its ending → columns.
    rows : tuple of (str, str)
        Lines on the screen: what, and the figures.
    notes : tuple of str
        What a reader of the results should know.
    """

    key: str
    facts: Mapping[str, Any]
    atoms: Columns = field(default_factory=dict)
    residues: Columns = field(default_factory=dict)
    tables: Mapping[str, Columns] = field(default_factory=dict)
    rows: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def joined(*parts: Columns) -> dict[str, np.ndarray]:
    """Columns of several findings side by side, in their order.

    Parameters
    ----------
    *parts : mapping

    Returns
    -------
    dict
    """
    return {name: values for part in parts for name, values in part.items()}


def facts_of(findings: Iterable[Finding], key: str) -> Mapping[str, Any]:
    """What one kind of evidence said of the whole model.

    Parameters
    ----------
    findings : iterable of Finding
    key : str
        Its name in summary.json.

    Returns
    -------
    mapping
        Empty where this evidence was not looked at.
    """
    return next((finding.facts for finding in findings if finding.key == key), {})


def shown(value: float | None, decimals: int = 4) -> str:
    """A number for the screen; a dash where there is none.

    Parameters
    ----------
    value : float or None
    decimals : int

    Returns
    -------
    str
    """
    return "-" if value is None or not np.isfinite(value) else f"{value:.{decimals}f}"
