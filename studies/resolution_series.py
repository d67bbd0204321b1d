"""Q of one model in one map whose resolution is lowered step by step.

After Figs. 2, 3 and 6 of Pintilie et al. (2020), Nature Methods 17, 328-334: there maps of
apoferritin from fewer and fewer particles, here one map that is degraded. Writes
resolution_q.csv (means of classes, parts and residue types) and resolution.svg. Needs matplotlib::

    python studies/resolution_series.py --case NAME MAP MODEL RESOLUTION TO[,TO...] ... -o FOLDER
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context  # type: ignore[import-not-found,unused-ignore]
from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]

import atomsight as ats
from atomsight.summary import Part, atom_parts
from atomsight.typing import Bool_N, Float_N

SIGMAS = (0.4, 0.6)
"""Å; of the archive, and of the paper."""

SEEDS = 3
"""Draws of the noise."""

SEEN = 0.8
"""The paper's limit: waters of at least this Q are well resolved."""

PROTEIN, ION, WATER = ats.AtomClass.PROTEIN, ats.AtomClass.ION, ats.AtomClass.WATER
CLASSES = {
    "protein": PROTEIN,
    "nucleic acid": ats.AtomClass.NUCLEIC,
    "ligand": ats.AtomClass.LIGAND,
    "ion": ION,
    "water": WATER,
}
PARTS = {"backbone": Part.BACKBONE, "side chain": Part.SIDECHAIN}

_STYLE: dict[Any, Any] = {"svg.hashsalt": "atomsight", "svg.fonttype": "path", "font.size": 9.0}
_COLOURS = ("#1f4e79", "#b35900", "#3a6b35", "#7a2f6b")


@dataclass(frozen=True, slots=True)
class Point:
    """Mean Q of one group of atoms at one resolution.

    Attributes
    ----------
    case : str
    sigma : float
        Å, of the Q-score.
    resolution : float
        Å; of the map itself, or what the degraded map was to reach.
    reached : float
        Å, where half maps agree to 0.143; mean over seeds.
    group : str
        ``all`` (without water), a class, a part of the protein, or a residue type.
    n : int
        Atoms.
    q : float
        Mean over atoms and seeds.
    q_sd : float
        Standard deviation of the seeds' means; NaN for the map itself.
    share_seen : float
        Atoms with a Q of at least 0.8.
    expected, low, high : float
        What the archive lets expect at this resolution, where there is something; NaN.
    """

    case: str
    sigma: float
    resolution: float
    reached: float
    group: str
    n: int
    q: float
    q_sd: float
    share_seen: float
    expected: float
    low: float
    high: float


def groups(model: ats.Model) -> dict[str, Bool_N]:
    """Atoms of each group that has any; hydrogen is in none.

    Parameters
    ----------
    model : Model

    Returns
    -------
    dict
        Name → which atoms, shape (n,).
    """
    heavy, kind, part = model.heavy, model.atom_class, atom_parts(model)
    found = {"all": heavy & (kind != WATER)}
    found |= {name: heavy & (kind == which) for name, which in CLASSES.items()}
    protein = heavy & (kind == PROTEIN)
    found |= {name: protein & (part == which) for name, which in PARTS.items()}
    names = np.asarray(model.residues.name)[model.residue]
    found |= {str(name): protein & (names == name) for name in np.unique(names[protein])}
    return {name: chosen for name, chosen in found.items() if chosen.any()}


def scan(
    case: str, map_: ats.Map, model: ats.Model, resolution: float, targets: Sequence[float]
) -> Iterator[Point]:
    """Score a model in a map, and in the map at lower resolution.

    Parameters
    ----------
    case : str
    map_ : Map
    model : Model
    resolution : float
        Å.
    targets : sequence of float
        Å.

    Yields
    ------
    Point
    """
    yield from score(case, model, resolution, [resolution], [map_])
    for target in targets:
        made = [ats.degrade_map(map_, target, resolution=resolution, seed=i) for i in range(SEEDS)]
        yield from score(case, model, target, [d.resolution for d in made], [d.map for d in made])


def score(
    case: str,
    model: ats.Model,
    resolution: float,
    reached: Sequence[float],
    maps: Sequence[ats.Map],
) -> Iterator[Point]:
    """Mean Q of every group, over maps that differ by their noise.

    Parameters
    ----------
    case : str
    model : Model
    resolution : float
        Å.
    reached : sequence of float
        Å, one a map.
    maps : sequence of Map

    Yields
    ------
    Point
    """
    members = groups(model)
    for sigma in SIGMAS:
        q = np.array([ats.q_score(map_, model, sigma=sigma).q for map_ in maps])
        for group, chosen in members.items():
            values = q[:, chosen]
            means = np.nanmean(values, axis=1)
            expected, low, high = expectation(group, resolution, sigma)
            yield Point(
                case=case,
                sigma=sigma,
                resolution=resolution,
                reached=float(np.mean(reached)),
                group=group,
                n=int(chosen.sum()),
                q=float(means.mean()),
                q_sd=float(means.std(ddof=1)) if len(means) > 1 else float("nan"),
                share_seen=float((values >= SEEN).mean()),
                expected=expected,
                low=low,
                high=high,
            )


def expectation(group: str, resolution: float, sigma: float) -> tuple[float, float, float]:
    """What the archive lets expect: the peak and its band, or a class's line without one.

    Parameters
    ----------
    group : str
    resolution : float
        Å.
    sigma : float
        Å.

    Returns
    -------
    tuple of float
        Expected, low, high; NaN where nothing has been published.
    """
    nan = float("nan")
    if group == "all":
        model = ats.expected_q(resolution, sigma)[0]
        return (nan, nan, nan) if model is None else (model.peak, model.low, model.high)
    if group in CLASSES:
        line = ats.expected_class_q(resolution, sigma, CLASSES[group])[0]
        return (nan if line is None else line), nan, nan
    return nan, nan, nan


