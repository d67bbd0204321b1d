"""What OpenMM computes on: the processor, or a graphics card that was seen to work."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

from atomsight.ensemble.engines.protocol import PRECISION, Platform
from atomsight.ensemble.libraries import require_openmm
from atomsight.errors import ParameterError

CARDS: tuple[Platform, ...] = ("cuda", "opencl")
"""Fastest first."""

_NAMES = {"cpu": "CPU", "cuda": "CUDA", "opencl": "OpenCL"}
_REMEDY = {
    "cuda": "needs an NVIDIA card, its driver, and: pip install 'openmm[cuda12]' (or cuda13, as "
    "the driver wants)",
    "opencl": "needs a graphics card and the OpenCL driver of its maker",
}
_TRIAL = "atomsight.ensemble.engines.trial"
_PATIENCE = 120.0
"""s: compilers of kernels are slow the first time."""

_NO_CARD = ("portable computing language", "pthread", "cpu", "llvmpipe")
"""In names of OpenCL devices that are a processor."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a trial of a platform found.

    Attributes
    ----------
    error : str
        Why it does not work; "": it works.
    device : str
        What it runs on.
    card : bool
        That is no processor.
    """

    error: str
    device: str = ""
    card: bool = False


def context_of(system: Any, integrator: Any, platform: Platform) -> Any:
    """A context of OpenMM on a platform: always the same properties.

    Parameters
    ----------
    system : openmm.System
    integrator : openmm.Integrator
    platform : {"cpu", "cuda", "opencl"}

    Returns
    -------
    openmm.Context
    """
    import openmm  # noqa: PLC0415  (optional library)

    properties = {
        "cpu": {"Threads": "1", "DeterministicForces": "true"},
        "cuda": {"Precision": PRECISION, "DeterministicForces": "true"},
        "opencl": {"Precision": PRECISION},
    }
    chosen = openmm.Platform.getPlatformByName(_NAMES[platform])
    return openmm.Context(system, integrator, chosen, properties[platform])


def require_platform(platform: Platform) -> None:
    """Refuse a platform that is not there, or does not compute what it should.

    Parameters
    ----------
    platform : {"cpu", "cuda", "opencl"}

    Raises
    ------
    ParameterError
        With the reason, and what to install.
    MissingLibraryError
        If OpenMM is not installed.
    """
    require_openmm()
    if platform not in _NAMES:
        raise ParameterError(f"--platform must be one of {', '.join(_NAMES)}, not {platform}")
    if platform == "cpu":
        return
    found = tried(platform)
    if found.error:
        raise ParameterError(f"--platform {platform}: {found.error}; {_REMEDY[platform]}")


@cache
def tried(platform: Platform) -> Tried:
    """Try a platform once, in a process of its own.

    Parameters
    ----------
    platform : {"cuda", "opencl"}

    Returns
    -------
    Tried
    """
    name = _NAMES[platform]
    if name not in registered():
        plugin = f"libOpenMM{name}."
        # plugins that build on this one fail after it
        failed = [text for text in load_failures() if plugin in text.partition(": ")[0]]
        return Tried("; ".join(failed) or f"this OpenMM has no platform {name}")
    try:
        # not an option of the user's: our own module, in the interpreter that runs us
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", _TRIAL, name],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return Tried(f"{name} did not answer within {_PATIENCE:g} s")
    try:
        found = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return Tried(f"{name} broke down in a trial with a few atoms (exit code {done.returncode})")
    named = f"{found['vendor']} {found['device']}".lower()
    return Tried(found["error"], found["device"], not any(mark in named for mark in _NO_CARD))


def registered() -> set[str]:
    """Names of the platforms that OpenMM has loaded.

    Returns
    -------
    set of str
    """
    import openmm  # noqa: PLC0415  (optional library)

    count = openmm.Platform.getNumPlatforms()
    return {openmm.Platform.getPlatform(i).getName() for i in range(count)}


def load_failures() -> tuple[str, ...]:
    """Why OpenMM could not load its plugins.

    Returns
    -------
    tuple of str
    """
    import openmm  # noqa: PLC0415  (optional library)

    return tuple(openmm.Platform.getPluginLoadFailures())
