"""What the commands that score a model have in common: run, show progress, write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from atomsight.cli.options import NeighbourChoice, OriginChoice

if TYPE_CHECKING:
    from atomsight.validation import Options, Progress, Validation


def make_options(
    *,
    resolution: float | None,
    sigma: float,
    points: int,
    radius: float,
    step: float,
    model_number: int | None,
    selection: str | None,
    neighbours: NeighbourChoice,
    assembly: str | None,
    orientations: int,
    seed: int,
    origin: OriginChoice,
    threads: int | None,
    force: bool,
) -> "Options":
    """Turn the command line's values into the options of a validation."""
    from atomsight.evidence.q_score import QScoreOptions
    from atomsight.validation import Options

    return Options(
        model_number=model_number,
        resolution=resolution,
        origin=origin.value,
        q=QScoreOptions(sigma, points, radius, step),
        selection=selection,
        neighbours=neighbours.value,
        assembly=assembly,
        orientations=orientations,
        seed=seed,
        threads=threads,
        force=force,
    )


def run(model: Path, map_: Path, options: "Options", folder: Path, *, everything: bool) -> None:
    """Validate, write and show; nothing is computed if the folder cannot be written."""
    from atomsight.cli.show import show_files, show_summary
    from atomsight.io.files import make_folder
    from atomsight.kernels.compilation import telling_of_compilation
    from atomsight.output import write_results
    from atomsight.validation import validate

    make_folder(folder)
    with _progress() as progress, telling_of_compilation(_tell_of_compilation):
        result: Validation = validate(model, map_, options, progress=progress)
    files = write_results(result, folder, everything=everything)
    show_summary(result)
    show_files(folder, files)


def _tell_of_compilation() -> None:
    import sys

    sys.stderr.write("compiling kernels, once on this machine (about 10 s)\n")
    sys.stderr.flush()


@contextmanager
def _progress() -> Iterator["Progress | None"]:
    """A progress bar on a terminal's stderr; nothing where there is no terminal."""
    import sys

    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    with Bar(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: int, of: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=of)
            bar.update(tasks[step], completed=done)

        yield tell
