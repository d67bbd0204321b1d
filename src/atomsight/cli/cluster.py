"""``atomsight batch``: where entries are scored, and the script for an array of jobs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from atomsight.batch.cluster import Place

Workers = Annotated[
    int | None,
    typer.Option(metavar="N", help="Entries at the same time; one for each processor by default."),
]
Memory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE", help="For all entries together, as 12GB; else 4/5 of what is free."
    ),
]
Dashboard = Annotated[
    bool, typer.Option("--dashboard", help="Dask's dashboard on port 8787; needs bokeh.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Of a running cluster of Dask, as tcp://host:8786."),
]
Shard = Annotated[
    str | None,
    typer.Option(metavar="I/N", help="Only every N-th row, from the I-th (0 to N-1)."),
]

_KEYS = (
    "jobs=N,cores=N,memory=SIZE (of each job), and if needed walltime=8:00:00, queue=NAME, "
    "account=NAME"
)
Slurm = Annotated[
    str | None,
    typer.Option(metavar="KEY=VALUE,…", help=f"In jobs of Slurm: {_KEYS}, interface=ib0."),
]


def place_of(
    *,
    workers: int | None,
    memory: str | None,
    dashboard: bool,
    scheduler: str | None,
    slurm: str | None,
) -> "Place":
    """Where entries are scored."""
    from atomsight.batch.cluster import Local, Running
    from atomsight.batch.sizes import bytes_of
    from atomsight.batch.slurm import slurm_of
    from atomsight.errors import ParameterError

    if scheduler is not None and slurm is not None:
        raise ParameterError("--scheduler and --slurm: give one of them")
    if scheduler is None and slurm is None:
        size = 0 if memory is None else bytes_of(memory, "--memory")
        return Local(workers, size, dashboard)
    if workers is not None or memory is not None or dashboard:
        raise ParameterError(
            "--workers, --memory and --dashboard: are those of the cluster, with --scheduler or "
            "--slurm"
        )
    return Running(scheduler) if scheduler is not None else slurm_of(slurm or "")


def script(
    ctx: typer.Context,
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="MANIFEST",
            help="And options of 'batch run', but --workers, --memory, --shard and --scheduler.",
        ),
    ],
    slurm: Annotated[str, typer.Option(metavar="KEY=VALUE,…", help=f"{_KEYS}.")],
) -> None:
    """Print a script for an array of jobs of Slurm: sbatch it, and again to go on."""
    from atomsight.batch.manifest import read_manifest
    from atomsight.batch.slurm import slurm_of
    from atomsight.batch.slurm_script import array_script
    from atomsight.errors import ParameterError

    place = slurm_of(slurm)
    group = ctx.parent
    assert group is not None
    # its own parser says what is wrong with the arguments, now and not in each job
    parsed = group.command.commands["run"].make_context("run", list(arguments), parent=group)  # type: ignore[attr-defined]
    needless = [
        f"--{name}"
        for name in ("workers", "memory", "shard", "scheduler", "dashboard")
        if parsed.params[name] not in (None, False)
    ]
    if needless:
        raise ParameterError(f"{', '.join(needless)}: means nothing in a script; --slurm says it")
    manifest: Path = parsed.params["manifest"]
    read_manifest(manifest)
    typer.echo(array_script(place, parsed.params["output"], arguments), nl=False)
