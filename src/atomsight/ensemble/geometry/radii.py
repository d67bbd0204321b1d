"""Radii and hydrogen-bonding of atoms, as MolProbity's Probe has them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from atomsight.ensemble.geometry.topology import METALS
from atomsight.evidence.hydrogens import parents
from atomsight.model import AtomClass, Model
from atomsight.typing import Bool_N, Float_N, Int_N

NUCLEAR_FROM = 1.03
"""Å; a median C-H distance above this means nuclear positions (1.09), below it 0.97 Å."""

_HEAVY = {"C": 1.70, "N": 1.55, "O": 1.40, "S": 1.80, "P": 1.80, "F": 1.30, "CL": 1.77}
_HEAVY |= {"BR": 1.95, "I": 2.10, "SE": 1.90, "SI": 2.10, "B": 1.80}
_CARBONYL = 1.65
_UNKNOWN = 1.70
# ionic radii (Pauling), which Probe takes for metals
_IONS = {"LI": 0.60, "NA": 0.95, "K": 1.33, "MG": 0.65, "CA": 0.99, "MN": 0.80, "FE": 0.74}
_IONS |= {"CO": 0.70, "NI": 0.69, "CU": 0.72, "ZN": 0.74, "CD": 0.97, "HG": 1.10, "BA": 1.35}
_ION = 0.80
_HYDROGENS = {"cloud": (1.22, 1.05), "nuclear": (1.17, 1.00)}

_SIDE_CARBONYLS = {"ASP": ("CG",), "ASN": ("CG",), "GLU": ("CD",), "GLN": ("CD",)}
_RING_CARBONS = ("CG", "CD1", "CD2", "CE1", "CE2", "CZ")
_AROMATIC = {
    "PHE": _RING_CARBONS,
    "TYR": _RING_CARBONS,
    "TRP": ("CD2", "CE2", "CE3", "CZ2", "CZ3", "CH2"),
    "HIS": ("ND1", "NE2"),
}
_PURINE = ("N1", "N3", "N7", "N9", "C2", "C4", "C5", "C6", "C8")
_PYRIMIDINE = ("N1", "N3", "C2", "C4", "C5", "C6")
_AROMATIC |= dict.fromkeys(("A", "G", "DA", "DG"), _PURINE)
_AROMATIC |= dict.fromkeys(("C", "U", "DC", "DT"), _PYRIMIDINE)
# their hydrogens are smaller, though the ring is no acceptor
_MORE_RING_CARBONS = {"HIS": ("CD2", "CE1"), "TRP": ("CD1",)}
_CHARGED = {
    "LYS": ("NZ",),
    "ARG": ("NE", "NH1", "NH2"),
    "ASP": ("OD1", "OD2"),
    "GLU": ("OE1", "OE2"),
}


@dataclass(frozen=True, slots=True)
class Contacts:
    """What Probe needs to know of each atom.

    Attributes
    ----------
    radius : ndarray, shape (n,)
        Å.
    donor : ndarray of bool, shape (n,)
        Hydrogens bonded to N, O or S.
    acceptor : ndarray of bool, shape (n,)
        O, S, halogens; N of histidine, of bases and of unknown residues without hydrogen; atoms
        of aromatic rings.
    charged : ndarray of bool, shape (n,)
        Atoms of charged groups, their hydrogens too.
    nuclear : bool
        Hydrogens stand at the nuclei (C-H 1.09 Å), not in the electron cloud (0.97 Å).
    """

    radius: Float_N
    donor: Bool_N
    acceptor: Bool_N
    charged: Bool_N
    nuclear: bool


def contacts(model: Model) -> Contacts:
    """Radii and hydrogen-bonding of each atom.

    Which of the two sets of hydrogen radii fits the model is read from its C-H distances: 1.22 Å
    (polar and aromatic 1.05 Å) for electron-cloud positions, 1.17 and 1.00 Å for nuclear ones.

    Parameters
    ----------
    model : Model

    Returns
    -------
    Contacts

    References
    ----------
    Word et al. (1999), J. Mol. Biol. 285, 1711-1733; Deis et al. (2013), Comput. Cryst. Newsl. 4,
    9-10.
    """
    parent = parents(model)
    element = np.char.upper(model.element)
    bound = model.hydrogen & (parent >= 0)
    heavy_of = np.where(bound, parent, 0)
    polar = bound & np.isin(element[heavy_of], ["N", "O", "S"])
    nuclear = _nuclear(model, bound & (element[heavy_of] == "C"), heavy_of)
    aliphatic, small = _HYDROGENS["nuclear" if nuclear else "cloud"]
    ring = _named(model, _AROMATIC)
    ring_carbon = (ring | _named(model, _MORE_RING_CARBONS)) & (element == "C")
    on_ring = bound & ring_carbon[heavy_of]
    radius = np.full(len(model), _UNKNOWN)
    for name in np.unique(element).tolist():
        at = element == name
        radius[at] = _IONS.get(name, _ION) if name in METALS else _HEAVY.get(name, _UNKNOWN)
    protein = model.atom_class == AtomClass.PROTEIN
    radius[(protein & (model.atom == "C")) | _named(model, _SIDE_CARBONYLS)] = _CARBONYL
    radius[model.hydrogen] = aliphatic
    radius[polar | on_ring] = small
    with_hydrogen = np.zeros(len(model), dtype=bool)
    with_hydrogen[heavy_of[bound]] = True
    standard = np.isin(model.atom_class, [AtomClass.PROTEIN, AtomClass.NUCLEIC])
    loose_nitrogen = (element == "N") & ~standard & ~with_hydrogen
    acceptor = np.isin(element, ["O", "S", "F", "CL", "BR", "I"]) | ring | loose_nitrogen
    charged = _named(model, _CHARGED) | np.isin(model.atom, ["OXT", "OP1", "OP2", "OP3"])
    # an amino group with three hydrogens is charged: the beginning of a chain
    counts = np.bincount(heavy_of[bound], minlength=len(model))
    charged |= (element == "N") & (counts == 3)
    charged = np.where(bound, charged[heavy_of], charged)
    return Contacts(radius, polar, acceptor, charged, nuclear)


def _named(model: Model, names: Mapping[str, tuple[str, ...]]) -> Bool_N:
    """Atoms that a table of residue names and atom names lists."""
    found = np.zeros(len(model), dtype=bool)
    of_atom = model.residues.name[model.residue]
    for residue in np.unique(model.residues.name).tolist():
        if residue in names:
            found |= (of_atom == residue) & np.isin(model.atom, names[residue])
    return found


def _nuclear(model: Model, on_carbon: Bool_N, heavy_of: Int_N) -> bool:
    at = np.flatnonzero(on_carbon)
    if not len(at):
        return False
    apart = np.linalg.norm(model.xyz[at] - model.xyz[heavy_of[at]], axis=1)
    return float(np.median(apart)) > NUCLEAR_FROM
