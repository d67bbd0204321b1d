"""How often a verdict names what was done to a residue.

Two half maps and the model they were made from become constructed cases (verdict_cases.py): right
residues, turned and shifted ones, residues in noise and in disorder, and residues fitted there.
Writes verdict.csv (a confusion matrix for each set), verdict_strength.csv (right residues under
more and more noise) and verdict.svg. Needs matplotlib::

    python studies/verdict.py --set NAME HALF1 HALF2 MODEL [--set …] [--seeds 100-113] -o FOLDER
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context  # type: ignore[import-not-found,unused-ignore]
from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]

import atomsight as ats
from atomsight.density.masks import MODEL_THRESHOLD, mask_above
from atomsight.evidence.attainable_q import attainable_q
from atomsight.evidence.displacement import displacement
from atomsight.evidence.fsc_q import ThresholdRule, atom_voxels
from atomsight.evidence.side_chain_density import side_chain_density
from atomsight.evidence.status import Status
from atomsight.verdict.readings import Reading, Verdict
from atomsight.verdict.residues import judge
from verdict_cases import KINDS, Cases, build

BOX = 16
"""Voxels; edge of the window of the local resolution."""

NOISE = (("noise", 16.0), ("signal", 6.0))
"""Shape and strength of the extra noise; seeds take them in turn."""

STRENGTHS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Of the extra noise, for the second table."""

READINGS = (Reading.AS_EXPECTED, Reading.WORSE, Reading.NOT_RESOLVED, Reading.TOO_GOOD)

_STYLE: dict[Any, Any] = {"svg.hashsalt": "atomsight", "svg.fonttype": "path", "font.size": 9.0}
_COLOURS = ("#3a6b35", "#b35900", "#8a8a8a", "#7a1f5c")

Scene = tuple[ats.Map, ats.Map, ats.Model]


def read(cases: Cases, rule: ThresholdRule) -> Verdict:
    """Verdict of constructed cases.

    Parameters
    ----------
    cases : Cases
    rule : {"paper", "cref"}
        Thresholds of FSC-Q.

    Returns
    -------
    Verdict
    """
    full, halves, model = cases.full, (cases.half_1, cases.half_2), cases.model
    model_map = ats.simulate_map(model, full)
    resolution, status = half_resolution(cases)
    attainable = attainable_q(
        full, *halves, model, resolution, status, mask=mask_above(model_map, MODEL_THRESHOLD)
    )
    scores = ats.fsc_q(full, *halves, model_map, model, box=BOX, rule=rule)
    return judge(
        model, ats.q_score(full, model), attainable, resolution, status,
        fsc_q=scores.fsc_q, density=side_chain_density(full, attainable.signal, model),
        displacement=displacement(full, attainable, model),
    )  # fmt: skip


def half_resolution(cases: Cases) -> tuple[np.ndarray, np.ndarray]:
    """Local resolution of the half maps at each atom, with its status.

    Parameters
    ----------
    cases : Cases

    Returns
    -------
    resolution : ndarray, shape (n,)
        Å; NaN where it was not measured.
    status : ndarray of uint8, shape (n,)
    """
    where = atom_voxels(cases.full, cases.model, BOX, "mean")
    found = ats.local_resolution(cases.half_1, cases.half_2, where.voxels, box=BOX)
    n, good = len(cases.model), found.measured[where.voxel]
    total = np.bincount(where.atom[good], found.value[where.voxel[good]], minlength=n)
    count = np.bincount(where.atom[good], minlength=n)
    resolution = np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
    status = np.full(n, Status.OUTSIDE, dtype=np.uint8)
    status[where.atom] = found.status[where.voxel]
    status[count > 0] = Status.OK
    return resolution, status


def confusion(scene: Scene, seeds: Sequence[int], rule: ThresholdRule) -> dict[str, np.ndarray]:
    """Readings of each kind of case, over seeds.

    Parameters
    ----------
    scene : tuple
        Half maps and model.
    seeds : sequence of int
    rule : {"paper", "cref"}

    Returns
    -------
    dict
        Kind → number of each of `READINGS`, and of residues that were not judged.
    """
    counts = {kind: np.zeros(len(Reading), dtype=np.int64) for kind in KINDS}
    for seed in seeds:
        shape, strength = NOISE[seed % len(NOISE)]
        cases = build(*scene, seed, strength=strength, shape=shape)
        result = read(cases, rule)
        for kind in KINDS:
            counts[kind] += np.bincount(result.reading[cases.kind == kind], minlength=len(Reading))
    return counts


