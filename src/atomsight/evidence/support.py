"""Which ligands, ions, waters and sugars the map does not support.

The map's own polymer is the measure: what is really there should be seen nearly as well as the
chain around it. A residue of these classes is unsupported where ::

    mean Q       < 0.75 · (median Q of the polymer atoms)                     or
    mean density < 0.15 · (median density of the polymer atoms)

Density is that at the atoms, above the mean of the map. Both are needed: Q sees the shape but not
the height, so that a ripple of the solvent may score well; density sees the height alone, so that
an atom in its neighbour's density may score well.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from atomsight.errors import ParameterError
from atomsight.evidence.atom_density import AtomDensity
from atomsight.evidence.groups import group_means
from atomsight.model import AtomClass, Model
from atomsight.typing import Bool_N, Float_N, Int_N, Status_N

Q_SHARE = 0.75
"""Least Q, as a share of the polymer's median. About one random place in twenty reaches it."""

DENSITY_SHARE = 0.15
"""Least density above the mean of the map, as a share of the polymer's median."""

LEAST_REFERENCE_Q = 0.25
"""Below it the polymer itself is not seen atom by atom, and nothing can be judged by it."""

LEAST_REFERENCE_ATOMS = 20
"""Polymer atoms that a median needs."""

_POLYMERS = (AtomClass.PROTEIN, AtomClass.NUCLEIC)


class Support(IntEnum):
    """Whether the map supports an atom or residue outside polymers, and if not, why."""

    POLYMER = 0
    """Of a polymer (or a hydrogen): not asked."""
    SUPPORTED = 1
    """Neither Q nor density is too low."""
    LOW_Q = 2
    """Q too low: the map around it does not look like an atom."""
    LOW_DENSITY = 3
    """Density too low."""
    LOW_Q_AND_DENSITY = 4
    """Both too low."""
    NOT_JUDGED = 5
    """No value for most of its atoms, or no polymer to compare with."""

    @property
    def label(self) -> str:
        """The name as it stands in tables."""
        return "" if self is Support.POLYMER else self.name.lower()

    @property
    def unsupported(self) -> bool:
        """Whether something is too low."""
        return self in _UNSUPPORTED


_UNSUPPORTED = (Support.LOW_Q, Support.LOW_DENSITY, Support.LOW_Q_AND_DENSITY)


@dataclass(frozen=True, slots=True)
class NonPolymerSupport:
    """Support of the atoms and residues outside polymers.

    Attributes
    ----------
    atom, residue : ndarray of uint8, shape (n,) and (m,)
        `Support` of each atom by its own values, and of each residue by its means.
    q, density : ndarray, shape (m,)
        Mean Q, and mean density in σ above the mean of the map, of each residue outside polymers;
        NaN where fewer than half of its atoms have a value.
    atoms, atoms_supported : ndarray of int, shape (m,)
        Atoms other than hydrogen of each residue outside polymers, and those that are supported.
    least_q, least_density : float
        The two limits; NaN without a reference.
    reference_q, reference_density : float
        Medians over the polymer atoms.
    reference_atoms : int
        How many there are.
    no_reference : str
        Why nothing was judged; empty where the polymer serves as reference.
    """

    atom: Status_N
    residue: Status_N
    q: Float_N
    density: Float_N
    atoms: Int_N
    atoms_supported: Int_N
    least_q: float
    least_density: float
    reference_q: float
    reference_density: float
    reference_atoms: int
    no_reference: str

    @property
    def unsupported(self) -> Bool_N:
        """Residues that the map does not support, shape (m,)."""
        return np.isin(self.residue, _UNSUPPORTED)

    @property
    def definition(self) -> str:
        """The rule in one sentence, for reports."""
        return (
            f"unsupported: mean Q below {Q_SHARE:g} of the polymer's median Q, or mean density at "
            f"the atoms (above the mean of the map) below {DENSITY_SHARE:g} of the polymer's median"
        )


