"""Files for UCSF ChimeraX: an attribute for colouring, a script that shows it, a residue table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from atomsight.io.files import write_text
from atomsight.model import Model
from atomsight.typing import Float_N

Q_PALETTE = "palette red:gray:blue range 0,1"
RMSD_PALETTE = "palette 0,blue:0.999,blue:1,gray:3,gray:3.001,red:6,red"


def write_defattr(model: Model, name: str, values: Float_N, path: Path) -> Path:
    """Write an attribute file, one line an atom with a value.

    ChimeraX keeps one atom for all conformers: the one with the highest occupancy is named.

    Parameters
    ----------
    model : Model
    name : str
        Name of the attribute.
    values : ndarray, shape (n,)
        NaN is left out.
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
    lines = [f"attribute: {name}", "match mode: 1-to-1", "recipient: atoms"]
    chosen = np.flatnonzero(np.isfinite(values))
    by_occupancy = chosen[np.argsort(-model.occupancy[chosen], kind="stable")]
    best: dict[str, int] = {}
    for row in by_occupancy.tolist():
        best.setdefault(_atom_spec(model, row), row)
    spec_of = {row: spec for spec, row in best.items()}
    lines += [f"\t{spec_of[row]}\t{values[row]:.4f}" for row in sorted(spec_of)]
    return write_text(path, "\n".join(lines) + "\n")


def _atom_spec(model: Model, row: int) -> str:
    residues, residue = model.residues, int(model.residue[row])
    place = residue_spec(residues.chain[residue], residues.number[residue], residues.icode[residue])
    return f"{place}@{model.atom[row]}"


def write_script(
    path: Path, *, map_path: Path, model_path: str, defattr: str, attribute: str, palette: str
) -> Path:
    """Write a script that opens map and model and colours the model.

    Parameters
    ----------
    path : Path
    map_path : Path
        The map as the user gave it.
    model_path, defattr : str
        Relative to the script: ChimeraX runs a script in the script's own folder.
    attribute : str
        Name of the attribute in `defattr`.
    palette : str
        ChimeraX's palette and range, e.g. ``palette red:gray:blue range 0,1``.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    lines = [
        f"open {_quoted(model_path)} id 1",
        f"open {_quoted(str(map_path.resolve()))} id 2",
        f"open {_quoted(defattr)} models #1",
        "hide #1 cartoons",
        "show #1 atoms",
        "style #1 stick",
        f"color byattribute {attribute} #1 {palette}",
        "volume #2 style surface transparency 0.7",
        "view #1",
    ]
    return write_text(path, "\n".join(lines) + "\n")


def write_comparison_script(
    path: Path,
    *,
    map_path: Path,
    models: Sequence[tuple[Path, str]],
    attribute: str,
    palette: str,
    focus: str,
) -> Path:
    """Write a script that opens a map and several models, all coloured by one attribute.

    Parameters
    ----------
    path : Path
    map_path : Path
        The map as the user gave it.
    models : sequence of (Path, str)
        Model as the user gave it, and its attribute file relative to the script; they become
        #1, #2, … and the map the next.
    attribute : str
        Name of the attribute in the attribute files.
    palette : str
        ChimeraX's palette and range.
    focus : str
        What to look at, in ChimeraX's syntax.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    lines = []
    for number, (model, defattr) in enumerate(models, 1):
        lines.append(f"open {_quoted(str(model.resolve()))} id {number}")
        lines.append(f"open {_quoted(defattr)} models #{number}")
    every, map_id = f"#1-{len(models)}", len(models) + 1
    lines += [
        f"open {_quoted(str(map_path.resolve()))} id {map_id}",
        f"hide {every} cartoons",
        f"show {every} atoms",
        f"style {every} stick",
        f"color byattribute {attribute} {every} {palette}",
        f"volume #{map_id} style surface transparency 0.7",
        f"view {focus or every}",
    ]
    return write_text(path, "\n".join(lines) + "\n")


def write_worm_script(
    path: Path, *, model_path: str, defattr: str, attribute: str, map_path: Path | None = None
) -> Path:
    """Write a script that shows an ensemble, coloured by RMSD, its first model as a worm.

    Blue below 1 Å, grey from 1 to 3 Å, red above, as Herzik et al. (2019). The commands are those
    of ChimeraX 1.8 and later.

    Parameters
    ----------
    path : Path
    model_path, defattr : str
        Relative to the script; the model file has several MODELs.
    attribute : str
        Name of the residues' attribute in `defattr`, Å.
    map_path : Path, optional
        The map as the user gave it.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    lines = [
        f"open {_quoted(model_path)} id 1",
        f"open {_quoted(defattr)} models #1",
        "hide #1 atoms",
        "show #1 cartoons",
        f"color byattribute r:{attribute} #1 {RMSD_PALETTE}",
        f"cartoon byattribute {attribute} #1.1 0:0.25 1:0.5 3:1.5 6:3",
    ]
    if map_path is not None:
        lines += [
            f"open {_quoted(str(map_path.resolve()))} id 2",
            "volume #2 style surface transparency 0.7",
        ]
    return write_text(path, "\n".join([*lines, "view #1"]) + "\n")


def residue_spec(chain: str, number: int, icode: str) -> str:
    """A residue in ChimeraX's syntax.

    Parameters
    ----------
    chain : str
    number : int
    icode : str

    Returns
    -------
    str
    """
    return f"{'/' if chain else ''}{chain}:{number}{icode}"


def _quoted(text: str) -> str:
    """A string for ChimeraX, which reads Python's escapes: no file name may end the command."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) + '"'


def write_residue_csv(residues: pl.DataFrame, path: Path) -> Path:
    """Write the table that ChimeraX's qscore command writes, for scripts that read it.

    Parameters
    ----------
    residues : polars.DataFrame
        With the columns of our own residue table.
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
    number = pl.col("number").cast(pl.String) + pl.col("icode")
    table = residues.select(
        pl.col("chain").alias("Chain"),
        number.alias("Number"),
        pl.col("residue").alias("Name"),
        pl.col("q").round(4).alias("Qavg"),
        pl.col("q_worst").round(4).alias("Qworst"),
        pl.col("q_backbone").round(4).alias("Qbackbone"),
        pl.coalesce("q_sidechain", "q_base").round(4).alias("Qsidechain"),
    ).filter(pl.col("Qavg").is_not_null())
    return write_text(path, table.write_csv(null_value="N/A"))
