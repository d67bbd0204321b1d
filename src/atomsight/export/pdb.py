"""The model as a PDB file with a measure in the B-factor column, where the format allows it."""

from pathlib import Path

import gemmi
import numpy as np

from atomsight.io.files import write_text
from atomsight.model import Model
from atomsight.typing import Float_N

NOT_COMPUTED = -9.99
"""What stands in the B-factor column of an atom without a value; no Q-score can be that."""

_MOST_ATOMS = 99_999


def why_not_pdb(model: Model) -> str:
    """Why a model does not fit the PDB format.

    Parameters
    ----------
    model : Model

    Returns
    -------
    str
        Empty where it fits.
    """
    residues = model.residues
    if len(model) > _MOST_ATOMS:
        return f"{len(model)} atoms (the PDB format holds {_MOST_ATOMS})"
    for what, names, most in (
        ("chain name", residues.chain, 1),
        ("residue name", residues.name, 3),
        ("atom name", model.atom, 4),
        ("insertion code", residues.icode, 1),
    ):
        lengths = np.char.str_len(names)
        if lengths.max() > most:
            return f"{what} {names[lengths.argmax()]} is longer than {most} characters"
    if residues.number.max() > 9999 or residues.number.min() < -999:
        return "residue numbers beyond -999 to 9999"
    known = model.xyz[model.has_position]
    if known.max() >= 9999.9995 or known.min() <= -999.9995:
        return "coordinates beyond -999.999 to 9999.999"
    return ""


def write_pdb(model: Model, values: Float_N, remarks: list[str], path: Path) -> Path:
    """Write one MODEL as PDB with `values` in the B-factor column (two decimals).

    Parameters
    ----------
    model : Model
        `why_not_pdb` must be empty.
    values : ndarray, shape (n,)
        One value an atom; NaN becomes `NOT_COMPUTED`.
    remarks : list of str
        Lines for REMARK 0, without the record name.
    path : Path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    structure = model.structure.clone()
    for number in [m.num for m in structure if m.num != model.number]:
        del structure[number]
    shown = dict(
        zip(model.row.tolist(), np.nan_to_num(values, nan=NOT_COMPUTED).tolist(), strict=True)
    )
    for chain in structure[0]:
        for residue in chain:
            for atom in residue:
                atom.b_iso = shown[atom.serial - 1]
    ours = [f"REMARK   0 {_ascii(line)}"[:80] for line in remarks]
    structure.raw_remarks = ours + list(structure.raw_remarks)
    options = gemmi.PdbWriteOptions()
    options.preserve_serial = False
    return write_text(path, structure.make_pdb_string(options))


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii")
