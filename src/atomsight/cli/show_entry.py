"""What a person sees of an entry that was fetched."""

import json
import sys
from pathlib import Path

from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from atomsight.cli.show import console
from atomsight.cli.terminal import printable
from atomsight.export.summary_json import plain
from atomsight.io.entries import Entry


def show_entry(entry: Entry, *, as_json: bool) -> None:
    """Print what there is of an entry, and where it lies."""
    if as_json:
        sys.stdout.write(json.dumps(plain(entry), indent=2, ensure_ascii=False) + "\n")
        return
    screen = console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(entry):
        table.add_row(Text(name), Text(printable(value)))
    screen.print(table)
    for note in entry.notes:
        screen.print(Text(printable(f"note: {note}")))


def _rows(entry: Entry) -> list[tuple[str, str]]:
    sizes = {file.path: file.size for file in entry.files}

    def where(path: Path | None) -> str:
        return "-" if path is None else f"{path} ({decimal(sizes[path])})"

    names = [name for name in (entry.emdb_id, entry.pdb_id) if name]
    rows = [("entry", ", ".join(names)), ("title", entry.title)]
    if entry.emdb_id is not None:
        resolution = "-" if entry.resolution is None else f"{entry.resolution:g} Å"
        contour = "-" if entry.contour is None else f"{entry.contour:g}"
        rows += [
            ("released", entry.released or "-"),
            ("models", ", ".join(entry.pdb_ids) or "-"),
            ("resolution", _with(resolution, entry.resolution_method)),
            ("contour", _with(contour, entry.contour_source)),
        ]
    rows += [("model", where(entry.model)), ("map", where(entry.map))]
    halves = entry.half_maps or (None, None)
    rows += [(f"half map {i}", where(path)) for i, path in enumerate(halves, 1)]
    return [*rows, ("mask", where(entry.mask))]


def _with(value: str, source: str) -> str:
    return f"{value} ({source})" if source else value
