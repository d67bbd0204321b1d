"""``atomsight fetch``."""

from pathlib import Path
from typing import Annotated

import typer

from atomsight.cli import options as o


def fetch(
    entry: Annotated[
        str,
        typer.Argument(metavar="ID", help="EMD-3488, 5NI1 or pdb_00005ni1.", show_default=False),
    ],
    maps: Annotated[
        bool, typer.Option("--maps/--no-maps", help="Get map, half maps and mask, or none of them.")
    ] = True,
    half_maps: Annotated[
        bool, typer.Option("--half-maps/--no-half-maps", help="Get the half maps.")
    ] = True,
    mask: Annotated[
        bool, typer.Option("--mask/--no-mask", help="Get the mask, where there is just one.")
    ] = True,
    model: Annotated[bool, typer.Option("--model/--no-model", help="Get the fitted model.")] = True,
    pdb: o.FittedModel = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            "--cache",
            metavar="DIR",
            help="Folder for the files; ATOMSIGHT_CACHE, else in your cache folder.",
        ),
    ] = None,
    emdb_base: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Address of EMDB, with commas between mirrors; ATOMSIGHT_EMDB_BASE."
        ),
    ] = None,
    pdb_base: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address of the PDB, with commas between mirrors; ATOMSIGHT_PDB_BASE.",
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare the SHA-256 of files that are there already.")
    ] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Fetch files again that are there already.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Get map, half maps, mask and model of an entry of EMDB or the PDB."""
    from atomsight.cli.job import show_progress
    from atomsight.cli.show_entry import show_entry
    from atomsight.io.entries import fetch_entry

    with show_progress(in_bytes=True) as progress:
        found = fetch_entry(
            entry,
            maps=maps,
            half_maps=half_maps,
            mask=mask,
            model=model,
            pdb=pdb,
            cache=cache,
            emdb_base=emdb_base,
            pdb_base=pdb_base,
            verify=verify,
            refresh=refresh,
            progress=progress,
        )
    show_entry(found, as_json=json_)