def single_atoms(
    map_: ats.Map,
    model: ats.Model,
    resolution: float,
    targets: Sequence[float],
    chosen: str,
    sigma: float = 0.6,
) -> list[tuple[float, Float_N]]:
    """Q of some atoms at every resolution, one seed.

    Parameters
    ----------
    map_ : Map
    model : Model
    resolution : float
        Å.
    targets : sequence of float
        Å.
    chosen : str
        In gemmi's syntax.
    sigma : float
        Å.

    Returns
    -------
    list of (float, ndarray)
        Resolution in Å, Q of the atoms.
    """
    which = ats.select(model, chosen)
    maps = {resolution: map_}
    maps |= {d: ats.degrade_map(map_, d, resolution=resolution).map for d in targets}
    return [(d, ats.q_score(low, model, sigma=sigma).q[which]) for d, low in maps.items()]


def write_table(points: Sequence[Point], path: Path) -> None:
    """Write one row a group, sigma and resolution, with at most four decimals.

    Parameters
    ----------
    points : sequence of Point
    path : Path
    """
    names = [field.name for field in fields(Point)]

    def text(value: object) -> str:
        if isinstance(value, float):
            return "" if np.isnan(value) else f"{round(value, 4):g}"
        return str(value)

    rows = [",".join(text(getattr(point, name)) for name in names) for point in points]
    path.write_text("\n".join([",".join(names), *rows]) + "\n", encoding="utf-8")


def draw(points: Sequence[Point], path: Path) -> None:
    """Draw Q against resolution: models, classes and parts, residue types.

    Parameters
    ----------
    points : sequence of Point
    path : Path
        .svg or .png.
    """
    first = points[0].case
    with rc_context(_STYLE):
        figure = Figure(figsize=(10.0, 3.6), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        for i, case in enumerate(dict.fromkeys(point.case for point in points)):
            line = _line(points, case, "all", 0.4)
            if case == first:
                _band(left, line)
            left.plot(*_xy(line), "o-", color=_COLOURS[i], markersize=4, label=case)
        left.set_title("whole model, sigma 0.4 Å", fontsize=9)
        _classes(middle, points, first)
        middle.set_title(f"{first}, sigma 0.6 Å (dotted: archive)", fontsize=9)
        types = sorted({p.group for p in points if p.case == first and p.group.isupper()})
        wanted = (points[0].resolution, 3.0, 5.0)
        for colour, d in zip(_COLOURS, wanted, strict=False):
            rows = {p.group: p.q for p in points
                    if (p.case, p.sigma, p.resolution) == (first, 0.6, d)}  # fmt: skip
            if rows:
                right.plot(
                    types, [rows[t] for t in types], "o", color=colour, markersize=4,
                    label=f"{d:g} Å",
                )  # fmt: skip
        right.tick_params(axis="x", labelrotation=90)
        right.set_title(f"{first}, residue types, sigma 0.6 Å", fontsize=9)
        for axes, lowest in ((left, 0.0), (middle, -0.2), (right, 0.0)):
            axes.set_ylim(lowest, 1.0)
            axes.spines[["top", "right"]].set_visible(False)
        for axes in (left, middle):
            axes.legend(frameon=False, fontsize=8)
        right.legend(frameon=False, fontsize=8, ncols=3, loc="lower center")
        for axes in (left, middle):
            axes.set_xlabel("resolution (Å)")
        left.set_ylabel("mean Q")
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, metadata=metadata, dpi=200)


def _classes(axes: Any, points: Sequence[Point], case: str) -> None:
    for colour, group in zip(_COLOURS, ("backbone", "side chain", "ion", "water"), strict=True):
        line = _line(points, case, group, 0.6)
        axes.plot(*_xy(line), "o-", color=colour, markersize=4, label=group)
        expected = [(p.resolution, p.expected) for p in line if np.isfinite(p.expected)]
        if expected:
            axes.plot(*zip(*expected, strict=True), ":", color=colour)


def _line(points: Sequence[Point], case: str, group: str, sigma: float) -> list[Point]:
    return [p for p in points if (p.case, p.group, p.sigma) == (case, group, sigma)]


def _xy(line: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [p.resolution for p in line], [p.q for p in line]


def _band(axes: Any, line: Sequence[Point]) -> None:
    x = [p.resolution for p in line]
    axes.fill_between(
        x, [p.low for p in line], [p.high for p in line], color="0.85", label="archive, band"
    )
    axes.plot(x, [p.expected for p in line], "--", color="0.5", label="archive, expected")


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description="Q of a model while its map gets worse")
    parser.add_argument(
        "--case", nargs=5, action="append", required=True,
        metavar=("NAME", "MAP", "MODEL", "RESOLUTION", "TO"),
    )  # fmt: skip
    parser.add_argument("--atoms", help="also print Q of these atoms of the first case")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder")
    given = parser.parse_args()
    points: list[Point] = []
    for i, (name, map_path, model_path, own, to) in enumerate(given.case):
        map_, model = ats.read_map(map_path), ats.read_model(model_path)
        targets = [float(d) for d in to.split(",")]
        points += scan(name, map_, model, float(own), targets)
        if given.atoms and i == 0:
            for d, q in single_atoms(map_, model, float(own), targets, given.atoms):
                print(f"{d:g} Å: {np.round(q, 3).tolist()}")
    given.output.mkdir(parents=True, exist_ok=True)
    write_table(points, given.output / "resolution_q.csv")
    draw(points, given.output / "resolution.svg")


if __name__ == "__main__":
    main()
