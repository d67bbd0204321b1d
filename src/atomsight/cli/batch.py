"""``atomsight batch``: many entries."""

import os
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from atomsight.cli import cluster as c
from atomsight.cli import options as o

if TYPE_CHECKING:
    from atomsight.batch.run import Shard


class RunByDefault(TyperGroup):
    """``batch MANIFEST`` means ``batch run MANIFEST``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in where only its arguments are."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


class TablesChoice(StrEnum):
    """How much is kept of an entry."""

    ENTRIES = "entries"
    RESIDUES = "residues"
    ATOMS = "atoms"


batch = typer.Typer(no_args_is_help=True, rich_markup_mode=None, cls=RunByDefault)

Manifest = Annotated[
    Path, typer.Argument(metavar="MANIFEST", help="CSV or parquet, one entry a row.")
]
DataSet = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the data set.")
]
TablesOption = Annotated[
    TablesChoice, typer.Option("--tables", help="What to keep: rows; also residues; also atoms.")
]


@batch.command(no_args_is_help=True)
def run(
    manifest: Manifest,
    workers: c.Workers = None,
    memory: c.Memory = None,
    timeout: Annotated[
        float, typer.Option(metavar="S", help="Seconds for one entry; 0: as long as it takes.")
    ] = 0.0,
    retries: Annotated[
        int, typer.Option(metavar="N", help="How often to begin an entry again that was killed.")
    ] = 3,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an earlier run in DIR ended.")
    ] = False,
    only_failed: Annotated[
        bool, typer.Option("--only-failed", help="The same; try again those that failed.")
    ] = False,
    tables: TablesOption = TablesChoice.ATOMS,
    reports: Annotated[
        bool, typer.Option("--reports", help="Also write what 'validate' writes, for each entry.")
    ] = False,
    half_maps: Annotated[
        bool,
        typer.Option("--half-maps/--no-half-maps", help="Of entries that are fetched, for FSC-Q."),
    ] = True,
    cache: o.Cache = None,
    sigma: o.Sigma = 0.4,
    origin: o.Origin = o.OriginChoice.AUTO,
    threads: Annotated[int, typer.Option(metavar="N", help="Threads of one entry.")] = 1,
    force: o.Force = False,
    archive: o.ArchiveFile = None,
    definition: o.Definition = o.DefinitionChoice.PAPER,
    fit_b: o.FitB = True,
    scheduler: c.Scheduler = None,
    slurm: c.Slurm = None,
    shard: c.Shard = None,
    dashboard: c.Dashboard = False,
    output: DataSet = Path("atomsight-batch"),
) -> None:
    """Validate every entry of a manifest; nothing is lost, and nothing is done twice."""
    from atomsight.batch.job import Settings
    from atomsight.batch.run import run_batch
    from atomsight.cli.job import make_options, show_progress
    from atomsight.cli.show_batch import show_report
    from atomsight.io.sites import EMDB_VARIABLE, PDB_VARIABLE, cache_folder

    options = make_options(
        resolution=None,
        sigma=sigma,
        model_number=None,
        origin=origin,
        threads=threads,
        force=force,
        archive=archive,
        definition=definition,
        fit_b=fit_b,
        everything=True,
    )
    settings = Settings(
        output,
        options,
        tables.value,
        reports,
        timeout,
        retries,
        half_maps,
        # workers on other machines need not have this environment
        cache_folder(cache).absolute(),
        os.environ.get(EMDB_VARIABLE),
        os.environ.get(PDB_VARIABLE),
    )
    place = c.place_of(
        workers=workers, memory=memory, dashboard=dashboard, scheduler=scheduler, slurm=slurm
    )
    part = _shard(shard)
    # as Slurm does when the time of a job is up: end in order, so that no entry is blamed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with show_progress() as progress:
        report = run_batch(
            manifest,
            settings,
            place,
            resume=resume,
            only_failed=only_failed,
            shard=part,
            progress=progress,
        )
    show_report(report, output)


@batch.command(no_args_is_help=True)
def plan(
    manifest: Manifest,
    workers: c.Workers = None,
    memory: c.Memory = None,
    tables: TablesOption = TablesChoice.ATOMS,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write one line an entry as CSV."),
    ] = None,
) -> None:
    """What would fail, and what all of it needs; nothing is computed."""
    from atomsight.batch.cluster import Local, memory_of, require_dask, workers_of
    from atomsight.batch.job import Settings
    from atomsight.batch.plan import plan as look
    from atomsight.batch.sizes import bytes_of
    from atomsight.cli.show_batch import show_plan
    from atomsight.io.files import require_parent, write_text

    require_dask()
    if output is not None:
        require_parent(output)
    here = Local(workers, 0 if memory is None else bytes_of(memory, "--memory"))
    room = memory_of(here)
    found = look(manifest, Settings(Path()), room)
    if output is not None:
        write_text(output, found.table().write_csv())
    show_plan(found, workers_of(here), room, tables.value)


batch.command(context_settings={"ignore_unknown_options": True}, no_args_is_help=True)(c.script)


def _shard(text: str | None) -> "Shard | None":
    from atomsight.batch.run import Shard
    from atomsight.errors import ParameterError

    if text is None:
        return None
    index, _, count = text.partition("/")
    try:
        return Shard(int(index), int(count))
    except ValueError:
        raise ParameterError(f"--shard is {text!r}; write I/N, as 0/8") from None


@batch.command(no_args_is_help=True)
def summary(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where 'batch' wrote; it may still be running.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Folder to write to; else DIR/summary."
        ),
    ] = None,
    figures: Annotated[
        o.FigureChoice | None, typer.Option(help="Also write the figure for print.")
    ] = None,
) -> None:
    """All entries in one table and one page, with failures, outliers, and their archive."""
    from atomsight.batch.summary import summarise
    from atomsight.cli.show_batch_summary import show_overview

    show_overview(summarise(folder, output, figures=None if figures is None else figures.value))
