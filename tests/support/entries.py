"""Tables of entries for the tests of the archive."""

import csv
from pathlib import Path

import numpy as np

CUBIC = (-0.0016, 0.0434, -0.3956, 1.3366)


def made_up(n=400, *, seed=0, noise=0.06):
    """Resolutions (two decimals, many ties) and Q (three decimals) around the published cubic."""
    rng = np.random.default_rng(seed)
    d = np.round(rng.uniform(1.2, 9.8, n), 2)
    q = np.round(np.clip(np.polyval(CUBIC, d) + rng.normal(0, noise, n), -1, 1), 3)
    return d, q


def write_table(path, header, *columns):
    """A CSV file of columns."""
    with Path(path).open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows(zip(*columns, strict=True))
    return path


def made_up_table(path, n=400, **options):
    """A CSV file with ids, resolutions, Q and atom inclusion."""
    d, q = made_up(n, **options)
    ids = [f"{i:04d}" for i in range(1, n + 1)]
    return write_table(path, ("id", "resolution", "q", "inclusion"), ids, d, q, np.sqrt(abs(q)))
