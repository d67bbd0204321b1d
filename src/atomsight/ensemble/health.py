"""Whether models say something about the map, or about how they were made."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atomsight.ensemble.fit import LEAST_COMMON, CommonFit
from atomsight.ensemble.records import Generated
from atomsight.typing import Float_N

MOST_WORSE = 0.1
"""Of more models than this share that end with a worse fit than they began with, the sampler
failed, not the map."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the models say something about the map, or about how they were made.

    Attributes
    ----------
    perturbation : float
        Å: mean over the models of how far the phase without map moved Cα (C1'); NaN: unknown.
    worse : float
        Share of the models whose correlation with the map ended below that of the prepared one;
        NaN: unknown.
    n : int
        Models with both correlations.
    gain : float
        Mean over them of the correlation at the end less that of the prepared model.
    kept_worse, kept_gain : float
        The same of the kept models as they are compared, refined.
    """

    perturbation: float
    worse: float
    n: int
    gain: float
    kept_worse: float
    kept_gain: float


def health_of(models: Sequence[Generated], kept: Sequence[CommonFit]) -> Health:
    """Whether models were moved far enough, and came back to the map.

    Parameters
    ----------
    models : sequence of Generated
    kept : sequence of CommonFit
        Of the kept ones, refined.

    Returns
    -------
    Health
    """
    moved = np.array([one.perturbation for one in models], dtype=float)
    gain = np.array([one.cc_end - one.cc_start for one in models], dtype=float)
    kept_gain = np.array([one.end - one.start for one in kept], dtype=float)
    return Health(
        perturbation=_mean(moved),
        worse=_worse(gain),
        n=int(np.isfinite(gain).sum()),
        gain=_mean(gain),
        kept_worse=_worse(kept_gain),
        kept_gain=_mean(kept_gain),
    )


def health_notes(models: Sequence[Generated], health: Health) -> list[str]:
    """What a reader should know of how the models fit.

    Parameters
    ----------
    models : sequence of Generated
    health : Health
        Of them.

    Returns
    -------
    list of str
    """
    notes = []
    missing = [one.missing_atoms for one in models if one.missing_atoms]
    if missing:
        unknown = sum(bool(np.isnan(one.cc_end)) for one in models if one.missing_atoms)
        notes.append(
            f"{len(missing)} of {len(models)} models lack heavy atoms of the prepared one, up to "
            f"{max(missing)}: their correlations with the map are over the atoms in common"
            + (
                f"; {unknown} lack more than {1 - LEAST_COMMON:.0%} of them and have none"
                if unknown
                else ""
            )
        )
    other = [one.other_atoms for one in models if one.other_atoms]
    if other:
        notes.append(
            f"{len(other)} of {len(models)} models have heavy atoms that the prepared one does "
            f"not, up to {max(other)}: these do not count in the correlations with the map"
        )
    if health.worse > MOST_WORSE:
        notes.append(
            f"{health.worse:.0%} of the models fit the map worse than the model they started from "
            f"(CC-mean {health.gain:+.3f} in the mean; of the kept ones {health.kept_worse:.0%}, "
            f"{health.kept_gain:+.3f}): the spread may be the sampler's, not the map's"
        )
    return notes


def _mean(values: Float_N) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _worse(gain: Float_N) -> float:
    return _mean(np.where(np.isfinite(gain), gain < 0, np.nan))
