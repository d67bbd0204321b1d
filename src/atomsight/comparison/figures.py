"""ModelFigures of each model over the same atoms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atomsight.comparison.matching import ComparedAtoms
from atomsight.comparison.scores import ModelScores, at, orientation_means
from atomsight.density.map import Map
from atomsight.evidence.inclusion import atom_inclusion
from atomsight.model import AtomClass
from atomsight.summary import average
from atomsight.typing import Bool_N, Float_N

DEFINITIONS = {
    "q": "mean Q over the ranked atoms (as MapQ, one orientation of the points)",
    "q_sampling": "standard deviation (n - 1) of that mean over rotated point sets",
    "q_lowest": "lowest Q of a ranked atom",
    "q_model": "mean Q of the whole model without hydrogen and water (as EMDB and the wwPDB)",
    "density": "mean map value at the ranked atoms (trilinear), in σ above the mean of the map",
    "below_zero": "share of the ranked atoms whose map value is below 0",
    "inclusion": "share of the ranked atoms whose map value is above the contour level",
    "fsc_q": "mean FSC-Q in Å over the ranked atoms that have one in every model",
    "fsc_q_median": "median of the same",
    "local_resolution_half": "mean local resolution of the half maps there, Å",
    "q_half_1": "mean Q in half map 1, over the ranked atoms that have one in every model",
    "q_half_2": "the same in half map 2",
    "missing": "compared atoms that the model lacks",
    "without_q": "compared atoms of the model that have no Q (outside the map, no contrast)",
}
"""What every figure is."""


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """ModelFigures of one model over the ranked atoms; NaN where there are none.

    Attributes
    ----------
    atoms : int
        Number of ranked atoms.
    q : float
        Mean Q.
    q_sampling : float
        Standard deviation of it over rotated point sets.
    q_lowest : float
        Lowest Q of an atom.
    q_lowest_atom : str
        Which atom.
    q_model : float
        Mean Q of the whole model, without water.
    density : float
        Mean density at the atoms, σ above the mean of the map.
    below_zero : float
        Share of the atoms in negative density, 0 to 1.
    inclusion : float
        Share of the atoms inside the contour level, 0 to 1.
    fsc_q, fsc_q_median : float
        Å.
    local_resolution_half : float
        Å.
    q_half_1, q_half_2 : float
        Mean Q in each half map.
    missing, without_q : int
        Compared atoms that the model lacks, and those of it without a Q.
    """

    atoms: int
    q: float
    q_sampling: float
    q_lowest: float
    q_lowest_atom: str
    q_model: float
    density: float
    below_zero: float
    inclusion: float
    fsc_q: float
    fsc_q_median: float
    local_resolution_half: float
    q_half_1: float
    q_half_2: float
    missing: int
    without_q: int


def figures(
    scores: Sequence[ModelScores],
    atoms: ComparedAtoms,
    ranked: Bool_N,
    map_: Map,
    level: float,
) -> list[ModelFigures]:
    """ModelFigures of all models, each over the atoms that have the value in every model.

    Parameters
    ----------
    scores : sequence of ModelScores
    atoms : ComparedAtoms
    ranked : ndarray of bool, shape (m,)
    map_ : Map
    level : float
        Contour level, map units; NaN for none.

    Returns
    -------
    list of ModelFigures
    """
    columns = [
        atom_columns(found, rows, map_, level)
        for found, rows in zip(scores, atoms.rows, strict=True)
    ]
    shared = {
        name: ranked & np.isfinite([column[name] for column in columns]).all(axis=0)
        for name in columns[0]
    }
    result = []
    for found, rows, column in zip(scores, atoms.rows, columns, strict=True):
        mean = {name: average(values, shared[name]).mean for name, values in column.items()}
        fsc_q = column["fsc_q"][shared["fsc_q"]]
        lowest = int(np.where(ranked, column["q"], np.inf).argmin())
        n = int(ranked.sum())
        dry = found.model.atom_class != AtomClass.WATER
        result.append(
            ModelFigures(
                atoms=n,
                q=mean["q"],
                q_sampling=float(orientation_means(found, rows[ranked]).std(ddof=1)),
                q_lowest=float(column["q"][lowest]),
                q_lowest_atom=atoms.name(lowest),
                q_model=average(found.q.q, found.q.counted & dry).mean,
                density=mean["density"],
                below_zero=mean["below_zero"],
                inclusion=mean["inside"],
                fsc_q=mean["fsc_q"],
                fsc_q_median=float(np.median(fsc_q)) if len(fsc_q) else float("nan"),
                local_resolution_half=mean["local_resolution_half"],
                q_half_1=mean["q_half_1"],
                q_half_2=mean["q_half_2"],
                missing=int((rows < 0).sum()),
                without_q=int(((rows >= 0) & np.isnan(column["q"])).sum()),
            )
        )
    return result


def atom_columns(
    found: ModelScores, rows: np.ndarray, map_: Map, level: float
) -> dict[str, Float_N]:
    """All measures of one model at the compared atoms.

    Parameters
    ----------
    found : ModelScores
    rows : ndarray of int, shape (m,)
        Of the compared atoms in this model; -1 where it lacks one.
    map_ : Map
    level : float
        Contour level, map units; NaN for none.

    Returns
    -------
    dict
        Name → one value a compared atom; NaN where there is none.
    """
    value = found.density.value
    nothing = np.full(len(found.model), np.nan)
    fsc_q = found.fsc_q
    halves = found.q_halves
    columns = {
        "q": found.q.q,
        "q_sd": nothing if found.q.orientation_sd is None else found.q.orientation_sd,
        "density": found.density.trilinear,
        "below_zero": np.where(np.isnan(value), np.nan, value < 0.0),
        "inside": nothing if np.isnan(level) else atom_inclusion(map_, found.model, level).inside,
        "fsc_q": nothing if fsc_q is None else fsc_q.fsc_q,
        "local_resolution_half": nothing if fsc_q is None else fsc_q.half,
        "q_half_1": nothing if halves is None else halves[0].q,
        "q_half_2": nothing if halves is None else halves[1].q,
    }
    return {name: at(rows, values) for name, values in columns.items()}
