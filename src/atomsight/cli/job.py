"""What the commands that score a model have in common: run, show progress, write."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from atomsight.cli.options import (
    CrossingChoice,
    DefinitionChoice,
    FigureChoice,
    LabelChoice,
    NeighbourChoice,
    OriginChoice,
    ThresholdChoice,
)

if TYPE_CHECKING:
    from atomsight.cli.entry import EntryWish
    from atomsight.half_maps import HalfMapOptions
    from atomsight.outcome import Options
    from atomsight.validation import Progress, Validation


def make_options(
    *,
    resolution: float | None,
    sigma: float,
    model_number: int | None,
    origin: OriginChoice,
    threads: int | None,
    force: bool,
    points: int = 8,
    radius: float = 2.0,
    step: float = 0.1,
    selection: str | None = None,
    neighbours: NeighbourChoice = NeighbourChoice.NONE,
    assembly: str | None = None,
    orientations: int = 0,
    seed: int = 0,
    half_maps: "HalfMapOptions | None" = None,
    contour: float | None = None,
    archive: Path | None = None,
    definition: DefinitionChoice = DefinitionChoice.PAPER,
    fit_b: bool = True,
    convergence: Path | None = None,
    everything: bool = False,
) -> "Options":
    """Turn the command line's values into the options of a validation."""
    from atomsight.evidence.q_score import QScoreOptions
    from atomsight.outcome import Options

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
        half_maps=half_maps,
        contour=contour,
        archive=archive,
        percentile_definition=definition.value,
        fit_b=fit_b,
        convergence=convergence,
        everything=everything,
    )


def make_half_map_options(
    half_maps: tuple[Path, Path] | None,
    *,
    mask: Path | None,
    mask_level: float | None,
    box: int | None,
    window: float | None,
    thresholds: ThresholdChoice,
    label: LabelChoice,
    crossing: CrossingChoice,
    b_iso: float | None,
    b_from_q: float | None,
    volume_step: int | None,
    later: bool = False,
) -> "HalfMapOptions | None":
    """Turn the command line's values into the options of FSC-Q, if half maps are given.

    `later`: an entry will give them; None then where nothing is chosen but what it is by default.
    """
    from atomsight.errors import ParameterError
    from atomsight.half_maps import HalfMapOptions

    if half_maps is None and not later:
        needless = {
            "--mask": mask,
            "--mask-level": mask_level,
            "--box": box,
            "--window": window,
            "--b": b_iso,
            "--b-from-q": b_from_q,
            "--volumes": volume_step,
        }
        named = [name for name, value in needless.items() if value is not None]
        if named:
            raise ParameterError(f"{', '.join(named)}: means nothing without --half-maps")
        return None
    if mask is not None and mask_level is not None:
        raise ParameterError("--mask and --mask-level: give one of them")
    if box is not None and window is not None:
        raise ParameterError("--box and --window: give one of them")
    if b_iso is not None and b_from_q is not None:
        raise ParameterError("--b and --b-from-q: give one of them")
    one, two = half_maps or (Path(), Path())
    options = HalfMapOptions(
        half_1=one,
        half_2=two,
        mask=mask,
        mask_level=mask_level,
        box=box,
        window=window,
        rule=thresholds.value,
        label=label.value,
        crossing=crossing.value,
        b_iso=b_iso,
        b_from_q=b_from_q,
        volume_step=volume_step,
    )
    return None if later and options == HalfMapOptions(one, two) else options


def run(
    model: Path,
    map_: Path | None,
    options: "Options",
    folder: Path,
    *,
    everything: bool,
    figures: FigureChoice | None = None,
    wish: "EntryWish | None" = None,
) -> None:
    """Fetch, validate, write and show; nothing is done if the folder cannot be written."""
    from atomsight.cli.entry import fetch_inputs
    from atomsight.cli.show import show_files, show_summary
    from atomsight.kernels.compilation import telling_of_compilation
    from atomsight.output import write_results
    from atomsight.report.static import require_matplotlib
    from atomsight.validation import validate

    if figures is not None:
        require_matplotlib()
    with output_folder(folder):
        if wish is not None:
            with show_progress(in_bytes=True) as progress:
                model, map_, options = fetch_inputs(model, map_, options, wish, progress)
        assert map_ is not None
        with show_progress() as progress, telling_of_compilation(tell_of_compilation):
            result: Validation = validate(model, map_, options, progress=progress)
        files = write_results(
            result,
            folder,
            everything=everything,
            figures=None if figures is None else figures.value,
        )
    show_summary(result)
    show_files(folder, files)


@contextmanager
def output_folder(folder: Path) -> Iterator[None]:
    """Make a folder before anything is computed; take it away again if nothing comes of it."""
    from atomsight.io.files import make_folder

    new = not folder.exists()
    make_folder(folder)
    try:
        yield
    except BaseException:
        if new:
            with suppress(OSError):
                folder.rmdir()
        raise


def tell_of_compilation() -> None:
    """Say on stderr why the first run takes longer."""
    import sys

    sys.stderr.write("compiling kernels, once on this machine (about 10 s)\n")
    sys.stderr.flush()


@contextmanager
def show_progress(*, in_bytes: bool = False) -> Iterator["Progress | None"]:
    """A progress bar on a terminal's stderr; nothing where there is no terminal."""
    import sys

    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TaskID, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
        if in_bytes
        else Bar.get_default_columns()
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: int, of: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=of)
            bar.update(tasks[step], completed=done, total=of)

        yield tell