def non_polymer_support(
    model: Model, density: AtomDensity, q: Float_N, counted: Bool_N
) -> NonPolymerSupport:
    """Find the ligands, ions, waters and sugars that the map does not support.

    Parameters
    ----------
    model : Model
    density : AtomDensity
        From `atom_density`.
    q : ndarray, shape (n,)
        Q-score of each atom.
    counted : ndarray of bool, shape (n,)
        Atoms whose Q was computed: `QScores.counted`.

    Returns
    -------
    NonPolymerSupport

    Raises
    ------
    ParameterError
        If the values do not belong to the model.
    """
    if not len(model) == len(q) == len(counted) == len(density.status):
        raise ParameterError(
            f"Q and density must have one value for each of the {len(model)} atoms, "
            f"not {len(q)} and {len(density.status)}"
        )
    q = np.where(counted, q, np.nan)
    height = np.where(density.counted, density.trilinear, np.nan)
    polymer = np.isin(model.atom_class, _POLYMERS)
    reference = polymer & np.isfinite(q) & np.isfinite(height)
    count = int(reference.sum())
    median_q = float(np.median(q[reference])) if count else float("nan")
    median_height = float(np.median(height[reference])) if count else float("nan")
    reason = _no_reference(count, median_q, median_height)
    least_q = float("nan") if reason else Q_SHARE * median_q
    least_height = float("nan") if reason else DENSITY_SHARE * median_height

    asked = ~polymer & ~model.hydrogen
    m = len(model.residues)
    atoms = np.bincount(model.residue[asked], minlength=m)
    mean_q, mean_height = (_means(v, model, asked, atoms) for v in (q, height))
    atom = _judge(q, height, least_q, least_height, asked)
    residue_asked = ~np.isin(model.residues.atom_class, _POLYMERS)
    supported = atom == Support.SUPPORTED
    return NonPolymerSupport(
        atom=atom,
        residue=_judge(mean_q, mean_height, least_q, least_height, residue_asked),
        q=mean_q,
        density=mean_height,
        atoms=atoms,
        atoms_supported=np.bincount(model.residue[supported], minlength=m),
        least_q=least_q,
        least_density=least_height,
        reference_q=median_q,
        reference_density=median_height,
        reference_atoms=count,
        no_reference=reason,
    )


def _no_reference(count: int, q: float, height: float) -> str:
    if count < LEAST_REFERENCE_ATOMS:
        return f"{count} polymer atoms have values; {LEAST_REFERENCE_ATOMS} are needed to compare"
    if q < LEAST_REFERENCE_Q:
        return (
            f"the polymer's median Q is {q:.2f}; below {LEAST_REFERENCE_Q:g} the map does not "
            "show single atoms"
        )
    if not height > 0:
        return "the density at the polymer's atoms is no higher than the mean of the map"
    return ""


def _means(values: Float_N, model: Model, asked: Bool_N, atoms: Int_N) -> Float_N:
    """Mean of each residue; NaN where fewer than half of its atoms have a value."""
    m = len(atoms)
    known = np.bincount(model.residue[asked & np.isfinite(values)], minlength=m)
    return np.where(2 * known >= atoms, group_means(values, model.residue, m, asked), np.nan)


def _judge(
    q: Float_N, height: Float_N, least_q: float, least_height: float, asked: Bool_N
) -> Status_N:
    """One value that is too low is enough; to be supported, both must be known."""
    low_q, low_height = q < least_q, height < least_height
    verdict = np.select(
        [low_q & low_height, low_q, low_height, (q >= least_q) & (height >= least_height)],
        [Support.LOW_Q_AND_DENSITY, Support.LOW_Q, Support.LOW_DENSITY, Support.SUPPORTED],
        Support.NOT_JUDGED,
    )
    return np.where(asked, verdict, Support.POLYMER).astype(np.uint8)
