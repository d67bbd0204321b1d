"""FSC-Q and Q of one model in a map that is sharpened more and more.

After Fig. 3b of Ramírez-Aportela et al. (2021), Nature Communications 12, 42. The amplitudes of the
full map are multiplied by exp(-B s²/4) for B from 0 to -150 Å²; half maps and model stay as they
are. The full map is taken as it is and, because maps are filtered before they are published,
filtered in two ways. Writes sharpening.csv and sharpening.svg. Needs matplotlib::

    python studies/sharpening.py HALF1 HALF2 MODEL [--full MAP] [--resolution Å | --box N] -o FOLDER
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context  # type: ignore[import-not-found,unused-ignore]
from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]
from scipy import fft

import atomsight as ats
from atomsight.density.fourier import FscCurve, corrected_fsc, fsc, sharpened, transform
from atomsight.density.map import array_statistics
from atomsight.density.masks import MODEL_THRESHOLD, mask_above
from atomsight.evidence.fsc_q import ThresholdRule
from atomsight.evidence.local_resolution import window_size

B_FACTORS = tuple(float(b) for b in range(0, -151, -25))
"""Å²; the range of the paper's figure."""

SIGMA = 0.4
"""Å; of the Q-score."""

CUT = 0.143
"""Half-map correlation below which a filter leaves nothing."""

FILTERS = {
    "none": "no filter",
    "masked": "filter by the masked FSC",
    "unmasked": "filter by the FSC without mask",
}

_STYLE: dict[Any, Any] = {"svg.hashsalt": "atomsight", "svg.fonttype": "path", "font.size": 9.0}
_LINES = {"none": ("#1f4e79", "o-"), "masked": ("#b35900", "s-"), "unmasked": ("#3a6b35", "^-")}


@dataclass(frozen=True, slots=True)
class Point:
    """Figures of one map.

    Attributes
    ----------
    filter : str
        Key of `FILTERS`.
    b_factor : float
        Å².
    atoms : int
        Atoms with an FSC-Q by the paper's thresholds.
    fsc_q_mean, fsc_q_mean_absolute, fsc_q_median : float
        Å, by the paper's thresholds.
    atoms_below, atoms_above : int
        Atoms beyond -0.5 and 0.5 Å.
    fsc_q_cref_mean, fsc_q_cref_median : float
        Å, read off at C_ref.
    q_mean : float
        Mean Q-score, sigma 0.4 Å.
    """

    filter: str
    b_factor: float
    atoms: int
    fsc_q_mean: float
    fsc_q_mean_absolute: float
    fsc_q_median: float
    atoms_below: int
    atoms_above: int
    fsc_q_cref_mean: float
    fsc_q_cref_median: float
    q_mean: float


@dataclass(frozen=True, slots=True)
class Scene:
    """What stays the same while the full map changes.

    Attributes
    ----------
    halves : tuple of Map
    model : Model
    model_map : Map
    box : int
        Edge of the window in voxels.
    """

    halves: tuple[ats.Map, ats.Map]
    model: ats.Model
    model_map: ats.Map
    box: int

    def fsc_q(self, map_: ats.Map, rule: ThresholdRule) -> np.ndarray:
        """FSC-Q of the atoms that have one, Å."""
        scores = ats.fsc_q(map_, *self.halves, self.model_map, self.model, box=self.box, rule=rule)
        return scores.fsc_q[scores.counted]


def scan(scene: Scene, full: ats.Map) -> Iterator[Point]:
    """Score a model in a map with each filter and at each B factor.

    Parameters
    ----------
    scene : Scene
    full : Map

    Yields
    ------
    Point
    """
    mask = mask_above(scene.model_map, MODEL_THRESHOLD).values
    maps = {
        "none": full,
        "masked": filtered(full, corrected_fsc(*scene.halves, mask)),
        "unmasked": filtered(full, fsc(*scene.halves)),
    }
    for name, map_ in maps.items():
        for b_factor in B_FACTORS:
            yield score(scene, name, b_factor, sharpened(map_, b_factor))


def score(scene: Scene, name: str, b_factor: float, map_: ats.Map) -> Point:
    """Figures of one map.

    Parameters
    ----------
    scene : Scene
    name : str
        Of the filter.
    b_factor : float
        Å².
    map_ : Map
        Filtered and sharpened.

    Returns
    -------
    Point
    """
    paper, cref = scene.fsc_q(map_, "paper"), scene.fsc_q(map_, "cref")
    q = ats.q_score(map_, scene.model, sigma=SIGMA)
    return Point(
        filter=name,
        b_factor=b_factor,
        atoms=len(paper),
        fsc_q_mean=float(paper.mean()),
        fsc_q_mean_absolute=float(np.abs(paper).mean()),
        fsc_q_median=float(np.median(paper)),
        atoms_below=int((paper < -0.5).sum()),
        atoms_above=int((paper > 0.5).sum()),
        fsc_q_cref_mean=float(cref.mean()),
        fsc_q_cref_median=float(np.median(cref)),
        q_mean=float(q.q[q.counted].mean()),
    )


