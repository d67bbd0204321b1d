"""Files that half maps add: curves, tables of residues to look at, volumes, ChimeraX."""

from pathlib import Path

import numpy as np
import polars as pl

from atomsight.export.chimerax import write_defattr, write_script
from atomsight.export.tables import frame, write_csv
from atomsight.half_maps import HalfMapResult
from atomsight.io.files import make_folder
from atomsight.io.map_writing import write_map
from atomsight.model import Model
from atomsight.typing import Float_N, Str_N
from atomsight.verdict.readings import Reading

FSC_Q_PALETTE = "palette -3,red:-2,orange:-1,gold:0,yellow:1,lime:2,cyan:3,blue"
"""As published (Ramírez-Aportela et al. 2021)."""

VERDICT_COLOURS = {
    Reading.NOT_JUDGED: "white",
    Reading.AS_EXPECTED: "gray",
    Reading.WORSE: "red",
    Reading.NOT_RESOLVED: "gold",
    Reading.TOO_GOOD: "purple",
}


def write_half_map_files(
    result: HalfMapResult, model: Model, residues: pl.DataFrame, folder: Path
) -> None:
    """Write curves/fsc.csv, the two tables of residues, and the volumes.

    Parameters
    ----------
    result : HalfMapResult
    model : Model
    residues : polars.DataFrame
        The residue table with the columns of FSC-Q.
    folder : Path

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    write_csv(frame(fsc_table(result)), make_folder(folder / "curves") / "fsc.csv")
    keys = ["model", "chain", "label_asym", "number", "icode", "residue", "class", "atoms"]
    for name, count in (
        ("possible_overfitting", "fsc_q_atoms_below"),
        ("low_resolvability", "fsc_q_atoms_above"),
    ):
        table = residues.filter(pl.col(count) > 0).sort("fsc_q", descending=name[0] == "l")
        write_csv(
            table.select(*keys, count, "fsc_q", "fsc_q_r", "local_resolution_half", "q"),
            folder / f"{name}.csv",
        )
    volumes = make_folder(folder / "volumes")
    write_map(result.mask.values, result.mask, volumes / "mask.mrc", label="atomsight: mask")
    write_map(
        result.model_map.values,
        result.model_map,
        volumes / "model_map.mrc",
        label=f"atomsight: map of {model.path.name}",
    )
    for name, values in result.volumes.items():
        write_map(values, result.mask, volumes / f"{name}.mrc", label=f"atomsight: {name}, Å")


def fsc_table(result: HalfMapResult) -> dict[str, np.ndarray]:
    """All FSC curves side by side.

    Parameters
    ----------
    result : HalfMapResult

    Returns
    -------
    dict
        ``frequency`` in 1/Å, ``resolution`` in Å, and one column a curve.
    """
    curves = result.curves
    frequency = next(iter(curves.values())).frequency
    resolution = np.divide(1.0, frequency, out=np.full(len(frequency), np.nan), where=frequency > 0)
    return {
        "frequency": frequency,
        "resolution": resolution,
        **{name: curve.fsc for name, curve in curves.items()},
    }


def write_fsc_q_chimerax(
    model: Model, fsc_q: Float_N, map_path: Path, model_path: str, folder: Path
) -> None:
    """Write the attribute file and the script that colours by FSC-Q.

    Parameters
    ----------
    model : Model
    fsc_q : ndarray, shape (n,)
    map_path : Path
    model_path : str
        Relative to `folder`.
    folder : Path

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    write_defattr(model, "fscq", fsc_q, folder / "fsc_q.defattr")
    write_script(
        folder / "fsc_q.cxc",
        map_path=map_path,
        model_path=model_path,
        defattr="fsc_q.defattr",
        attribute="fscq",
        palette=FSC_Q_PALETTE,
    )


def write_verdict_chimerax(
    model: Model, verdict: Str_N, map_path: Path, model_path: str, folder: Path
) -> None:
    """Write the attribute file and the script that colours by verdict.

    Parameters
    ----------
    model : Model
    verdict : ndarray of str, shape (m,)
        Label of each residue's reading.
    map_path : Path
    model_path : str
        Relative to `folder`.
    folder : Path

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    codes = np.select([verdict == reading.label for reading in Reading], list(Reading), 0)
    write_defattr(model, "verdict", codes[model.residue].astype(float), folder / "verdict.defattr")
    palette = ":".join(f"{reading:d},{colour}" for reading, colour in VERDICT_COLOURS.items())
    write_script(
        folder / "verdict.cxc",
        map_path=map_path,
        model_path=model_path,
        defattr="verdict.defattr",
        attribute="verdict",
        palette=f"palette {palette}",
    )
