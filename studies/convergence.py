"""Convergence of independent models of one map whose resolution is lowered step by step.

After Figs. 5 and 6 of Herzik, Fraser & Lander (2019), Structure 27, 344-358, with the engine that
is built in. Writes convergence_series.csv (a row a map), convergence_residues.csv (a row a residue
and map) and convergence.svg. A run that was cut off goes on in the folder of the models. Needs
matplotlib and the extra ``ensemble``::

    python studies/convergence.py --case NAME MAP MODEL CHAIN RESOLUTION TO[,TO...] ... -o FOLDER
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib import rc_context  # type: ignore[import-not-found,unused-ignore]
from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]
from scipy import stats

import atomsight as ats

MODELS = 10
FIRST_SEED = 1000
"""The protocol was chosen with seeds from 0."""


@dataclass(frozen=True, slots=True)
class Case:
    """A map, a chain of its model, and the resolutions that it is brought to.

    Attributes
    ----------
    name : str
    map_, model : Path
    chain : str
    resolution : float
        Å; of the map as it is, which comes first.
    targets : tuple of float
        Å.
    """

    name: str
    map_: Path
    model: Path
    chain: str
    resolution: float
    targets: tuple[float, ...]


def main() -> None:
    """Make the models, and write what they say."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--case", nargs=6, action="append", required=True)
    parser.add_argument("--models", type=Path, default=Path(".cache/convergence"))
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    rows: list[dict[str, object]] = []
    residues: list[pl.DataFrame] = []
    for name, map_, model, chain, resolution, targets in given.case:
        case = Case(
            name, Path(map_), Path(model), chain, float(resolution),
            tuple(float(d) for d in targets.split(",")),
        )  # fmt: skip
        for d in (case.resolution, *case.targets):
            row, table = measure(case, d, given.models)
            print(row)
            rows.append(row)
            residues.append(table)
    series = pl.DataFrame(rows)
    series.write_csv(given.output / "convergence_series.csv", float_precision=4)
    pl.concat(residues).write_csv(given.output / "convergence_residues.csv", float_precision=3)
    draw(series, given.output / "convergence.svg")


def measure(case: Case, d: float, folder: Path) -> tuple[dict[str, object], pl.DataFrame]:
    """Make and judge the models of one map.

    Parameters
    ----------
    case : Case
    d : float
        Å.
    folder : Path
        Of the models.

    Returns
    -------
    row : dict
    residues : polars.DataFrame
    """
    place = folder / f"{case.name}_{d:g}"
    place.mkdir(parents=True, exist_ok=True)
    map_ = case.map_
    if d != case.resolution:
        map_ = place / "map.mrc"
        whole = ats.read_map(case.map_)
        lowered = ats.degrade_map(whole, d, resolution=case.resolution)
        ats.write_map(lowered.map.values, lowered.map, map_)
    options = ats.GenerationOptions(resolution=d, models=MODELS, seed=FIRST_SEED)
    found = ats.converge(case.model, map_, options, place, keep=MODELS, selection=f"//{case.chain}")
    ats.write_ensemble(found, place)
    made, result = found.made.models, found.convergence
    q = residue_q(ats.read_map(map_), case, result)
    known = np.isfinite(q) & np.isfinite(result.ca_rmsd)
    gain = np.array([one.cc_end - one.cc_start for one in made])
    row: dict[str, object] = {
        "case": case.name,
        "resolution": d,
        "models": len(made),
        "residues": len(result),
        "ca_rmsd": result.overall.mean,
        "ca_rmsd_median": result.overall.median,
        "ca_rmsd_largest": result.overall.largest,
        "cc_start": float(np.mean([one.cc_start for one in made])),
        "cc_end": float(np.mean([one.cc_end for one in made])),
        "cc_not_below_start": int((gain >= 0).sum()),
        "favoured_percent": float(np.mean([q.backbone.favoured_percent for q in found.final])),
        "favoured_percent_lowest": min(q.backbone.favoured_percent for q in found.final),
        "outliers_percent": float(np.mean([q.backbone.outliers_percent for q in found.final])),
        "bad_chirals": sum(q.covalent.n_bad_chirals for q in found.final),
        "clashscore": float(np.mean([q.clashes.clashscore for q in found.final])),
        "clashscore_largest": max(q.clashes.clashscore for q in found.final),
        "refinements_accepted": sum(one.accepted for one in found.refinements),
        "perturbation": found.health.perturbation,
        "cpu_seconds": float(np.mean([one.seconds for one in made])),
        "spearman_with_q": float(stats.spearmanr(q[known], result.ca_rmsd[known]).statistic),
        "protocol": found.protocol,
    }
    table = pl.DataFrame(
        {
            "case": [case.name] * len(result),
            "resolution": [d] * len(result),
            "chain": result.chain.tolist(),
            "number": result.number,
            "residue": result.name.tolist(),
            "ca_rmsd": result.ca_rmsd,
            "q": q,
        }
    )
    return row, table


def residue_q(map_: ats.Map, case: Case, result: ats.Convergence) -> np.ndarray:
    """Q of the residues of the model as it was given, in the order of the ensemble."""
    model = ats.read_model(case.model)
    scores = ats.q_score(map_, model)
    total = np.bincount(model.residue[scores.counted], scores.q[scores.counted])
    count = np.bincount(model.residue[scores.counted])
    with np.errstate(invalid="ignore"):
        mean = total / count
    table = model.residues
    columns = (table.chain, table.number, table.icode)
    place = {key: i for i, key in enumerate(zip(*(c.tolist() for c in columns), strict=True))}
    wanted = zip(result.chain.tolist(), result.number.tolist(), result.icode.tolist(), strict=True)
    return np.array([mean[place[key]] for key in wanted])


def draw(series: pl.DataFrame, path: Path) -> None:
    """RMSD against resolution with a·exp(b·d), and the share of allowed backbones."""
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "atomsight", "font.size": 8}):
        figure = Figure(figsize=(6.9, 2.8), layout="constrained")
        left, right = figure.subplots(1, 2)
        for (name,), part in series.group_by("case", maintain_order=True):
            d, rmsd = part["resolution"].to_numpy(), part["ca_rmsd"].to_numpy()
            points = left.plot(d, rmsd, "o", label=str(name))[0]
            if len(d) > 2:
                fit = ats.fit_convergence(d, rmsd, part["protocol"].to_list())
                x = np.linspace(d.min(), d.max(), 100)
                left.plot(
                    x, fit.at(x), color=points.get_color(), lw=1,
                    label=f"{fit.a:.3f} exp({fit.b:.2f} d)",
                )  # fmt: skip
            right.plot(d, part["favoured_percent"], "o-", lw=1, label=str(name))
        left.set(xlabel="resolution (Å)", ylabel="mean pairwise Cα RMSD (Å)", ylim=(0, None))
        right.set(xlabel="resolution (Å)", ylabel="Ramachandran favoured (%)", ylim=(90, 100))
        left.legend(frameon=False, fontsize=7)
        figure.savefig(path, metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
