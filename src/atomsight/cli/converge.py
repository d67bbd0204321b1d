"""``atomsight converge``."""

from pathlib import Path
from typing import Annotated

import typer

from atomsight.cli import options as o


def converge(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL",
            help="Independent models of one map: mmCIF or PDB files, or folders of them.",
        ),
    ],
    imported: Annotated[
        bool, typer.Option("--import", help="Take these models as they are; none is made.")
    ] = False,
    map_: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="Their map: each must lie in it."),
    ] = None,
    resolution: Annotated[
        float | None,
        typer.Option(metavar="Å", help="Resolution of the map; else from the models' metadata."),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            metavar="TEXT", help="What made them; results of one protocol are comparable."
        ),
    ] = "",
    line: Annotated[
        Path | None,
        typer.Option(
            "--line", metavar="FILE", help="Line that 'archive build' made, to compare with."
        ),
    ] = None,
    origin: o.Origin = o.OriginChoice.AUTO,
    force: o.Force = False,
    output: o.Output = Path("atomsight-results"),
) -> None:
    """How precisely does the map fix each residue? Cα RMSD among independent models of it."""
    from atomsight.archive.line import read_line
    from atomsight.cli.job import output_folder
    from atomsight.cli.show import show_files
    from atomsight.cli.show_convergence import show_convergence
    from atomsight.ensemble.importing import converge_models
    from atomsight.errors import ParameterError
    from atomsight.export.convergence import write_convergence

    if not imported:
        raise ParameterError("give --import and the models: this version makes none by itself")
    known = None if line is None else read_line(line)
    with output_folder(output):
        result = converge_models(
            files,
            map_,
            resolution=resolution,
            protocol=protocol,
            origin=origin.value,
            force=force,
        )
        written = write_convergence(result, output, map_path=map_)
    show_convergence(result, known)
    show_files(output, written)
