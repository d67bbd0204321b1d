"""``atomsight compare``."""

from pathlib import Path
from typing import Annotated

import typer

from atomsight.cli import options as o


def compare(
    map_: o.MapFile,
    models: Annotated[
        list[Path],
        typer.Argument(metavar="MODEL", help="Two or more mmCIF or PDB files of one complex."),
    ],
    selection: Annotated[
        str | None,
        typer.Option(
            "--select",
            metavar="TEXT",
            help="Compare these atoms, in gemmi's syntax, e.g. '(HEM)'; else those that differ.",
        ),
    ] = None,
    half_maps: o.HalfMaps = None,
    resolution: o.Resolution = None,
    contour: o.Contour = None,
    sigma: o.Sigma = 0.4,
    orientations: Annotated[
        int,
        typer.Option(metavar="K", help="Rotated point sets, for the uncertainty of each mean Q."),
    ] = 8,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Seed of the rotations and of the resampling.")
    ] = 0,
    origin: o.Origin = o.OriginChoice.AUTO,
    threads: o.Threads = None,
    force: o.Force = False,
    box: o.Box = None,
    window: o.Window = None,
    thresholds: o.Thresholds = o.ThresholdChoice.PAPER,
    b_iso: o.ModelB = None,
    output: o.Output = Path("atomsight-results"),
) -> None:
    """Rank poses or models in one map: which is seen best, and can they be told apart?"""
    from atomsight.cli.job import (
        make_half_map_options,
        output_folder,
        show_progress,
        tell_of_compilation,
    )
    from atomsight.cli.show import show_files
    from atomsight.cli.show_comparison import show_comparison
    from atomsight.comparison.compare import compare as run
    from atomsight.comparison.result import CompareOptions
    from atomsight.evidence.q_score import QScoreOptions
    from atomsight.export.comparison import write_comparison
    from atomsight.kernels.compilation import telling_of_compilation

    options = CompareOptions(
        selection=selection,
        resolution=resolution,
        contour=contour,
        origin=origin.value,
        q=QScoreOptions(sigma),
        orientations=orientations,
        seed=seed,
        threads=threads,
        force=force,
        half_maps=make_half_map_options(
            half_maps,
            mask=None,
            mask_level=None,
            box=box,
            window=window,
            thresholds=thresholds,
            label=o.LabelChoice.MEAN,
            crossing=o.CrossingChoice.LAST,
            b_iso=b_iso,
            b_from_q=None,
            volume_step=None,
        ),
    )
    with output_folder(output):
        with show_progress() as progress, telling_of_compilation(tell_of_compilation):
            result = run(models, map_, options, progress=progress)
        files = write_comparison(result, output)
    show_comparison(result)
    show_files(output, files)
