"""Ideal values from a monomer library, through gemmi."""

import io
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from atomsight.ensemble.geometry.conformers import main_conformer
from atomsight.ensemble.geometry.restraints import (
    CHIRAL_SIGMA,
    Restraints,
    angles,
    chiral_volumes,
    lengths,
)
from atomsight.errors import ParameterError
from atomsight.model import Model
from atomsight.typing import Bool_N, Int_N


def library_restraints(model: Model, folder: Path) -> tuple[Restraints, Restraints, Restraints]:
    """Bonds, angles and chiral centres of a model by a monomer library.

    Parameters
    ----------
    model : Model
    folder : Path
        A library with the layout of CCP4's (``list/mon_lib_list.cif``, ``a/ALA.cif``, …).

    Returns
    -------
    bonds, angles, chirals : Restraints
        Those of the most occupied conformer, without hydrogens; centres of either hand left out.

    Raises
    ------
    ParameterError
        If the folder is no monomer library, or its values cannot be applied to the model.
    """
    monlib = gemmi.MonLib()
    names = np.unique(model.residues.name).tolist()
    said = io.StringIO()
    try:
        monlib.read_monomer_lib(str(folder), names, said)
        structure = model.structure.clone()
        at = [part.num for part in structure].index(model.number)
        topology = gemmi.prepare_topology(
            structure, monlib, at, warnings=said, ignore_unknown_links=True
        )
    except (RuntimeError, ValueError, OSError) as exc:
        raise ParameterError(
            f"monomer library {folder}: cannot be used for {model.path} ({exc}); "
            "CLIBD_MON or --monomers names a folder with list/mon_lib_list.cif and a/ALA.cif"
        ) from None
    usable = main_conformer(model) & model.heavy
    # serials are rows of the file + 1; a model may be one of several MODELs
    row_of = np.full(int(model.row.max()) + 1, -1)
    row_of[model.row] = np.arange(len(model))
    bond_atoms, bond = _targets(topology.bonds, row_of, usable)
    angle_atoms, angle = _targets(topology.angles, row_of, usable)
    chiral_atoms, chiral = _chirals(topology, row_of, usable)
    return (
        Restraints(bond_atoms, lengths(model.xyz, bond_atoms), *bond),
        Restraints(angle_atoms, angles(model.xyz, angle_atoms), *angle),
        Restraints(chiral_atoms, chiral_volumes(model.xyz, chiral_atoms), *chiral),
    )


def _targets(kinds: Any, row_of: Int_N, usable: Bool_N) -> tuple[Int_N, np.ndarray]:
    width = len(kinds[0].atoms) if len(kinds) else 2
    atoms = np.array([[a.serial for a in kind.atoms] for kind in kinds], dtype=np.int64)
    atoms = row_of[atoms.reshape(-1, width) - 1]
    target = np.array([(k.restr.value, k.restr.esd) for k in kinds], dtype=float).reshape(-1, 2)
    keep = usable[atoms].all(axis=1) & np.isfinite(target).all(axis=1) & (target[:, 1] > 0)
    return atoms[keep], target[keep].T


def _chirals(topology: Any, row_of: Int_N, usable: Bool_N) -> tuple[Int_N, np.ndarray]:
    centres = [c for c in topology.chirs if c.restr.sign != gemmi.ChiralityType.Both]
    atoms = np.array([[a.serial for a in c.atoms] for c in centres], dtype=np.int64)
    atoms = row_of[atoms.reshape(-1, 4) - 1]
    sign = [1.0 if c.restr.sign == gemmi.ChiralityType.Positive else -1.0 for c in centres]
    ideal = np.array(
        [s * topology.ideal_chiral_abs_volume(c) for s, c in zip(sign, centres, strict=True)]
    )
    target = np.stack([ideal, np.full(len(ideal), CHIRAL_SIGMA)], axis=1).reshape(-1, 2)
    keep = usable[atoms].all(axis=1) & np.isfinite(target).all(axis=1)
    return atoms[keep], target[keep].T
