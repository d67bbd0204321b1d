"""Maps of lower resolution, and a table that says what they are."""

from collections.abc import Iterable
from pathlib import Path

from atomsight.density.degrade import Degraded
from atomsight.io.files import write_text
from atomsight.io.map_writing import write_map

COLUMNS = ("file", "target", "resolution", "b_factor", "noise", "seed")
TABLE = "resolution_series.csv"


def write_degraded(degraded: Degraded, path: Path) -> list[Path]:
    """Write a map, and its half maps beside it where there are any.

    Parameters
    ----------
    degraded : Degraded
    path : Path
        Of the map; half maps get ``_half1`` and ``_half2`` before the ending.

    Returns
    -------
    list of Path
        The map first.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    maps = {path: degraded.map}
    for i, half in enumerate(degraded.halves or (), 1):
        maps[path.with_name(f"{path.stem}_half{i}{path.suffix}")] = half
    label = f"atomsight: degraded to {degraded.resolution:.2f} A, seed {degraded.seed}"
    return [write_map(map_.values, map_, file, label=label) for file, map_ in maps.items()]


def write_series_table(series: Iterable[tuple[str, Degraded]], folder: Path) -> Path:
    """Write one row a map: its file, resolution and how it was made.

    Parameters
    ----------
    series : iterable of (str, Degraded)
        Names of the files, and what is in them.
    folder : Path

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If the table cannot be written.
    """
    lines = [",".join(COLUMNS)]
    for name, d in series:
        figures = (d.target, round(d.resolution, 6), round(d.b_factor, 6), d.noise)
        lines.append(",".join([name, *(f"{v:.8g}" for v in figures), str(d.seed)]))
    return write_text(folder / TABLE, "\n".join(lines) + "\n")
