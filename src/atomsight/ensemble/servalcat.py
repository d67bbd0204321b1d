"""B factors by servalcat, which refines them against the map in reciprocal space."""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import gemmi
import numpy as np

from atomsight.density.map import Map, box_cell
from atomsight.ensemble.refinement import with_columns, write_mmcif
from atomsight.errors import MissingLibraryError, ModelFileError, ParameterError
from atomsight.io.map_writing import write_map
from atomsight.io.models import read_model
from atomsight.model import Model
from atomsight.typing import Float_N

PROGRAM = "servalcat"

SKEWED = "servalcat takes maps with axes at right angles only"

_LAST_LINES = 5
_STILL = 0.002


def b_from_servalcat(
    map_: Map,
    model: Model,
    *,
    resolution: float,
    monomers: Path | None = None,
    program: str = PROGRAM,
) -> Model:
    """Refine the B factors of a model by ``servalcat refine_spa_norefmac --fix_xyz``.

    servalcat takes no notice of the origin words of an MRC file, so it gets a copy of the map
    whose origin is zero, and the model shifted by as much. Without a monomer library the B
    factors are not restrained to those of bonded atoms.

    Parameters
    ----------
    map_ : Map
        All of it is used, so it may be cut to the model's surroundings. At right angles.
    model : Model
    resolution : float
        Å.
    monomers : Path, optional
        Folder of a monomer library; the environment's CLIBD_MON when not given.
    program : str
        The command.

    Returns
    -------
    Model
        A copy with the new B factors; the coordinates are the old ones.

    Raises
    ------
    ParameterError
        If the map's axes are not at right angles.
    MissingLibraryError
        If servalcat is not installed.
    ModelFileError
        If servalcat fails, or writes a model of other atoms; the message shows its last lines.

    References
    ----------
    Yamashita et al. (2021), Acta Cryst. D77, 1282-1291.
    """
    if (map_.step - np.diag(np.diag(map_.step))).any():
        raise ParameterError(f"{map_.path}: {SKEWED}")
    where = require_servalcat(program)
    library = monomers or os.environ.get("CLIBD_MON")
    with tempfile.TemporaryDirectory(prefix="atomsight-servalcat-") as name:
        folder = Path(name)
        write_map(map_.values, replace(map_, origin=np.zeros(3)), folder / "map.mrc")
        shifted = with_columns(model, xyz=model.xyz - map_.origin)
        shape = map_.values.shape[::-1]
        shifted.structure.cell = gemmi.UnitCell(*box_cell(map_.step, shape))
        shifted.structure.spacegroup_hm = "P 1"
        write_mmcif(shifted, folder / "model.cif")
        command = [where, "refine_spa_norefmac", "--map", "map.mrc", "--model", "model.cif"]
        command += ["-d", f"{resolution:g}", "--fix_xyz", "--hydrogen", "yes", "--hout"]
        command += ["--monlib", str(library)] if library else ["--unrestrained"]
        said = _run(command, folder, model)
        output = folder / "refined.mmcif"
        if not output.exists():
            raise ModelFileError(f"{model.path}: servalcat wrote no model. Its last lines:\n{said}")
        b_iso = _b_of(model, shifted, read_model(output))
    return with_columns(model, b_iso=b_iso)


def require_servalcat(program: str = PROGRAM) -> str:
    """Where servalcat is.

    Parameters
    ----------
    program : str
        The command; it is looked for beside this Python first.

    Returns
    -------
    str

    Raises
    ------
    MissingLibraryError
        If servalcat is not installed.
    """
    # a Python that is called by its path has its programs beside it, on no PATH
    beside = str(Path(sys.executable).parent)
    found = shutil.which(program, path=beside) or shutil.which(program)
    if found is None:
        raise MissingLibraryError(
            f"{program} is not installed: run: pip install 'atomsight[ensemble]', or let B factors "
            "be fitted from Q-scores (--b-factors q), which needs no other program"
        )
    return found


def servalcat_version() -> str | None:
    """Version of servalcat, if it is installed beside this Python.

    Returns
    -------
    str or None
    """
    try:
        return version("servalcat")
    except PackageNotFoundError:
        return None


def _run(command: list[str], folder: Path, model: Model) -> str:
    """Run in a folder; returns the last lines that were said."""
    done = subprocess.run(  # noqa: S603  (the user's own program)
        [*command, "-o", "refined"], cwd=folder, capture_output=True, text=True, check=False
    )
    said = "\n".join(f"{done.stdout}\n{done.stderr}".strip().splitlines()[-_LAST_LINES:])
    if done.returncode != 0:
        raise ModelFileError(
            f"{model.path}: servalcat failed (exit code {done.returncode}). Its last lines:\n{said}"
        )
    return said


def _b_of(model: Model, given: Model, refined: Model) -> Float_N:
    """B factors in the order of the model: servalcat may sort the atoms of a residue."""
    known = dict(zip(_keys(refined), range(len(refined)), strict=True))
    try:
        rows = [known[key] for key in _keys(given)]
    except KeyError as exc:
        raise ModelFileError(f"{model.path}: servalcat left out the atom {exc}") from None
    moved = np.linalg.norm(refined.xyz[rows] - given.xyz, axis=1)
    heavy = given.heavy
    if (moved[heavy] > _STILL).any():
        raise ModelFileError(
            f"{model.path}: servalcat moved atoms by up to {moved[heavy].max():.3f} Å, "
            "though it was told not to"
        )
    return refined.b_iso[rows]


def _keys(model: Model) -> list[tuple[object, ...]]:
    residues, at = model.residues, model.residue
    columns = (
        residues.chain[at],
        residues.number[at],
        residues.icode[at],
        residues.name[at],
        model.atom,
        model.altloc,
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))
