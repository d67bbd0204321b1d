"""``atomsight archive``: where a value stands in the archive, and the statistics behind it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from atomsight.cli import options as o
from atomsight.cli.terminal import printable

archive = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@archive.command(no_args_is_help=True)
def percentile(
    q: Annotated[
        float | None, typer.Option("--q", metavar="Q", help="Mean Q of a model, without water.")
    ] = None,
    resolution: Annotated[
        float | None, typer.Option(metavar="Å", help="Resolution of its map.")
    ] = None,
    inclusion: Annotated[
        float | None, typer.Option(metavar="A", help="Its atom inclusion, 0 to 1.")
    ] = None,
    value: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=X", help="Another measure of the archive, e.g. smoc=0.78."),
    ] = None,
    sigma: o.Sigma = 0.4,
    archive_file: o.ArchiveFile = None,
    definition: o.Definition = o.DefinitionChoice.PAPER,
    as_json: Json = False,
) -> None:
    """Where a model stands among all entries, and among those of similar resolution."""
    from dataclasses import asdict

    from atomsight.archive.archives import expected_from
    from atomsight.archive.expected import expected_q
    from atomsight.archive.percentiles import percentiles
    from atomsight.archive.storage import read_archive
    from atomsight.cli.show_archive import percentile_lines
    from atomsight.errors import ParameterError

    named = {"q": q, "inclusion": inclusion, **_pairs("--value", value)}
    wanted = {name: given for name, given in named.items() if given is not None}
    if not wanted:
        raise ParameterError("nothing to compare: give --q, --inclusion or --value")
    source = read_archive(archive_file)
    found = [
        percentiles(
            given, resolution, name, sigma=sigma, definition=definition.value, archive=source
        )
        for name, given in wanted.items()
    ]
    published = archive_file is None
    expected, reason = (
        expected_q(resolution, sigma) if published else expected_from(source, resolution, sigma)
    )
    if as_json:
        facts = {
            "archive": source.label,
            "sha256": source.sha256,
            "sigma": sigma,
            "percentiles": [asdict(one) for one in found],
            "expected_q": asdict(expected) if expected else None,
            "no_expectation": reason,
        }
        typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    for line in percentile_lines(found, sigma, expected, reason):
        typer.echo(printable(line))


@archive.command(no_args_is_help=True)
def build(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="CSV with the columns resolution and q, or resolution, ca_rmsd and protocol.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to write.")],
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Name; that of the table by default.")
    ] = None,
    date: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Date of the table; today by default.")
    ] = None,
    sigma: Annotated[
        float, typer.Option(metavar="Å", help="Sigma with which its Q was computed.")
    ] = 0.4,
    at_least: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=X", help="Take only entries with at least this, e.g. cc=0.7."),
    ] = None,
) -> None:
    """Make statistics of a table of entries: EMDB's next release, or your own."""
    from atomsight.archive.archives import build_archive
    from atomsight.archive.line import build_line, write_line
    from atomsight.archive.storage import write_archive
    from atomsight.archive.table import table_columns
    from atomsight.cli.show_archive import build_lines, line_lines
    from atomsight.errors import ParameterError
    from atomsight.io.files import require_parent

    target = require_parent(output)
    if target.resolve() == table.resolve():
        raise ParameterError(f"{output}: this is the table itself; choose another file with -o")
    limits = _pairs("--at-least", at_least)
    columns = table_columns(table)
    if "ca_rmsd" in columns and "q" not in columns:
        if limits:
            raise ParameterError("--at-least: means nothing for a table without q")
        fitted = build_line(table, name=name, date=date)
        write_line(fitted, target)
        for text in line_lines(fitted, target):
            typer.echo(printable(text))
        return
    made = build_archive(table, name=name, date=date, sigma=sigma, at_least=limits)
    write_archive(made, target)
    for line in build_lines(made, target):
        typer.echo(printable(line))


@archive.command()
def show(archive_file: o.ArchiveFile = None, as_json: Json = False) -> None:
    """Print the statistics in use: source, fits, band, windows."""
    from atomsight.archive.archives import archive_facts
    from atomsight.archive.storage import read_archive
    from atomsight.cli.show_archive import archive_lines

    source = read_archive(archive_file)
    if as_json:
        typer.echo(json.dumps(archive_facts(source), indent=2, ensure_ascii=False))
        return
    for line in archive_lines(source):
        typer.echo(printable(line))


@archive.command(no_args_is_help=True)
def components(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE", help="CSV with the columns resolution and q, one row an entry."
        ),
    ],
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Use this column; repeat it. All numbers by default."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Principal components of the measures over the entries of a table."""
    from atomsight.archive.table import read_entries
    from atomsight.cli.show_archive import component_facts, component_lines
    from atomsight.errors import ParameterError
    from atomsight.evidence.components import principal_components

    entries, _ = read_entries(table)
    known = {"resolution": entries.resolution, **entries.measures}
    for name in column or ():
        if name not in known:
            raise ParameterError(f"{table}: no column {name!r}; it has {', '.join(known)}")
    found = principal_components({name: known[name] for name in column or known})
    if as_json:
        typer.echo(json.dumps(component_facts(found), indent=2, ensure_ascii=False))
        return
    for line in component_lines(found):
        typer.echo(printable(line))


def _pairs(option: str, given: list[str] | None) -> dict[str, float]:
    """Values of an option NAME=X that may be repeated."""
    from atomsight.errors import ParameterError

    pairs = {}
    for text in given or []:
        name, _, number = text.partition("=")
        try:
            pairs[name.strip().lower()] = float(number)
        except ValueError:
            raise ParameterError(f"{option} {text}: write a name and a number, NAME=X") from None
    return pairs
