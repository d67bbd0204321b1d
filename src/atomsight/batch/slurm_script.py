"""A plain array of jobs for Slurm: each does one part of a manifest, and knows of no other."""

import shlex
import sys
from importlib.metadata import version
from pathlib import Path

from atomsight.batch.slurm import Slurm, log_directives
from atomsight.errors import ParameterError


def array_script(place: Slurm, folder: Path, arguments: list[str]) -> str:
    """Script for ``sbatch``; to go on after an end, it is submitted again.

    Parameters
    ----------
    place : Slurm
        `jobs` is the number of parts.
    folder : Path
        Of the data set.
    arguments : list of str
        Those of ``atomsight batch run``; relative paths start from here.

    Returns
    -------
    str

    Raises
    ------
    ParameterError
        If something is asked for that means nothing here.
    OutputError
        If the folder for logs cannot be made.
    """
    if place.interface is not None:
        raise ParameterError("--slurm: interface means nothing in a script; jobs do not talk")
    directives = [
        f"--array=0-{place.jobs - 1}",
        *place.directives(),
        *log_directives(folder, "array-%A_%a"),
    ]
    command = [
        *(sys.executable, "-m", "atomsight", "batch", "run", *arguments),
        *("--workers", str(place.cores), "--memory", str(place.for_entries)),
    ]
    lines = [
        "#!/bin/bash",
        f"# Written by atomsight {version('atomsight')}. Submit it with sbatch; submitted again,",
        "# it goes on where it was. Each job does its own part of the manifest.",
        *(f"#SBATCH {directive}" for directive in directives),
        "set -eu",
        f"cd -- {shlex.quote(str(Path.cwd()))}",
        f'exec {shlex.join(command)} --shard "$SLURM_ARRAY_TASK_ID/{place.jobs}"',
    ]
    return "\n".join(lines) + "\n"
