"""Measuring whole processes, and reading the figures that they print themselves."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MARK = "FIGURES "
"""A line that begins so holds figures as JSON."""

PYTHON = [sys.executable]
ATOMSIGHT = [sys.executable, "-m", "atomsight"]


@dataclass(frozen=True, slots=True)
class Used:
    """What one process used.

    Attributes
    ----------
    code : int
        Its exit status.
    wall_s, cpu_s : float
        Seconds on the clock, and of processor time (user and system, all threads).
    peak_mb : float
        Largest resident memory in MB (10⁶ bytes), from wait4.
    figures : dict
        What it printed itself after `MARK`.
    output : str
        Its last words, for messages.
    """

    code: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    figures: dict[str, Any] = field(default_factory=dict)
    output: str = ""


class BenchmarkError(Exception):
    """A benchmark could not be run."""


def run(
    command: list[str], *, env: Mapping[str, str] | None = None, folder: Path | None = None
) -> Used:
    """Run a command to its end.

    Parameters
    ----------
    command : list of str
    env : mapping, optional
        Added to the environment.
    folder : Path, optional
        Where to run it.

    Returns
    -------
    Used

    Raises
    ------
    BenchmarkError
        If it ends with a status other than 0.
    """
    with tempfile.TemporaryDirectory() as scratch:
        figures = Path(scratch) / "used.json"
        done = subprocess.run(
            [sys.executable, "-I", str(HERE / "launch.py"), str(figures), *command],
            env={**os.environ, **(env or {})},
            cwd=folder or scratch,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        tail = done.stdout[-2000:].strip()
        if done.returncode != 0:
            raise BenchmarkError(f"{' '.join(command)} ended with {done.returncode}: {tail}")
        used = json.loads(figures.read_text(encoding="utf-8"))
    printed: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            printed |= json.loads(line.removeprefix(MARK))
    return Used(done.returncode, figures=printed, output=tail, **used)


def has_command(name: str) -> bool:
    """Whether ``atomsight NAME`` exists."""
    done = subprocess.run([*ATOMSIGHT, name, "--help"], capture_output=True, check=False)
    return done.returncode == 0
