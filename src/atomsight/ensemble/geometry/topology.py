"""Which atoms are bonded: templates of the standard residues, distances elsewhere."""

from functools import cache

import gemmi
import numpy as np
from scipy.spatial import KDTree

from atomsight.evidence.hydrogens import parents
from atomsight.model import AtomClass, Model
from atomsight.typing import Bool_N, Int_N

_METALS = (
    "LI BE NA MG AL K CA SC TI V CR MN FE CO NI CU ZN GA RB SR Y ZR MO RU RH PD AG CD IN SN CS BA "
    "LA CE SM EU GD TB YB W RE OS IR PT AU HG TL PB"
)
METALS = tuple(_METALS.split())
"""Elements that are ions in a model: they touch, they do not bond."""

_BACKBONE = "N-CA CA-C C-O C-OXT CA-CB"
_RING = "CB-CG CG-CD1 CG-CD2 CD1-CE1 CD2-CE2 CE1-CZ CE2-CZ"
_SIDE_CHAINS = {
    "ALA": "",
    "ARG": "CB-CG CG-CD CD-NE NE-CZ CZ-NH1 CZ-NH2",
    "ASN": "CB-CG CG-OD1 CG-ND2",
    "ASP": "CB-CG CG-OD1 CG-OD2",
    "CYS": "CB-SG",
    "GLN": "CB-CG CG-CD CD-OE1 CD-NE2",
    "GLU": "CB-CG CG-CD CD-OE1 CD-OE2",
    "GLY": "",
    "HIS": "CB-CG CG-ND1 CG-CD2 ND1-CE1 CD2-NE2 CE1-NE2",
    "ILE": "CB-CG1 CB-CG2 CG1-CD1",
    "LEU": "CB-CG CG-CD1 CG-CD2",
    "LYS": "CB-CG CG-CD CD-CE CE-NZ",
    "MET": "CB-CG CG-SD SD-CE",
    "MSE": "CB-CG CG-SE SE-CE",
    "PHE": _RING,
    "PRO": "CB-CG CG-CD CD-N",
    "SER": "CB-OG",
    "THR": "CB-OG1 CB-CG2",
    "TRP": "CB-CG CG-CD1 CG-CD2 CD1-NE1 NE1-CE2 CD2-CE2 CD2-CE3 CE2-CZ2 CE3-CZ3 CZ2-CH2 CZ3-CH2",
    "TYR": f"{_RING} CZ-OH",
    "VAL": "CB-CG1 CB-CG2",
}
_SUGAR = (
    "P-OP1 P-OP2 P-OP3 P-O5' O5'-C5' C5'-C4' C4'-O4' C4'-C3' C3'-O3' C3'-C2' C2'-O2' C2'-C1' "
    "C1'-O4'"
)
_PURINE = "C1'-N9 N9-C8 C8-N7 N7-C5 C5-C6 C6-N1 N1-C2 C2-N3 N3-C4 C4-N9 C4-C5"
_PYRIMIDINE = "C1'-N1 N1-C2 C2-O2 C2-N3 N3-C4 C4-C5 C5-C6 C6-N1"
_BASES = {
    "A": f"{_PURINE} C6-N6",
    "G": f"{_PURINE} C6-O6 C2-N2",
    "C": f"{_PYRIMIDINE} C4-N4",
    "U": f"{_PYRIMIDINE} C4-O4",
}
_BASES |= {f"D{base}": _BASES[base] for base in "AGC"}
_BASES["DT"] = f"{_BASES['U']} C5-C7"

PEPTIDE_REACH = 2.0
"""Å; C and N of neighbouring residues further apart are not bonded, as in MolProbity."""
_DISULFIDE_REACH = 2.5
_PHOSPHATE_REACH = 2.2
_TOLERANCE = 0.3
_LINK_TOLERANCE = 0.15


@cache
def template(name: str) -> tuple[tuple[str, str], ...]:
    """Bonds between the heavy atoms of a standard residue, as pairs of atom names.

    Parameters
    ----------
    name : str
        Of the residue.

    Returns
    -------
    tuple of (str, str)
        Empty for residues that are not known.
    """
    if name in _SIDE_CHAINS:
        text = f"{_BACKBONE} {_SIDE_CHAINS[name]}"
    elif name in _BASES:
        text = f"{_SUGAR} {_BASES[name]}"
    else:
        return ()
    pairs = [bond.split("-") for bond in text.split()]
    return tuple((first, second) for first, second in pairs)


def bonds(model: Model) -> Int_N:
    """Covalent bonds of a model.

    Within the 20 amino acids, selenomethionine and the standard nucleotides they are those of
    the residue, however long; within other residues, pairs nearer than the sum of their covalent
    radii + 0.3 Å. Between residues: C-N up to 2.0 Å, O3'-P up to 2.2 Å, SG-SG up to 2.5 Å, and
    pairs nearer than the covalent radii + 0.15 Å where one residue is not a standard one. A
    hydrogen is bonded to the nearest atom of its residue. Metals have no bonds, except to the
    atoms of their own residue (haem). Atoms of different conformers are not bonded.

    Parameters
    ----------
    model : Model

    Returns
    -------
    ndarray of int, shape (k, 2)
        Rows of the atoms, the smaller first, sorted and without repeats.
    """
    parts = [_template_bonds(model), _bonds_by_distance(model)]
    parent = parents(model)
    hydrogens = np.flatnonzero(model.hydrogen & (parent >= 0))
    parts.append(np.stack([hydrogens, parent[hydrogens]], axis=1))
    found = np.sort(np.concatenate(parts), axis=1)
    found = found[compatible(model, found)]
    unique: Int_N = np.unique(found, axis=0)
    return unique


