"""``atomsight converge``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atomsight.cli import options as o

if TYPE_CHECKING:
    from atomsight.ensemble.engines.choice import AnyProtocol


def converge(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL MAP",
            help="A model and its map; with --import, independent models of one map or folders of "
            "them.",
        ),
    ],
    resolution: Annotated[
        float | None,
        typer.Option(metavar="Å", help="Resolution of the map; else from the models' metadata."),
    ] = None,
    models: Annotated[int, typer.Option(help="How many models to make.")] = 100,
    keep: Annotated[int, typer.Option(help="How many of them, the best, to compare.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the first model; the others follow.")] = 0,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes; by default one for each processor, or one on a card."),
    ] = None,
    engine: Annotated[
        o.EngineChoice, typer.Option(help="openmm, built in, or a program of yours: external.")
    ] = o.EngineChoice.OPENMM,
    platform: Annotated[
        o.PlatformChoice,
        typer.Option(
            help="What the built-in engine computes on; auto: a graphics card that works, or else "
            "the CPU."
        ),
    ] = o.PlatformChoice.AUTO,
    command: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="Of the external engine, with {model}, {map}, {seed}, {resolution}, {output}.",
        ),
    ] = "",
    refine: Annotated[
        bool, typer.Option("--refine/--no-refine", help="Refine the models that are kept.")
    ] = True,
    b_factors: Annotated[
        o.BFactorChoice | None,
        typer.Option(
            help="Of the kept models: from their Q-scores, by servalcat, or none of their own; q "
            "by default, none with --no-refine."
        ),
    ] = None,
    model_number: o.ModelNumber = None,
    selection: o.Selection = None,
    symmetry: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Copies that are neighbours: assembly, or the map's point group, as C4, D2, T, O, "
            "I; O@109,109,109 gives its centre.",
        ),
    ] = None,
    copies: Annotated[
        o.CopiesChoice | None,
        typer.Option(
            help="With --symmetry: copies move with the model and touch it, which is the default, "
            "or only their density is taken out."
        ),
    ] = None,
    imported: Annotated[
        bool, typer.Option("--import", help="Take these models as they are; none is made.")
    ] = False,
    map_: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="Map of imported models: each must lie in it."),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            metavar="TEXT", help="What made imported ones; results of one are comparable."
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
    from atomsight.cli.job import output_folder, show_progress
    from atomsight.cli.show import show_files
    from atomsight.cli.show_convergence import show_convergence, show_making
    from atomsight.errors import ParameterError

    known = None if line is None else read_line(line)
    if imported:
        unfit = {
            "--symmetry": symmetry,
            "--copies": copies,
            "--b-factors": b_factors,
            "--platform": None if platform is o.PlatformChoice.AUTO else platform,
        }
        for name, given in unfit.items():
            if given is not None:
                raise ParameterError(f"{name}: means nothing with --import")
        from atomsight.ensemble.importing import converge_models
        from atomsight.export.convergence import write_convergence

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
        return

    if len(files) != 2:
        raise ParameterError(
            f"give one model and its map, not {len(files)} files; to take models as they are, add "
            "--import"
        )
    if copies is not None and symmetry is None:
        raise ParameterError("--copies: of what? give the --symmetry that makes them")
    if map_ is not None or protocol:
        raise ParameterError("--map and --protocol: mean nothing without --import")
    if resolution is None:
        raise ParameterError("models are made for one resolution: give --resolution")
    from atomsight.ensemble.generation import GenerationOptions
    from atomsight.ensemble.pipeline import converge as make
    from atomsight.export.ensemble import write_ensemble

    chosen, reason = _protocol(engine, platform, copies, symmetry, command, output)
    options = GenerationOptions(
        resolution=resolution,
        models=models,
        seed=seed,
        workers=workers,
        protocol=chosen,
    )
    # the folder stays where a run is cut off: it goes on there
    with show_progress() as progress:
        made = make(
            files[0],
            files[1],
            options,
            output,
            keep=keep,
            refine=refine,
            b_factors=None if b_factors is None else b_factors.value,
            model_number=model_number,
            selection=selection,
            symmetry=symmetry,
            origin=origin.value,
            force=force,
            progress=progress,
        )
    written = write_ensemble(made, output)
    show_making(made, reason)
    show_convergence(made.convergence, known)
    show_files(output, written)


def _protocol(
    engine: o.EngineChoice,
    platform: o.PlatformChoice,
    copies: o.CopiesChoice | None,
    symmetry: str | None,
    command: str,
    output: Path,
) -> "tuple[AnyProtocol, str]":
    from atomsight.ensemble.engines.choice import with_copies, with_platform
    from atomsight.ensemble.engines.external import ExternalProtocol
    from atomsight.ensemble.engines.protocol import OpenMMProtocol
    from atomsight.ensemble.generation import FOLDER
    from atomsight.errors import ParameterError

    if engine is o.EngineChoice.OPENMM:
        if command:
            raise ParameterError("--command: means nothing without --engine external")
        protocol = OpenMMProtocol(copies=None if copies is None else copies.value)
        if symmetry is not None:
            protocol = with_copies(protocol, output / FOLDER)
        return with_platform(protocol, platform.value, output / FOLDER)
    if platform is not o.PlatformChoice.AUTO or copies is not None:
        raise ParameterError("--platform and --copies: mean nothing with --engine external")
    if not command:
        raise ParameterError("--engine external needs --command, the program to run")
    return ExternalProtocol(command), ""
