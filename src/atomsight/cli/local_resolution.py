"""``atomsight local-resolution``."""

from pathlib import Path
from typing import Annotated

import typer

from atomsight.cli import options as o


def local_resolution(
    half_1: o.Half1,
    half_2: o.Half2,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.mrc", help="Map to write, in Å.")
    ],
    box: o.Box = None,
    window: o.Window = None,
    resolution: o.Resolution = None,
    threshold: Annotated[float, typer.Option(metavar="T", help="FSC threshold.")] = 0.5,
    step: Annotated[
        int,
        typer.Option(metavar="K", min=1, help="Evaluate every K-th voxel, interpolate the rest."),
    ] = 1,
    mask: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Evaluate only where this is >= 0.5.")
    ] = None,
    crossing: o.Crossing = o.CrossingChoice.LAST,
    threads: o.Threads = None,
) -> None:
    """Local resolution between two half maps, as a map in Å (NaN: not evaluated)."""
    from atomsight.cli.job import show_progress, tell_of_compilation
    from atomsight.kernels.compilation import telling_of_compilation
    from atomsight.local_resolution_map import local_resolution_map

    with show_progress() as progress, telling_of_compilation(tell_of_compilation):
        result = local_resolution_map(
            half_1,
            half_2,
            output,
            box=box,
            window=window,
            resolution=resolution,
            threshold=threshold,
            step=step,
            mask=mask,
            crossing=crossing.value,
            threads=threads,
            progress=progress,
        )
    typer.echo(result)
