"""A line of convergence against resolution, made of one's own entries, in one file."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from atomsight.archive.convergence import ConvergenceFit, fit_convergence
from atomsight.archive.table import read_entries
from atomsight.errors import ArchiveFileError, InputError
from atomsight.io.files import require_file, sha256, write_text
from atomsight.typing import Float_N, PathLikeStr, Str_N

FORMAT = "atomsight convergence 1"
"""Of the file; a change that older programs cannot read gets the next number."""

_WHAT = "line of convergence"


@dataclass(frozen=True, slots=True)
class ConvergenceLine:
    """Mean Cα RMSD against resolution over entries of one protocol.

    Attributes
    ----------
    name, date : str
    table, sha256 : str
        Name of the file that it was built from, and its checksum.
    program : str
        What built it.
    notes : tuple of str
        What was left out of the table.
    ids : ndarray of str, shape (n,)
        Of the entries.
    resolution, ca_rmsd : ndarray, shape (n,)
        Å.
    fit : ConvergenceFit
    """

    name: str
    date: str
    table: str
    sha256: str
    program: str
    notes: tuple[str, ...]
    ids: Str_N
    resolution: Float_N
    ca_rmsd: Float_N
    fit: ConvergenceFit

    @property
    def label(self) -> str:
        """Name, date, number of entries and protocol, in one line."""
        made = f"protocol {self.fit.protocol}" if self.fit.protocol else "protocol not said"
        return f"{self.name} ({self.date}, {self.fit.n} entries, {made})"


def build_line(
    table: PathLikeStr, *, name: str | None = None, date: str | None = None
) -> ConvergenceLine:
    """Fit a line of convergence to a table of entries.

    Parameters
    ----------
    table : path
        CSV with the columns ``resolution`` and ``ca_rmsd`` (mean over the residues of an entry);
        ``id`` and ``protocol`` if there are any.
    name : str, optional
        The table's name without its ending when None.
    date : str, optional
        Of the table; today when None.

    Returns
    -------
    ConvergenceLine

    Raises
    ------
    ArchiveFileError
        If the table cannot be read, its entries are of several protocols, or too few for a fit.
    """
    path = Path(table)
    entries, notes = read_entries(path, "ca_rmsd")
    rmsd = entries.measures["ca_rmsd"]
    try:
        fit = fit_convergence(entries.resolution, rmsd, entries.protocol.tolist())
    except InputError as exc:
        raise ArchiveFileError(f"{path}: {exc}") from None
    return ConvergenceLine(
        name=name or path.name.removesuffix(".gz").rpartition(".")[0] or path.name,
        date=date or f"{datetime.now(UTC):%Y-%m-%d}",
        table=path.name,
        sha256=sha256(path),
        program=f"atomsight {version('atomsight')}",
        notes=notes,
        ids=entries.ids,
        resolution=entries.resolution,
        ca_rmsd=rmsd,
        fit=fit,
    )


def line_facts(line: ConvergenceLine) -> dict[str, Any]:
    """Everything about a line, as JSON holds it.

    Parameters
    ----------
    line : ConvergenceLine

    Returns
    -------
    dict
    """
    entries = zip(line.ids.tolist(), line.resolution.tolist(), line.ca_rmsd.tolist(), strict=True)
    return {
        "format": FORMAT,
        "definition": "mean Cα RMSD = a exp(b d), d in Å, by least squares",
        **{key: getattr(line, key) for key in _TEXTS},
        "notes": list(line.notes),
        "fit": asdict(line.fit),
        "entries": [
            {"id": one, "resolution": _known(d), "ca_rmsd": _known(rmsd)}
            for one, d, rmsd in entries
        ],
    }


_TEXTS = ("name", "date", "table", "sha256", "program")


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def write_line(line: ConvergenceLine, path: PathLikeStr) -> Path:
    """Write a line as JSON.

    Parameters
    ----------
    line : ConvergenceLine
    path : path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    return write_text(path, json.dumps(line_facts(line), indent=2, ensure_ascii=False) + "\n")


def read_line(path: PathLikeStr) -> ConvergenceLine:
    """Read what `write_line` wrote.

    Parameters
    ----------
    path : path

    Returns
    -------
    ConvergenceLine

    Raises
    ------
    ArchiveFileError
        If the file is missing, or no such line.
    """
    file = require_file(path, _WHAT, ArchiveFileError)
    try:
        facts = json.loads(file.read_bytes())
        if facts["format"] == FORMAT:
            entries = facts["entries"]
            return ConvergenceLine(
                **{key: facts[key] for key in _TEXTS},
                notes=tuple(facts["notes"]),
                ids=np.array([one["id"] for one in entries], dtype=np.str_),
                resolution=_column(entries, "resolution"),
                ca_rmsd=_column(entries, "ca_rmsd"),
                fit=ConvergenceFit(**facts["fit"]),
            )
    except (ValueError, KeyError, TypeError):
        pass
    raise ArchiveFileError(
        f"{file}: holds no line of convergence; make one of a table with the columns resolution, "
        "ca_rmsd and protocol: atomsight archive build TABLE -o FILE"
    )


def _column(entries: list[dict[str, Any]], name: str) -> Float_N:
    values = [one[name] for one in entries]
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def placed_on(line: ConvergenceLine, resolution: float | None, protocol: str) -> str:
    """What a line lets expect of an entry, in words.

    Parameters
    ----------
    line : ConvergenceLine
    resolution : float or None
        Å; of the entry's map.
    protocol : str
        What made its models.

    Returns
    -------
    str
        The expected mean RMSD with its error, or why there is none.
    """
    fit = line.fit
    if resolution is None:
        return "none: the resolution is not known (--resolution)"
    if protocol != fit.protocol:
        return (
            f"none: that line is of protocol {fit.protocol or 'unknown'}, these models are of "
            f"{protocol or 'an unknown one'} (--protocol)"
        )
    value = float(fit.at(resolution))
    if not np.isfinite(value):
        return f"none: {resolution:g} Å is outside the entries, {fit.finest:g}-{fit.coarsest:g} Å"
    return (
        f"{value:.2f} ± {float(fit.error_at(resolution)):.2f} Å at {resolution:g} Å; entries "
        f"scatter by {fit.residual_sd:.2f} Å: {line.label}"
    )