def compatible(model: Model, pairs: Int_N) -> Bool_N:
    """Whether both atoms of each pair can be there at once.

    Parameters
    ----------
    model : Model
    pairs : ndarray of int, shape (k, 2)

    Returns
    -------
    ndarray of bool, shape (k,)
        False where the atoms belong to different alternative conformers.
    """
    first, second = model.altloc[pairs[:, 0]], model.altloc[pairs[:, 1]]
    return np.asarray((first == second) | (first == "") | (second == ""))


def standard(model: Model) -> Bool_N:
    """Residues whose bonds are known from their names.

    Parameters
    ----------
    model : Model

    Returns
    -------
    ndarray of bool, shape (m,)
        One flag a residue.
    """
    known = [name for name in np.unique(model.residues.name).tolist() if template(name)]
    return np.asarray(np.isin(model.residues.name, known))


def _template_bonds(model: Model) -> Int_N:
    """Bonds of the standard residues: every pair of names of a template, every conformer."""
    rows = np.flatnonzero(model.heavy & standard(model)[model.residue])
    of_residue: dict[int, dict[str, list[int]]] = {}
    for row, residue, atom in zip(
        rows.tolist(), model.residue[rows].tolist(), model.atom[rows].tolist(), strict=True
    ):
        of_residue.setdefault(residue, {}).setdefault(atom, []).append(row)
    names = model.residues.name.tolist()
    found = [
        (one, other)
        for residue, atoms in of_residue.items()
        for first, second in template(names[residue])
        if first in atoms and second in atoms
        for one in atoms[first]
        for other in atoms[second]
    ]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _bonds_by_distance(model: Model) -> Int_N:
    """Bonds between residues, and within residues without a template."""
    return np.concatenate([_links(model), _loose_bonds(model)])


def _links(model: Model) -> Int_N:
    """Bonds between residues that atom names tell."""
    rows = np.flatnonzero(model.heavy & np.isin(model.atom, ["C", "N", "P", "O3'", "SG"]))
    if not len(rows):
        return np.zeros((0, 2), dtype=np.int64)
    pairs = rows[KDTree(model.xyz[rows]).query_pairs(_DISULFIDE_REACH, output_type="ndarray")]
    one, two = pairs.T
    apart = np.linalg.norm(model.xyz[one] - model.xyz[two], axis=1)
    linked = np.zeros(len(pairs), dtype=bool)
    for first, second, reach in (
        ("C", "N", PEPTIDE_REACH),
        ("O3'", "P", _PHOSPHATE_REACH),
        ("SG", "SG", _DISULFIDE_REACH),
    ):
        names = (model.atom[one] == first) & (model.atom[two] == second)
        names |= (model.atom[two] == first) & (model.atom[one] == second)
        linked |= names & (apart <= reach)
    linked &= model.residue[one] != model.residue[two]
    return np.asarray(pairs[linked], dtype=np.int64)


def _loose_bonds(model: Model) -> Int_N:
    """Bonds of the atoms of residues without a template; water has none."""
    water = model.atom_class == AtomClass.WATER
    rows = np.flatnonzero(model.heavy & ~water)
    loose = rows[~standard(model)[model.residue[rows]]]
    if not len(loose):
        return np.zeros((0, 2), dtype=np.int64)
    elements = np.char.upper(model.element)
    radius = np.zeros(len(model))
    radius[rows] = _covalent_radii(elements[rows])
    reach = float(radius[loose].max() + radius[rows].max()) + _TOLERANCE
    found = KDTree(model.xyz[loose]).sparse_distance_matrix(
        KDTree(model.xyz[rows]), reach, output_type="ndarray"
    )
    one, two, apart = loose[found["i"]], rows[found["j"]], found["v"]
    same = model.residue[one] == model.residue[two]
    metal = np.isin(elements, METALS)
    longest = radius[one] + radius[two] + np.where(same, _TOLERANCE, _LINK_TOLERANCE)
    bonded = (apart < longest) & (one != two) & (same | ~(metal[one] | metal[two]))
    return np.stack([one[bonded], two[bonded]], axis=1)


def _covalent_radii(elements: np.ndarray) -> np.ndarray:
    unique, inverse = np.unique(elements, return_inverse=True)
    radii = np.array([gemmi.Element(str(name)).covalent_r for name in unique.tolist()])
    return radii[inverse] if len(radii) else np.zeros(0)


def near_in_bonds(pairs: Int_N, hydrogen: Bool_N) -> tuple[Int_N, Int_N]:
    """Atoms too near along the bonds to clash: up to 3 bonds, or 4 with a hydrogen at an end.

    Parameters
    ----------
    pairs : ndarray of int, shape (k, 2)
        Bonds.
    hydrogen : ndarray of bool, shape (n,)

    Returns
    -------
    start : ndarray of int, shape (n + 1,)
    atoms : ndarray of int
        ``atoms[start[i]:start[i + 1]]`` are the atoms near atom i, sorted, i itself among them.
    """
    from scipy.sparse import csr_array, eye_array  # noqa: PLC0415  (slow to import)

    n = len(hydrogen)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    ones = np.ones(len(both), dtype=np.int8)
    step = csr_array((ones, (both[:, 0], both[:, 1])), shape=(n, n)) + eye_array(n, dtype=np.int8)
    three = step @ step @ step
    four = three @ step
    three.data[:], four.data[:] = 1, 1
    reached = csr_array(three + four)
    reached.sort_indices()
    first = np.repeat(np.arange(n), np.diff(reached.indptr))
    near = (reached.data == 2) | hydrogen[first] | hydrogen[reached.indices]
    start = np.concatenate([[0], np.cumsum(np.bincount(first[near], minlength=n))])
    return start.astype(np.int64), reached.indices[near].astype(np.int64)
