"""Jobs of Slurm: what is asked for, for workers of Dask and for a plain array of jobs."""

import re
import shlex
from dataclasses import dataclass, fields
from math import ceil
from pathlib import Path
from typing import Any

from atomsight.batch.estimate import LITTLE
from atomsight.batch.sizes import bytes_of
from atomsight.errors import OutputError, ParameterError
from atomsight.io.files import make_folder

LOGS = "logs"
"""Folder of the data set with what jobs print."""

RESERVED = 2**29
"""Bytes of a job that are not for entries: the process that starts and watches theirs."""

_MIB = 2**20
_WALLTIME = re.compile(r"(\d+-)?\d+(:\d+){0,2}")
_NEEDED = ("jobs", "cores", "memory")


@dataclass(frozen=True, slots=True)
class Slurm:
    """Jobs of Slurm, all alike.

    Attributes
    ----------
    jobs : int
        How many.
    cores : int
        Of each, and entries that it scores at the same time.
    memory : int
        Bytes of each.
    walltime : str or None
        As Slurm writes it: ``8:00:00``, ``2-12``; None: what the queue gives.
    queue, account : str or None
        None: Slurm's own choice.
    interface : str or None
        Network by which jobs reach this machine, as ``ib0``.
    """

    jobs: int
    cores: int
    memory: int
    walltime: str | None = None
    queue: str | None = None
    account: str | None = None
    interface: str | None = None

    def __post_init__(self) -> None:
        for name in ("jobs", "cores"):
            if getattr(self, name) < 1:
                raise ParameterError(f"--slurm: {name} must be at least 1")
        if self.for_entries < LITTLE:
            raise ParameterError("--slurm: memory must be at least 1GB for each job")
        if self.walltime is not None and not _WALLTIME.fullmatch(self.walltime):
            raise ParameterError(
                f"--slurm: walltime is {self.walltime!r}; write it as 8:00:00 or 2-12:00:00"
            )
        for name in ("queue", "account", "interface"):
            value = getattr(self, name) or "-"
            if not value.isprintable() or " " in value:
                raise ParameterError(f"--slurm: {name} is {value!r}, which cannot be one")

    @property
    def for_entries(self) -> int:
        """Bytes of a job that entries may use together."""
        return self.memory - RESERVED

    def directives(self) -> list[str]:
        """What both kinds of jobs ask Slurm for.

        Returns
        -------
        list of str
            Options of sbatch.
        """
        asked = {
            "job-name": "atomsight",
            "ntasks": "1",
            "cpus-per-task": str(self.cores),
            "mem": f"{ceil(self.memory / _MIB)}M",
            "time": self.walltime,
            "partition": self.queue,
            "account": self.account,
        }
        return [f"--{name}={shlex.quote(value)}" for name, value in asked.items() if value]


def slurm_of(text: str) -> Slurm:
    """Read ``jobs=8,cores=16,memory=64GB,walltime=8:00:00``.

    Parameters
    ----------
    text : str

    Returns
    -------
    Slurm

    Raises
    ------
    ParameterError
        If a key is not known or not there, or a value means nothing.
    """
    known = [one.name for one in fields(Slurm)]
    given: dict[str, str] = {}
    for pair in text.split(","):
        key, _, value = (part.strip() for part in pair.partition("="))
        if key not in known or not value:
            raise ParameterError(
                f"--slurm: {pair.strip()!r} means nothing; write KEY=VALUE, of {', '.join(known)}"
            )
        if key in given:
            raise ParameterError(f"--slurm: {key} is there twice")
        given[key] = value
    missing = [key for key in _NEEDED if key not in given]
    if missing:
        raise ParameterError(
            f"--slurm: {', '.join(missing)} missing; write it as jobs=8,cores=16,memory=64GB"
        )
    values: dict[str, Any] = dict(given)
    values["memory"] = bytes_of(given["memory"], "--slurm: memory")
    for key in ("jobs", "cores"):
        if not (given[key].isascii() and given[key].isdigit()):
            raise ParameterError(f"--slurm: {key} is {given[key]!r}, not a whole number")
        values[key] = int(given[key])
    return Slurm(**values)


def log_directives(folder: Path, name: str) -> list[str]:
    """Where jobs print to; the folder is made, because Slurm does not.

    Parameters
    ----------
    folder : Path
        Of the data set.
    name : str
        Of the files, with Slurm's placeholders.

    Returns
    -------
    list of str
        Options of sbatch.

    Raises
    ------
    OutputError
        If the folder cannot be made, or Slurm could not name it.
    """
    logs = (folder / LOGS).resolve()
    if "\\" in str(logs) or not str(logs).isprintable():
        raise OutputError(
            f"{folder}: Slurm cannot write to a folder whose name has a backslash or a control "
            "character; choose another with -o"
        )
    make_folder(logs)
    path = str(logs).replace("%", "%%") + f"/{name}.log"
    return [f"--output={shlex.quote(path)}", "--open-mode=append"]
