"""What a person sees in the terminal of many entries."""

from pathlib import Path

from rich.text import Text

from atomsight.batch.driver import Report
from atomsight.cli.show import console
from atomsight.cli.terminal import printable


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
