"""The picture of the README: the demo's Q along a chain, and among the archive's entries.

Needs matplotlib::

    python studies/picture.py MODEL MAP -o FILE.svg
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context  # type: ignore[import-not-found,unused-ignore]
from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]

import atomsight as ats

BLUE, ORANGE, GRAY = "#1f4e79", "#b35900", "#d9d9d9"
CHAIN = "A"


def along_chain(axes: Any, result: ats.Validation) -> None:
    """Backbone and side chains of one chain over the expected band."""
    residues, columns, expected = result.model.residues, result.residues, result.expected
    rows = np.flatnonzero(
        (residues.chain == CHAIN) & (residues.atom_class == ats.AtomClass.PROTEIN)
    )
    number = residues.number[rows]
    if expected is not None:
        axes.axhspan(expected.low, expected.high, color=GRAY, label="expected band of entries")
        axes.axhline(expected.peak, color="gray", lw=0.8)
    axes.plot(number, columns["q_sidechain"][rows], color=ORANGE, lw=0.9, label="side chain")
    axes.plot(number, columns["q_backbone"][rows], color=BLUE, lw=1.4, label="backbone")
    axes.set(xlabel=f"residue of chain {CHAIN}", ylabel="Q (sigma 0.4 Å)", ylim=(-0.1, 1.0))
    axes.margins(x=0)
    axes.legend(frameon=False, loc="upper right", ncols=3, fontsize=8)
    axes.set_title(f"{result.model.path.stem.upper()} in its map", fontsize=10)


def among_entries(axes: Any, result: ats.Validation) -> None:
    """All entries of the archive, and this one."""
    entries = ats.read_archive().entries
    d, q = entries.resolution, entries.measures["q"]
    shown = np.isfinite(d) & (d >= 1) & (d <= 8)
    counts, x, y = np.histogram2d(d[shown], q[shown], bins=(70, 60), range=((1, 8), (-0.1, 1.0)))
    axes.pcolormesh(x, y, np.log1p(counts.T), cmap="Greys", rasterized=True)
    if result.resolution is not None:
        mean: Any = result.averages["mean_without_water"]
        axes.plot(result.resolution, mean.mean, "o", color=ORANGE, ms=7, mec="white")
    axes.set(xlabel="resolution (Å)", ylabel="mean Q of an entry")
    axes.set_title(f"among {len(entries)} models in EMDB", fontsize=10)


def main() -> None:
    """Validate, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("map", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    result = ats.validate(options.model, options.map, ats.Options(fit_b=False))
    figure = Figure(figsize=(9.5, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    along_chain(left, result)
    among_entries(right, result)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    with rc_context({"svg.hashsalt": "atomsight"}):
        figure.savefig(options.output, metadata={"Date": None})


if __name__ == "__main__":
    main()
