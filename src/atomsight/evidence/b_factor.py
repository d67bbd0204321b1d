"""B factors from Q-scores: B = f (1 - Q) (Pintilie et al. 2025, equation 5)."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from atomsight.density.map import Map
from atomsight.density.simulate import Form
from atomsight.errors import OverlayError, ParameterError
from atomsight.evidence.correlation import Correlation, correlate
from atomsight.evidence.groups import group_means
from atomsight.evidence.hydrogens import inherit, parents
from atomsight.evidence.model_map import (
    ComparisonGrid,
    compared_points,
    comparison_grid,
    model_maps,
)
from atomsight.model import Model
from atomsight.typing import Bool_N, Float_N, Status_N, Volume

F_MAX = 300.0
"""Å²; the end of the paper's range."""

F_STEP = 20.0
"""Å²; the paper's."""

_TOLERANCE = 1.0
"""Å²; how near the maximum is found."""


class BSource(IntEnum):
    """Where the Q came from that gave an atom its B factor."""

    OWN = 0
    """The atom's own Q."""
    PARENT = 1
    """A hydrogen: the Q of the atom it is bound to."""
    RESIDUE = 2
    """No Q: the mean of its residue."""
    MODEL = 3
    """No Q in the whole residue: the mean of the model."""

    @property
    def label(self) -> str:
        """The name as it stands in tables."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class QBFactors:
    """B factors from Q-scores with a given f.

    Attributes
    ----------
    b_iso : ndarray, shape (n,)
        Å², one for every atom.
    source : ndarray of uint8, shape (n,)
        `BSource` of each atom.
    above_f : ndarray of bool, shape (n,)
        Atoms with Q below 0, whose B is larger than f.
    f : float
        Å².
    """

    b_iso: Float_N
    source: Status_N
    above_f: Bool_N
    f: float


@dataclass(frozen=True, slots=True)
class BFactorFit:
    """The f that makes the model's map most like the map, and how it was found.

    Attributes
    ----------
    b : QBFactors
        B factors at the best f.
    best, zero : Correlation
        With these B factors, and with B = 0.
    f, cc, cc_mean : ndarray, shape (k,)
        The curve: every f that was tried, in order.
    at_edge : bool
        The best f is the largest that was allowed: a bound, not an optimum.
    form : {"electron", "gaussian"}
        How the model's map was made.
    resolution : float
        Å.
    definition : str
        All of it in one sentence.
    """

    b: QBFactors
    best: Correlation
    zero: Correlation
    f: Float_N
    cc: Float_N
    cc_mean: Float_N
    at_edge: bool
    form: Form
    resolution: float
    definition: str


def b_factors_from_q(model: Model, q: Float_N, f: float) -> QBFactors:
    """B = f (1 - Q) of every atom.

    Q below 0 gives a B above f, as in MapQ; such atoms are flagged. A hydrogen takes the Q of the
    atom it is bound to. An atom without Q takes the mean of its residue, or of the model where the
    residue has none.

    Parameters
    ----------
    model : Model
    q : ndarray, shape (n,)
        Q-scores, NaN where there is none.
    f : float
        Å², not negative.

    Returns
    -------
    QBFactors

    Raises
    ------
    ParameterError
        If f is negative, q has the wrong shape or a Q above 1, or no atom has a Q.

    References
    ----------
    Pintilie et al. (2025), Acta Cryst. D81, 410-422, equation 5.
    """
    if not (np.isfinite(f) and f >= 0):
        raise ParameterError(f"f must be a number of Å², 0 or more, not {f}")
    filled, source = _every_q(model, q)
    b: Float_N = f * (1.0 - filled)
    return QBFactors(b, source, np.asarray(filled < 0), f)


def fit_b_factors(
    map_: Map,
    model: Model,
    q: Float_N,
    *,
    resolution: float,
    form: Form = "electron",
    f_max: float = F_MAX,
) -> BFactorFit:
    """B factors from Q-scores, with f at the maximum of CC-mean.

    CC-mean between the map and the model's map with B = f (1 - Q), for f = 0, 20, … 300 Å²; then
    the bracket of the best is searched by parabolas and golden sections, to 1 Å². The points where
    the model's map is above 0.01 are found anew for every f.

    Parameters
    ----------
    map_ : Map
        May be only the box around the model.
    model : Model
    q : ndarray, shape (n,)
        Q-scores, NaN where there is none.
    resolution : float
        d in Å.
    form : {"electron", "gaussian"}
        The paper's is "electron"; see `atomsight.evidence.model_map.model_map`.
    f_max : float
        Largest f, Å².

    Returns
    -------
    BFactorFit

    Raises
    ------
    ParameterError
        If the resolution, `q` or `f_max` means nothing.
    OverlayError
        If too few points of the model's map lie in the map.

    References
    ----------
    Pintilie et al. (2025), Acta Cryst. D81, 410-422, Appendix A1.5.
    """
    if not (np.isfinite(f_max) and f_max >= F_STEP):
        raise ParameterError(f"f_max must be at least {F_STEP:g} Å², not {f_max}")
    filled, _ = _every_q(model, q)
    where = comparison_grid(map_, model, resolution, form)
    made = model_maps(where, model, 1.0 - filled, f_max)
    curve: dict[float, Correlation] = {}

    def cc_mean_at(f: float) -> float:
        f = float(f)
        if f not in curve:
            curve[f] = _agreement(where, made(f))
            if not np.isfinite(curve[f].cc_mean):
                raise OverlayError(
                    f"{model.path}: no CC-mean with the map of the model at f = {f:g} Å²: only "
                    f"{curve[f].n} of its points lie in the map, or the map is constant there"
                )
        return curve[f].cc_mean

    coarse = np.append(np.arange(0.0, f_max - 1e-6, F_STEP), f_max)
    best = int(np.argmax([cc_mean_at(f) for f in coarse.tolist()]))
    if best > 0:
        from scipy.optimize import minimize_scalar  # noqa: PLC0415  (slow to import)

        minimize_scalar(
            lambda f: -cc_mean_at(f),
            bounds=(coarse[best - 1], coarse[min(best + 1, len(coarse) - 1)]),
            method="bounded",
            options={"xatol": _TOLERANCE},
        )
    tried = np.array(sorted(curve))
    found = [curve[f] for f in tried.tolist()]
    cc_mean = np.array([one.cc_mean for one in found])
    f = float(tried[np.argmax(cc_mean)])
    return BFactorFit(
        b=b_factors_from_q(model, q, f),
        best=curve[f],
        zero=curve[0.0],
        f=tried,
        cc=np.array([one.cc for one in found]),
        cc_mean=cc_mean,
        at_edge=f == f_max,
        form=form,
        resolution=resolution,
        definition=(
            f"B = f (1 - Q), f at the maximum of CC-mean between 0 and {f_max:g} Å²; "
            f"{where.definition}"
        ),
    )


def _agreement(where: ComparisonGrid, values: Volume) -> Correlation:
    """Correlation of the map with the model's map."""
    points = compared_points(where, values)
    return correlate(values[points].astype(float), where.grid.values[points].astype(float))