def filtered(map_: ats.Map, half_fsc: FscCurve) -> ats.Map:
    """Weigh a map by C_ref = sqrt(2h / (1 + h)) and cut where h falls below 0.143.

    Parameters
    ----------
    map_ : Map
        On a grid with axes at right angles.
    half_fsc : FscCurve
        h, the correlation of the half maps.

    Returns
    -------
    Map
    """
    h = np.clip(np.nan_to_num(half_fsc.fsc), 0.0, 1.0)
    weight = np.sqrt(2.0 * h / (1.0 + h))
    below = np.flatnonzero(h < CUT)
    if len(below):
        weight[int(below[0]) :] = 0.0
    nz, ny, nx = map_.values.shape
    sx, sy, sz = map_.voxel_size
    frequency = np.sqrt(
        fft.fftfreq(nz, sz)[:, None, None] ** 2
        + fft.fftfreq(ny, sy)[None, :, None] ** 2
        + fft.rfftfreq(nx, sx)[None, None, :] ** 2
    )
    spectrum = transform(map_.values) * np.interp(frequency, half_fsc.frequency, weight)
    values = fft.irfftn(spectrum, map_.values.shape).astype(np.float32)
    return replace(map_, values=values, statistics=array_statistics(values))


def write_table(points: Sequence[Point], path: Path) -> None:
    """Write one row a map, with at most four decimals.

    Parameters
    ----------
    points : sequence of Point
    path : Path
    """
    names = [field.name for field in fields(Point)]
    rows = [[getattr(point, name) for name in names] for point in points]
    lines = [
        ",".join(f"{round(v, 4):g}" if isinstance(v, float) else str(v) for v in row)
        for row in rows
    ]
    path.write_text("\n".join([",".join(names), *lines]) + "\n", encoding="utf-8")


def draw(points: Sequence[Point], path: Path) -> None:
    """Draw FSC-Q and Q against B.

    Parameters
    ----------
    points : sequence of Point
    path : Path
        .svg or .png.
    """
    panels = {
        "fsc_q_mean": "mean FSC-Q (Å)",
        "fsc_q_mean_absolute": "mean absolute FSC-Q (Å)",
        "q_mean": f"mean Q (sigma {SIGMA} Å)",
    }
    with rc_context(_STYLE):
        figure = Figure(figsize=(9.0, 3.2), layout="constrained")
        for axes, (name, title) in zip(figure.subplots(1, 3), panels.items(), strict=True):
            for filter_, (colour, style) in _LINES.items():
                chosen = [point for point in points if point.filter == filter_]
                axes.plot(
                    [point.b_factor for point in chosen],
                    [getattr(point, name) for point in chosen],
                    style,
                    color=colour,
                    markersize=4,
                    label=FILTERS[filter_],
                )
            axes.set_title(title, fontsize=9)
            axes.set_xlabel("B of the sharpening (Å²)")
            axes.invert_xaxis()
            axes.spines[["top", "right"]].set_visible(False)
        first = figure.axes[0]
        first.axhline(0.0, color="0.6", linewidth=0.8)
        handles, labels = first.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, metadata=metadata, dpi=200)


def mean_map(halves: tuple[ats.Map, ats.Map]) -> ats.Map:
    """The mean of two half maps, which stands for a full map where there is none.

    Parameters
    ----------
    halves : tuple of Map

    Returns
    -------
    Map
    """
    first, second = halves
    values = (first.values + second.values) / 2
    return replace(first, values=values, statistics=array_statistics(values), path=None)


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(
        description="FSC-Q and Q of a model while its map is sharpened"
    )
    parser.add_argument("half_1", type=Path)
    parser.add_argument("half_2", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--full", type=Path, help="full map; else the mean of the half maps")
    parser.add_argument("--resolution", type=float, help="Å; else from the model's metadata")
    parser.add_argument("--box", type=int, help="edge of the window in voxels")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder")
    given = parser.parse_args()
    halves = ats.read_map(given.half_1), ats.read_map(given.half_2)
    full = mean_map(halves) if given.full is None else ats.read_map(given.full)
    model = ats.read_model(given.model)
    box: int | None = given.box
    resolution: float | None = given.resolution or model.resolution
    if box is None:
        if resolution is None:
            parser.error("the model's metadata hold no resolution: give --resolution or --box")
        box = window_size(resolution, min(full.voxel_size))
    points = list(scan(Scene(halves, model, ats.simulate_map(model, full), box), full))
    given.output.mkdir(parents=True, exist_ok=True)
    write_table(points, given.output / "sharpening.csv")
    draw(points, given.output / "sharpening.svg")


if __name__ == "__main__":
    main()
