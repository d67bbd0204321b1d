"""What the figures were measured on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("atomsight", "numba", "numpy", "gemmi", "polars", "scipy")


def describe_machine() -> dict[str, str | int | float]:
    """Processor, cores, load and versions.

    Returns
    -------
    dict
    """
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text(encoding="utf-8").splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), cpu)
    described: dict[str, str | int | float] = {
        "cpu": cpu,
        "cores": os.cpu_count() or 0,
        "load before": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
    }
    for package in _PACKAGES:
        try:
            described[package] = version(package)
        except PackageNotFoundError:
            described[package] = "not installed"
    return described
