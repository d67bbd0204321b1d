"""The model as a PDB file with a measure in the B-factor column, where the format allows it."""

from collections.abc import Callable
from pathlib import Path
from textwrap import wrap

import gemmi
import numpy as np

from atomsight.io.files import write_text
from atomsight.model import Model
from atomsight.typing import Float_N

NO_OCCUPANCY = -99.99
"""What stands in the occupancy column of an atom without a value."""

NOT_COMPUTED = -9.99
"""What stands in the B-factor column of an atom without a value; no Q-score can be that."""

_MOST_ATOMS = 99_999
_REMARK_WIDTH = 69


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
    absent = np.count_nonzero(~model.has_position)
    if absent:
        return f"{absent} atoms without coordinates"
    for what, names, most in (
        ("chain name", residues.chain, 1),
        ("residue name", residues.name, 3),
        ("atom name", model.atom, 4),
        ("insertion code", residues.icode, 1),
    ):
        lengths = np.char.str_len(names)
        if lengths.max() > most:
            return f"{what} {names[lengths.argmax()]} is longer than {most} characters"
        if not "".join(names).isascii():
            return f"a {what} holds letters beyond ASCII"
    if residues.number.max() > 9999 or residues.number.min() < -999:
        return "residue numbers beyond -999 to 9999"
    if model.xyz.max() >= 9999.9995 or model.xyz.min() <= -999.9995:
        return "coordinates beyond -999.999 to 9999.999"
    if model.occupancy.max() >= 999.995 or model.occupancy.min() <= -99.995:
        return "occupancies beyond -99.99 to 999.99"
    return ""


def write_pdb(
    model: Model,
    values: Float_N,
    remarks: list[str],
    path: Path,
    *,
    occupancy: Float_N | None = None,
) -> Path:
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
    occupancy : ndarray, shape (n,), optional
        Values for the occupancy column (Xmipp puts FSC-Q there); NaN becomes `NO_OCCUPANCY`.

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
    for place in reversed(range(len(structure))):
        if structure[place].num != model.number:
            del structure[place]
    b_factor = _by_row(model, values, NOT_COMPUTED)
    occupied = None if occupancy is None else _by_row(model, occupancy, NO_OCCUPANCY)
    for chain in structure[0]:
        for residue in chain:
            for atom in residue:
                atom.b_iso = b_factor[atom.serial - 1]
                atom.aniso = gemmi.SMat33f(0, 0, 0, 0, 0, 0)  # it would contradict that column
                if occupied is not None:
                    atom.occ = occupied[atom.serial - 1]
    # a structure out of mmCIF has no remarks of its own: gemmi makes them, unless there are some
    headers = _text(structure.make_pdb_headers).splitlines()
    theirs = [line for line in headers if line.startswith("REMARK")]
    wrapped = (part for line in remarks for part in wrap(_ascii(line), _REMARK_WIDTH))
    ours = [f"REMARK   0 {part}" for part in wrapped]
    structure.raw_remarks = ours + theirs
    return write_text(path, _text(structure.make_pdb_string))


def _by_row(model: Model, values: Float_N, missing: float) -> dict[int, float]:
    return dict(zip(model.row.tolist(), np.nan_to_num(values, nan=missing).tolist(), strict=True))


def _text(make: Callable[[], str]) -> str:
    """What gemmi makes, in ASCII."""
    try:
        text = make()
    except UnicodeDecodeError as exc:
        # gemmi breaks titles by bytes, which may fall inside a letter
        text = exc.object.decode("utf-8", "replace")
    return _ascii(text)


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii")
