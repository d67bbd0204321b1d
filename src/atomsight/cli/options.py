"""Arguments and options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class OriginChoice(StrEnum):
    """Where a map begins."""

    AUTO = "auto"
    ORIGIN = "origin"
    NSTART = "nstart"
    ZERO = "zero"


class NeighbourChoice(StrEnum):
    """Which copies of the model count as neighbours."""

    NONE = "none"
    ASSEMBLY = "assembly"
    CRYSTAL = "crystal"


ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="mmCIF or PDB file, plain or gzipped.")
]
MapFile = Annotated[Path, typer.Argument(metavar="MAP", help="CCP4/MRC map, plain or gzipped.")]
Resolution = Annotated[
    float | None,
    typer.Option(metavar="Å", help="Resolution; otherwise from the model's metadata."),
]
Sigma = Annotated[
    float,
    typer.Option(
        metavar="Å",
        help="Width of the reference Gaussian: 0.4 as the archive, 0.6 as MapQ's default.",
    ),
]
Points = Annotated[int, typer.Option(metavar="N", help="Points that each shell must keep.")]
Radius = Annotated[float, typer.Option(metavar="Å", help="Largest radius.")]
Step = Annotated[float, typer.Option(metavar="Å", help="Distance between shells.")]
ModelNumber = Annotated[
    int | None,
    typer.Option("--model", metavar="N", help="Which MODEL of the file; else the first."),
]
Selection = Annotated[
    str | None,
    typer.Option(
        "--select",
        metavar="TEXT",
        help="Score only these atoms, in gemmi's syntax, e.g. '//A/10-40'.",
    ),
]
Neighbours = Annotated[
    NeighbourChoice,
    typer.Option(help="Copies that count as neighbours; the archive's numbers have none."),
]
Assembly = Annotated[
    str | None, typer.Option(metavar="ID", help="Which assembly, with --neighbours assembly.")
]
Orientations = Annotated[
    int,
    typer.Option(metavar="K", help="Repeat with K rotated point sets: mean and sd for each atom."),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Seed of those rotations.")]
Origin = Annotated[
    OriginChoice, typer.Option(help="Where the map begins; auto: ORIGIN words, else NSTART.")
]
Threads = Annotated[
    int | None, typer.Option(metavar="N", help="Threads; all processors by default.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Score a model that does not lie in the map, too.")
]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.")
]
