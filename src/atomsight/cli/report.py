"""``atomsight report``."""

from pathlib import Path
from typing import Annotated

import typer

from atomsight.cli import options as o


def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where an earlier run wrote its results.")
    ],
    map_: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="The map, where it is no longer where it was."),
    ] = None,
    figures: o.Figures = None,
) -> None:
    """The page of a run, made anew from its results."""
    from atomsight.cli.show import show_files
    from atomsight.report.page import write_report
    from atomsight.report.static import require_matplotlib

    if figures is not None:
        require_matplotlib()
    files = write_report(folder, map_=map_, figures=None if figures is None else figures.value)
    show_files(folder, files)
