"""What a person sees in the terminal after a run."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from atomsight.cli.terminal import printable
from atomsight.export.summary_json import summary
from atomsight.findings.finding import shown
from atomsight.model import AtomClass
from atomsight.validation import Validation

_WORST = 5
_WIDTH = 100


def show_summary(result: Validation) -> None:
    """Print the summary of a validation.

    Parameters
    ----------
    result : Validation
    """
    facts = summary(result)
    screen = console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(result, facts):
        table.add_row(Text(name), Text(printable(value)))
    screen.print(table)
    screen.print()
    screen.print(_class_table(facts))
    if np.isfinite(result.residues["q"]).any():
        screen.print()
        screen.print(_worst_table(result))
    for note in result.notes:
        screen.print(Text(printable(f"note: {note}")))


def show_files(folder: Path, files: list[Path]) -> None:
    """Print where the results are.

    Parameters
    ----------
    folder : Path
    files : list of Path
    """
    screen = console()
    names = ", ".join(str(path.relative_to(folder)) for path in files)
    screen.print()
    screen.print(Text(printable(f"{folder}: {names}")))


def console() -> Console:
    """A terminal as wide as it is; into a file or pipe, wide enough for paths."""
    screen = Console(highlight=False)
    return screen if screen.is_terminal else Console(highlight=False, width=_WIDTH)


def _rows(result: Validation, facts: dict[str, Any]) -> list[tuple[str, str]]:
    model, map_, q = result.model, result.map, facts["q_score"]
    size = " x ".join(str(n) for n in map_.full_shape)
    sizes = [f"{v:.4g}" for v in map_.voxel_size]
    voxel = sizes[0] if len(set(sizes)) == 1 else " x ".join(sizes)
    without, with_water = q["mean_without_water"], q["mean"]
    rows = [
        ("model", f"{model.path}, {len(model)} atoms, {len(model.residues)} residues"),
        ("map", f"{map_.path}, {size} voxels of {voxel} Å"),
        ("resolution", _resolution(result)),
        ("overlay", _overlay(result)),
        (
            f"Q (sigma {q['sigma']:g} Å)",
            f"{shown(without['value'])} without water ({without['n']} atoms); "
            f"{shown(with_water['value'])} with ({with_water['n']} atoms)",
        ),
    ]
    if facts["q_score"]["orientations"] is not None:
        o = facts["q_score"]["orientations"]
        rows.append(
            (
                "sampling",
                f"mean Q {shown(o['mean'])} over {o['n']} rotated point sets; "
                f"sd of an atom {shown(o['mean_sd'])}",
            )
        )
    if result.expected is not None:
        e = result.expected
        rows.append(("expected Q", f"{e.peak:.3f} ({e.low:.3f} to {e.high:.3f}): {e.definition}"))
        counts = facts["expected"]["residues"]
        rows.append(
            (
                "residues",
                f"{counts['below']} below that band, {counts['within']} within, "
                f"{counts['above']} above (it is a band of whole entries' means)",
            )
        )
    else:
        rows.append(("expected Q", f"none: {result.no_expectation}"))
    return rows + [row for finding in result.findings for row in finding.rows]


def _overlay(result: Validation) -> str:
    fit = result.overlay
    if not np.isfinite(fit.contrast):
        return "no atom lies inside the map" if fit.inside == 0 else "no contrast at the atoms"
    return (
        f"density at atoms {fit.density:.2f} σ above the mean, "
        f"{fit.displaced:.2f} σ displaced by {fit.displacement:g} Å"
    )


def _resolution(result: Validation) -> str:
    if result.resolution is None:
        return result.resolution_source
    return f"{result.resolution:g} Å ({result.resolution_source})"


def _class_table(facts: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("class", "atoms", "mean Q", "expected (MapQ's line)"):
        table.add_column(name, justify="left" if name == "class" else "right")
    classes = facts["q_score"]["classes"]
    for kind in AtomClass:
        if kind.label in classes:
            row = classes[kind.label]
            table.add_row(kind.label, str(row["n"]), shown(row["mean"]), shown(row["expected"]))
    return table


def _worst_table(result: Validation) -> Table:
    """The residues with the lowest Q."""
    table = Table(box=None, pad_edge=False)
    for name in ("lowest residues", "atoms", "Q", "class"):
        table.add_column(name, justify="right" if name in ("atoms", "Q") else "left")
    residues, q = result.model.residues, result.residues["q"]
    for i in np.argsort(q, kind="stable")[:_WORST]:
        if np.isfinite(q[i]):
            label = residues.label(int(i))
            table.add_row(
                Text(printable(label)),
                str(result.residues["atoms"][i]),
                shown(float(q[i])),
                AtomClass(int(residues.atom_class[i])).label,
            )
    return table