def _every_q(model: Model, q: Float_N) -> tuple[Float_N, Status_N]:
    """A Q for every atom, and where it came from."""
    own = np.asarray(q, dtype=float)
    if own.shape != (len(model),):
        raise ParameterError(f"q must be {len(model)} numbers, one an atom, not {own.shape}")
    if not np.isfinite(own).any():
        raise ParameterError(f"{model.path}: no atom has a Q-score, so there are no B factors")
    if (own > 1.0 + 1e-9).any() or (own < -1.0 - 1e-9).any():
        raise ParameterError(
            f"Q-scores lie between -1 and 1, not {np.nanmin(own)}, {np.nanmax(own)}"
        )
    filled = np.minimum(own, 1.0)
    source = np.full(len(model), BSource.OWN, dtype=np.uint8)
    counted = np.isfinite(own) & ~model.hydrogen
    by_residue = group_means(own, model.residue, len(model.residues), counted)
    for values, code in (
        (inherit(np.where(model.hydrogen, np.nan, own), parents(model)), BSource.PARENT),
        (by_residue[model.residue], BSource.RESIDUE),
        (np.full(len(model), own[counted].mean() if counted.any() else np.nan), BSource.MODEL),
    ):
        missing = np.isnan(filled) & np.isfinite(values)
        filled[missing], source[missing] = values[missing], code
    return filled, source
