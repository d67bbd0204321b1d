"""The command ``atomsight`` and what all of its commands share."""

import sys
from importlib.metadata import version

import typer

from atomsight.cli.archive import archive
from atomsight.cli.batch import batch
from atomsight.cli.compare import compare
from atomsight.cli.converge import converge
from atomsight.cli.degrade import degrade
from atomsight.cli.fetch import fetch
from atomsight.cli.fsc_q import fsc_q
from atomsight.cli.local_resolution import local_resolution
from atomsight.cli.profile import profile
from atomsight.cli.q import q
from atomsight.cli.report import report
from atomsight.cli.simulate import simulate
from atomsight.cli.terminal import accept_any_letter, printable
from atomsight.cli.validate import validate
from atomsight.errors import AtomsightError

app = typer.Typer(
    name="atomsight",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(no_args_is_help=True)(validate)
app.command(no_args_is_help=True)(q)
app.command(name="fsc-q", no_args_is_help=True)(fsc_q)
app.command(no_args_is_help=True)(fetch)
app.command(no_args_is_help=True)(compare)
app.command(no_args_is_help=True)(converge)
app.command(no_args_is_help=True)(report)
app.command(name="local-resolution", no_args_is_help=True)(local_resolution)
app.command(no_args_is_help=True)(simulate)
app.command(no_args_is_help=True)(degrade)
app.command(no_args_is_help=True)(profile)
app.add_typer(batch, name="batch", help="Validate many entries, on one machine or a cluster.")
app.add_typer(archive, name="archive", help="Compare with the archive, or with one of your own.")


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"atomsight {version('atomsight')}")
        raise typer.Exit


@app.callback()
def common(
    show_version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """Is each atom of this model seen in this cryo-EM map, and how do you know?"""


def main() -> None:
    """Run the command line.

    Exit code 0: done. 2: the input is at fault, said in one line. 1: our fault.
    """
    accept_any_letter()
    try:
        app()
    except AtomsightError as exc:
        sys.stderr.write(f"atomsight: error: {printable(str(exc))}\n")
        sys.exit(2)