def under_noise(scene: Scene, seeds: Sequence[int], rule: ThresholdRule) -> Iterator[list[float]]:
    """Readings of right residues under more and more noise.

    Parameters
    ----------
    scene : tuple
    seeds : sequence of int
    rule : {"paper", "cref"}

    Yields
    ------
    list
        Strength, residues, share of each of `READINGS`, mean Q, mean attainable Q and mean local
        resolution in Å.
    """
    for strength in STRENGTHS:
        counts = np.zeros(len(Reading), dtype=np.int64)
        numbers = []
        for seed in seeds:
            cases = build(*scene, seed, strength=strength, shape="noise", fit=False)
            result = read(cases, rule)
            chosen = cases.kind == "noise"
            counts += np.bincount(result.reading[chosen], minlength=len(Reading))
            columns = (result.q, result.expected, result.local_resolution)
            numbers.append(np.array([column[chosen] for column in columns]))
        shares = [float(counts[r] / counts.sum()) for r in READINGS]
        means = np.nanmean(np.concatenate(numbers, axis=1), axis=1).tolist()
        yield [strength, float(counts.sum()), *shares, *means]


def write_table(path: Path, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write rows, with at most three decimals.

    Parameters
    ----------
    path : Path
    names : sequence of str
        Of the columns.
    rows : sequence of sequences
    """
    lines = [
        ",".join(f"{round(v, 3):g}" if isinstance(v, float) else str(v) for v in row)
        for row in rows
    ]
    path.write_text("\n".join([",".join(names), *lines]) + "\n", encoding="utf-8")


def draw(
    found: dict[str, dict[str, np.ndarray]],
    strengths: dict[str, list[list[float]]],
    path: Path,
) -> None:
    """Draw shares of readings for each kind of case, and for right residues under noise.

    Parameters
    ----------
    found : dict
        Set → `confusion`.
    strengths : dict
        Set → rows of `under_noise`.
    path : Path
        .svg or .png.
    """
    with rc_context(_STYLE):
        figure = Figure(figsize=(10.0, 3.0 * len(found) + 0.4), layout="constrained")
        grid = figure.subplots(len(found), 2, squeeze=False, width_ratios=[3, 2])
        for (name, counts), (left, right) in zip(found.items(), grid, strict=True):
            kinds = list(KINDS)
            start = np.zeros(len(kinds))
            total = np.array([max(counts[kind].sum(), 1) for kind in kinds])
            for reading, colour in zip(READINGS, _COLOURS, strict=True):
                share = np.array([counts[kind][reading] for kind in kinds]) / total
                left.barh(kinds, share, left=start, color=colour, label=reading.label)
                start += share
            left.invert_yaxis()
            left.set_xlim(0.0, 1.0)
            left.set_title(f"{name}: cases read as", fontsize=9)
            rows = np.array(strengths[name])
            for i, colour in enumerate(_COLOURS):
                right.plot(rows[:, 0], rows[:, 2 + i], "o-", color=colour, markersize=4)
            right.set_xscale("log")
            right.set_title(f"{name}: right residues in noise", fontsize=9)
            right.set_xlabel("strength of the noise (signal = 1)")
            for axes in (left, right):
                axes.spines[["top", "right"]].set_visible(False)
        handles, labels = grid[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, metadata=metadata, dpi=200)


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description="How often a verdict names what was done")
    parser.add_argument("--set", nargs=4, action="append", required=True, dest="sets",
                        metavar=("NAME", "HALF1", "HALF2", "MODEL"))  # fmt: skip
    parser.add_argument("--seeds", default="100-113", help="first and last seed")
    parser.add_argument("--rule", choices=("paper", "cref"), default="paper")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder")
    given = parser.parse_args()
    first, last = (int(n) for n in given.seeds.split("-"))
    seeds = range(first, last + 1)
    found, strengths = {}, {}
    for name, half_1, half_2, model in given.sets:
        scene = (ats.read_map(half_1), ats.read_map(half_2), ats.read_model(model))
        found[name] = confusion(scene, seeds, given.rule)
        strengths[name] = list(under_noise(scene, seeds[:3], given.rule))
    given.output.mkdir(parents=True, exist_ok=True)
    labels = [reading.label for reading in READINGS]
    write_table(
        given.output / "verdict.csv",
        ["set", "case", "should be", "cases", *labels, "named rightly"],
        [
            [name, kind, want.label, int(n.sum()), *(int(n[r]) for r in READINGS),
             float(n[want] / max(n.sum(), 1))]
            for name, counts in found.items()
            for (kind, want), n in zip(KINDS.items(), counts.values(), strict=True)
        ],
    )  # fmt: skip
    write_table(
        given.output / "verdict_strength.csv",
        ["set", "strength", "residues", *labels, "q", "attainable q", "local resolution"],
        [[name, *row] for name, rows in strengths.items() for row in rows],
    )
    draw(found, strengths, given.output / "verdict.svg")


if __name__ == "__main__":
    main()
