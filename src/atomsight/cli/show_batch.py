"""What a person sees in the terminal of many entries."""

from pathlib import Path

from rich.text import Text

from atomsight.batch.driver import Report
from atomsight.batch.job import Tables
from atomsight.batch.plan import Plan
from atomsight.batch.sizes import size_of
from atomsight.cli.show import console
from atomsight.cli.terminal import printable

_SHOWN = 20


def show_report(report: Report, folder: Path) -> None:
    """Print what came of a run.

    Parameters
    ----------
    report : Report
    folder : Path
    """
    screen = console()
    kept = f", {report.kept} kept from earlier runs" if report.kept else ""
    screen.print(
        f"{report.total} entries: {report.done} done, {report.failed} failed{kept}; "
        f"{report.seconds:.1f} s"
    )
    for step, count in report.steps.most_common():
        screen.print(f"failed at '{step}': {count}")
    if report.failed:
        screen.print(Text(printable(f"the reasons stand in {folder}/entries, column message")))


def show_plan(plan: Plan, workers: int, memory: int, tables: Tables) -> None:
    """Print what would fail, and what all entries need.

    Parameters
    ----------
    plan : Plan
    workers : int
    memory : int
        Bytes for all entries together.
    tables : {"entries", "residues", "atoms"}
    """
    screen = console()
    bad = plan.bad
    fetched = f", {plan.unknown} to be fetched" if plan.unknown else ""
    screen.print(f"{len(plan.rows)} entries, {len(bad)} of them would fail{fetched}")
    for row in bad[:_SHOWN]:
        place = "" if row.problem.startswith("line ") else f"line {row.line} ({row.name}): "
        screen.print(Text(printable(f"{place}{row.problem}")))
    if len(bad) > _SHOWN:
        screen.print(f"and {len(bad) - _SHOWN} more: -o FILE lists all")
    if len(bad) + plan.unknown < len(plan.rows):
        screen.print(
            f"memory: up to {size_of(plan.largest)} for one entry, {size_of(memory)} for all; "
            f"disk: about {size_of(plan.disk(tables))}"
        )
        screen.print(
            f"time: about {_duration(plan.seconds / workers)} with {workers} workers "
            "(within a factor of two or three)"
        )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
