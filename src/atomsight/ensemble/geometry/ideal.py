"""Ideal bond lengths and angles where no monomer library is at hand."""

import importlib.util
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

from atomsight.errors import MissingLibraryError

BOND_SIGMA = 0.02
"""Å; for bonds of the force field."""

ANGLE_SIGMA = 3.0
"""Degrees; for angles of the force field."""

_FILES = ("protein.ff14SB.xml", "RNA.OL3.xml", "DNA.OL15.xml")
_TWINS = {"HIS": "HIE", "MSE": "MET"}
_SELENIUM = {"SE": "SD"}

# Engh & Huber (2001), International Tables F, table 18.3.2.3: value, sigma
_BACKBONE = {
    "": {
        "N-CA": (1.459, 0.020),
        "CA-C": (1.525, 0.026),
        "C-O": (1.229, 0.019),
        "C-N": (1.336, 0.023),
        "N-CA-C": (111.0, 2.7),
        "CA-C-O": (120.1, 2.1),
        "CA-C-N": (117.2, 2.2),
        "O-C-N": (122.7, 1.6),
        "C-N-CA": (121.7, 2.5),
    },
    "GLY": {
        "N-CA": (1.456, 0.015),
        "CA-C": (1.514, 0.016),
        "C-O": (1.232, 0.016),
        "C-N": (1.326, 0.018),
        "N-CA-C": (113.1, 2.5),
        "CA-C-O": (120.6, 1.8),
        "CA-C-N": (116.2, 2.0),
        "O-C-N": (123.2, 1.7),
        "C-N-CA": (122.3, 2.1),
    },
    "PRO": {
        "N-CA": (1.468, 0.017),
        "CA-C": (1.524, 0.020),
        "C-O": (1.228, 0.020),
        "C-N": (1.338, 0.019),
        "N-CA-C": (112.1, 2.6),
        "CA-C-O": (120.2, 2.4),
        "CA-C-N": (117.1, 2.8),
        "O-C-N": (121.1, 1.9),
        "C-N-CA": (119.3, 1.5),
    },
}
# the force field has 120° throughout; means over the protonation states of the same authors
_IMIDAZOLE = {
    "CB-CG-ND1": 122.0,
    "CB-CG-CD2": 130.5,
    "ND1-CG-CD2": 107.5,
    "CG-ND1-CE1": 107.5,
    "ND1-CE1-NE2": 109.5,
    "CE1-NE2-CD2": 108.0,
    "CG-CD2-NE2": 107.5,
}
# these belong to the residue whose N ends the bond
_OF_THE_NEXT = ("C-N", "CA-C-N", "O-C-N", "C-N-CA")


@dataclass(frozen=True, slots=True)
class _ForceField:
    types: dict[str, dict[str, str]]
    bonds: dict[tuple[str, str], float]
    angles: dict[tuple[str, str, str], float]


def backbone_target(names: tuple[str, ...], residue: str, following: str) -> tuple[float, float]:
    """Ideal value and sigma of a bond or angle of the protein backbone.

    Parameters
    ----------
    names : tuple of str
        Two or three atom names, along the chain.
    residue : str
        Name of the residue of the first atom.
    following : str
        Name of the residue of the last one.

    Returns
    -------
    value, sigma : float
        Å or degrees; NaN where the backbone has no such bond or angle.

    References
    ----------
    Engh & Huber (2001), International Tables for Crystallography F, 382-392.
    """
    key = "-".join(names)
    name = following if key in _OF_THE_NEXT else residue
    return _BACKBONE.get(name, _BACKBONE[""]).get(key, (math.nan, math.nan))


def force_field_bond(first: tuple[str, str], second: tuple[str, str]) -> float:
    """Equilibrium length of a bond in amber14 (ff14SB, RNA.OL3, DNA.OL15).

    Parameters
    ----------
    first, second : tuple of str
        Residue name and atom name.

    Returns
    -------
    float
        Å; NaN where the force field does not know the atoms.

    Raises
    ------
    MissingLibraryError
        If OpenMM, which carries the parameters, is not installed.
    """
    field = _force_field()
    one, two = _type(field, *first), _type(field, *second)
    return field.bonds.get((one, two), math.nan)


def force_field_angle(
    first: tuple[str, str], middle: tuple[str, str], last: tuple[str, str]
) -> float:
    """Equilibrium angle in amber14; in the ring of histidine, a mean of Engh & Huber's.

    Parameters
    ----------
    first, middle, last : tuple of str
        Residue name and atom name.

    Returns
    -------
    float
        Degrees; NaN where the force field does not know the atoms.

    Raises
    ------
    MissingLibraryError
        If OpenMM, which carries the parameters, is not installed.
    """
    if middle[0] == "HIS":
        names = first[1], middle[1], last[1]
        for key in ("-".join(names), "-".join(reversed(names))):
            if key in _IMIDAZOLE:
                return _IMIDAZOLE[key]
    field = _force_field()
    types = _type(field, *first), _type(field, *middle), _type(field, *last)
    return field.angles.get(types, math.nan)


def _type(field: _ForceField, residue: str, atom: str) -> str:
    """Type of an atom inside a chain; the second oxygen of a chain's end is as the first there."""
    name = _TWINS.get(residue, residue)
    if atom == "OXT":
        return field.types.get(f"C{name}", {}).get("OXT", "")
    return field.types.get(name, {}).get(_SELENIUM.get(atom, atom), "")


@cache
def _force_field() -> _ForceField:
    found = importlib.util.find_spec("openmm")
    if found is None or found.origin is None:
        raise MissingLibraryError(
            "bonds and angles are judged by a monomer library or by OpenMM's force field, and "
            "neither is here: set CLIBD_MON (--monomers), or "
            "run: pip install 'atomsight[ensemble]'"
        )
    # the parameters are read as data: importing OpenMM takes longer than judging a model
    folder = Path(found.origin).parent / "app" / "data" / "amber14"
    types: dict[str, dict[str, str]] = {}
    bonds: dict[tuple[str, str], float] = {}
    angles: dict[tuple[str, str, str], float] = {}
    for file in _FILES:
        root = ET.parse(folder / file).getroot()  # noqa: S314  (OpenMM's own file)
        for residue in root.iter("Residue"):
            types[residue.attrib["name"]] = {
                atom.attrib["name"]: atom.attrib["type"] for atom in residue.iter("Atom")
            }
        for bond in root.iterfind("HarmonicBondForce/Bond"):
            one, two = bond.attrib["type1"], bond.attrib["type2"]
            bonds[one, two] = bonds[two, one] = 10.0 * float(bond.attrib["length"])
        for angle in root.iterfind("HarmonicAngleForce/Angle"):
            one, two, three = (angle.attrib[f"type{k}"] for k in (1, 2, 3))
            value = math.degrees(float(angle.attrib["angle"]))
            angles[one, two, three] = angles[three, two, one] = value
    return _ForceField(types, bonds, angles)
