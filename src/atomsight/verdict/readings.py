"""The four readings, their thresholds, and what a verdict holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from atomsight.typing import Float_N, Int_N


class Reading(IntEnum):
    """What Q and half maps say about a residue."""

    NOT_JUDGED = 0
    AS_EXPECTED = 1
    WORSE = 2
    NOT_RESOLVED = 3
    TOO_GOOD = 4

    @property
    def label(self) -> str:
        """The name as it stands in tables."""
        return _LABELS[self]


_LABELS = {
    Reading.NOT_JUDGED: "not judged",
    Reading.AS_EXPECTED: "as expected",
    Reading.WORSE: "worse than the map allows",
    Reading.NOT_RESOLVED: "not resolved",
    Reading.TOO_GOOD: "better than the data support",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """Every threshold of a verdict.

    Attributes
    ----------
    resolved : float
        A residue is resolved where its attainable Q reaches this share of the model's typical one.
        A part that has such a Q where its residue is not resolved is too good.
    least : float
        Typical attainable Q below which Q tells nothing, and no residue is judged.
    spread, spread_atom : float
        Standard deviation of Q from attainable Q in right parts, besides the noise: what does not
        depend on the number of atoms, and what falls with its root.
    width : float
        Half-width of the band in standard deviations.
    stands_out : float
        Å; where a part's FSC-Q lies above the model's median by more than this, FSC-Q says too
        that it fits worse.
    confirmed : float
        And then this share of the band's lower half is enough.
    spread_density : float
        Standard deviation of the pull of right parts, besides the noise, over their density.
    displaced : float
        Standard deviations; a part that the map pulls to one side by this fits worse as soon as
        its Q is lower than attainable. As far as the pull is below, so many times the band's
        lower half is needed,
    widest : float
        but not more than this many times.
    climbs : float
        Standard deviations of the noise; where its residue is not resolved, a part that would
        find more density by this one step aside was not fitted there, and is not too good.
    density : float
        A side chain that fits worse is not resolved where it finds less than this share of its
        density, where it is and turned about CA-CB, unless it is displaced.
    """

    resolved: float = 0.8
    least: float = 0.3
    spread: float = 0.05
    spread_atom: float = 0.13
    width: float = 1.5
    stands_out: float = 0.3
    confirmed: float = 0.5
    spread_density: float = 0.07
    displaced: float = 3.5
    widest: float = 1.75
    climbs: float = 1.0
    density: float = 0.45


RULES = Rules()
"""The thresholds in use. Found on one set of constructed cases, reported on others."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One reading a residue, with the numbers behind it.

    Attributes
    ----------
    reading : ndarray of int, shape (m,)
        `Reading` of each residue: the worse of its two parts'.
    part : ndarray of int, shape (m,)
        `Part` that the reading and the numbers are about: BACKBONE (of a nucleotide: phosphate
        and sugar), SIDECHAIN, BASE; NONE: the whole residue.
    q, expected, low, high : ndarray, shape (m,)
        Mean Q of the part's atoms, mean attainable Q, and the band around it.
    local_resolution : ndarray, shape (m,)
        Of the half maps, Å; NaN where they agree on nothing.
    fsc_q : ndarray, shape (m,)
        Å; NaN where it was not given or measured.
    atoms : ndarray of int, shape (m,)
        Atoms behind the numbers.
    pull : ndarray, shape (m,)
        How far the map pulls the part to one side, in standard deviations; NaN where that was not
        asked.
    density : ndarray, shape (m,)
        Most density that the side chain finds, over what a right one would have; NaN where that
        was not asked.
    reason : list of str
        Why a residue is not judged; empty where it is.
    sentence : list of str
        The reading in plain words.
    typical : float
        Median attainable Q of the model's residues; NaN where nothing was judged.
    rules : Rules
    """

    reading: Int_N
    part: Int_N
    q: Float_N
    expected: Float_N
    low: Float_N
    high: Float_N
    local_resolution: Float_N
    fsc_q: Float_N
    atoms: Int_N
    pull: Float_N
    density: Float_N
    reason: list[str]
    sentence: list[str]
    typical: float
    rules: Rules

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of residues of each reading, by label."""
        return {r.label: int(np.count_nonzero(self.reading == r)) for r in Reading}
