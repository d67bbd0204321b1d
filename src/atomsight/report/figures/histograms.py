"""How scores are distributed over atoms and residues."""

from collections.abc import Iterator

import numpy as np

from atomsight.ensemble.convergence import POOR, WELL
from atomsight.report.figure import Absent, Axis, Figure, Role, Rule, Series, counts
from atomsight.report.figures.common import (
    CONVERGENCE_2019,
    DENSITY_2000,
    FSC_Q_2021,
    NEEDS_ALL,
    NEEDS_HALF_MAPS,
    POLYMERS,
    Q_2020,
    Drawn,
    atom_numbers,
    bars,
    bins,
    numbers,
)
from atomsight.report.results import Results
from atomsight.typing import FloatArray

_Q_WIDTH = 0.05
_FSC_Q_WIDTH, _FSC_Q_FAR = 0.1, 3.0
_DENSITY_WIDTHS = (0.25, 0.5, 1.0, 2.0, 5.0)
_RMSD_WIDTH, _RMSD_FAR = 0.1, 6.0
_MOST_BINS = 60

_CLASS_LINES = {
    "protein": (Role.MAIN, False),
    "nucleic": (Role.SECOND, False),
    "saccharide": (Role.MAIN, True),
    "ligand": (Role.THIRD, False),
    "ion": (Role.THIRD, True),
    "water": (Role.MUTED, False),
}
"""Role, dashed."""


def q_histograms(results: Results) -> Drawn:
    """Q of atoms, of atoms by class, and of residues.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure or Absent
    """
    q = atom_numbers(results, "q")
    if q is None:
        return (Absent("q_atoms", "Q of the atoms", "No atom has a Q-score."),)
    return tuple(_q_figures(results, q))


def _q_figures(results: Results, q: FloatArray) -> Iterator[Figure]:
    sigma = f"Q-score, sigma {results.facts['q_score']['sigma']:g} Å ({Q_2020})"
    kind = results.atoms["class"]
    polymer = np.isin(kind, POLYMERS)
    yield _histogram(
        "q_atoms",
        "Q of the atoms",
        Axis("Q-score"),
        {"polymer": q[polymer], "ligands, ions, water": q[~polymer]},
        bins(q, _Q_WIDTH),
        f"{sigma} of {{n}} atoms other than hydrogen, in bins of {_Q_WIDTH:g}.",
        group="q_histograms",
    )
    present = [name for name in _CLASS_LINES if np.isfinite(q[kind == name]).any()]
    if len(present) > 1:
        edges = bins(q, _Q_WIDTH)
        sizes = [f"{name} {int(np.isfinite(q[kind == name]).sum())}" for name in present]
        yield Figure(
            key="q_classes",
            title="Q of the atoms by class",
            x=Axis("Q-score", float(edges[0]), float(edges[-1])),
            y=Axis("atoms of the class (%)", 0.0),
            parts=tuple(_shares(name, q[kind == name], edges) for name in present),
            caption=f"{sigma} of atoms other than hydrogen, as a share of their class. "
            f"Atoms: {', '.join(sizes)}.",
            group="q_histograms",
        )
    mean = numbers(results, "q")
    if mean is not None:
        among = np.isin(results.residues["class"], POLYMERS)
        yield _histogram(
            "q_residues",
            "Q of the residues",
            Axis("mean Q-score of a residue"),
            {"polymer": mean[among], "ligands, ions, water": mean[~among]},
            bins(mean, _Q_WIDTH),
            f"{sigma}, mean of each of {{n}} residues, in bins of {_Q_WIDTH:g}.",
            group="q_histograms",
            what="residues",
        )


def _shares(name: str, values: FloatArray, edges: FloatArray) -> Series:
    """Per cent of the values in each bin, as steps."""
    count = counts(values, edges)
    share = 100.0 * count / count.sum()
    role, dashed = _CLASS_LINES[name]
    return Series(name, edges, np.r_[share, share[-1]], "steps", role, dashed=dashed)


def _histogram(
    key: str,
    title: str,
    x: Axis,
    groups: dict[str, FloatArray],
    edges: FloatArray,
    caption: str,
    *,
    group: str = "",
    what: str = "atoms",
    rules: tuple[Rule, ...] = (),
    beyond: str = "",
    roles: tuple[Role, ...] = (),
) -> Figure:
    """Bars of groups on top of each other, and a rule at the mean.

    With roles, one a group, each keeps its own; without, the first that is there is the main one.
    """
    role_of = dict(zip(groups, roles, strict=False))
    groups = {name: v[np.isfinite(v)] for name, v in groups.items()}
    groups = {name: v for name, v in groups.items() if len(v)}
    every = np.concatenate([*groups.values()])
    role_of = role_of or dict(zip(groups, (Role.MAIN, Role.SECOND), strict=False))
    parts = tuple(
        bars(name if roles or len(groups) > 1 else "", values, edges, role_of[name])
        for name, values in groups.items()
    )
    text = caption.format(n=len(every))
    if len(groups) > 1:
        sizes = (f"{name} {len(values)}" for name, values in groups.items())
        text += f" Of these, {'; '.join(sizes)}."
    if ((every < edges[0]) | (every > edges[-1])).any():
        text += f" {beyond or 'Values beyond the ends are counted in the last bins.'}"
    mean = float(every.mean())
    return Figure(
        key=key,
        title=title,
        x=Axis(x.title, float(edges[0]), float(edges[-1])),
        y=Axis(what, 0.0),
        parts=parts,
        rules=(*rules, Rule("x", mean, f"mean {mean:.3g}")),
        caption=f"{text} Line: the mean, {mean:.3f}.",
        group=group,
    )


def fsc_q_histogram(results: Results) -> Drawn:
    """FSC-Q of the atoms.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure or Absent
    """
    values = atom_numbers(results, "fsc_q")
    title = "FSC-Q of the atoms"
    if values is None:
        reason = f"Values of FSC-Q {NEEDS_HALF_MAPS}"
        if "fsc_q" in results.atoms:
            reason = "No atom has a value of FSC-Q."
        return (Absent("fsc_q_atoms", title, reason),)
    limit = results.facts["fsc_q"]["beyond"]
    return (
        _histogram(
            "fsc_q_atoms",
            title,
            Axis("FSC-Q (Å)"),
            {"": values},
            bins(np.r_[values, -2 * limit, 2 * limit], _FSC_Q_WIDTH, -_FSC_Q_FAR, _FSC_Q_FAR),
            "FSC-Q is the local resolution of map against model less that of the half maps "
            f"({FSC_Q_2021}); here of {{n}} atoms. Below -{limit:g} Å: better than the half maps "
            f"support; above {limit:g} Å: not resolved or misplaced.",
            rules=(Rule("x", -limit, ""), Rule("x", limit, "")),
        ),
    )


def density_histogram(results: Results) -> Drawn:
    """Density at the atoms.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure or Absent
    """
    values = atom_numbers(results, "density")
    title = "Density at the atoms"
    if values is None:
        reason = (
            "No atom has a density." if "density" in results.atoms else f"For densities {NEEDS_ALL}"
        )
        return (Absent("density_atoms", title, reason),)
    polymer = np.isin(results.atoms["class"], POLYMERS)
    finite = values[np.isfinite(values)]
    span = float(np.ptp(finite))
    width = next((w for w in _DENSITY_WIDTHS if span / w <= _MOST_BINS), span / _MOST_BINS)
    return (
        _histogram(
            "density_atoms",
            title,
            Axis("map value above the mean of the map (σ)"),
            {"polymer": values[polymer], "ligands, ions, water": values[~polymer]},
            bins(values, width),
            "Map value at each of {n} atoms other than hydrogen, less the mean of the map, over "
            f"its standard deviation σ ({DENSITY_2000}).",
        ),
    )


def solvent_histograms(results: Results) -> Drawn:
    """Distances of waters and ions to their nearest neighbours.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure
        Empty where there are no waters or ions with neighbours between 2 and 5 Å.
    """
    table = results.curves.get("solvent_distances")
    if table is None:
        return ()
    found = []
    edges = np.r_[table["from"], table["to"][-1:]]
    neighbours = {"polymer": "nearest atom of a polymer", "water": "nearest other water"}
    for kind in ("water", "ion"):
        for other, words in neighbours.items():
            name = words if kind == other else words.replace("other ", "")
            groups = {
                label: table[column]
                for label in ("supported", "unsupported")
                if (column := f"{kind}_{other}_{label}") in table and table[column].any()
            }
            if not groups:
                continue
            n = int(sum(column.sum() for column in groups.values()))
            found.append(
                Figure(
                    key=f"{kind}_{other}",
                    title=f"{kind.capitalize()}: distance to the {name}",
                    x=Axis("distance (Å)", float(edges[0]), float(edges[-1])),
                    y=Axis("atoms", 0.0),
                    parts=tuple(
                        Series(
                            f"{label} by the map",
                            (edges[:-1] + edges[1:]) / 2,
                            column.astype(float),
                            "bars",
                            Role.MAIN if label == "supported" else Role.SECOND,
                            bin_width=float(edges[1] - edges[0]),
                        )
                        for label, column in groups.items()
                    ),
                    caption=f"Distance from each {kind} to the {name}, between 2 and 5 Å, n = {n}. "
                    "In good maps waters lie about 2.8 Å from each other and from the protein "
                    f"({Q_2020}, Supplementary Fig. 11).",
                    group="solvent",
                )
            )
    return tuple(found)


def convergence_histogram(results: Results) -> Drawn:
    """RMSD of Cα or C1' among independent models, in the three colours of the paper.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure
        Empty where there is no such column.
    """
    values = numbers(results, "ca_rmsd")
    if values is None:
        return ()
    models = results.facts.get("convergence", {}).get("models")
    among = "independent models" if models is None else f"{models} independent models"
    return (
        _histogram(
            "ca_rmsd",
            "Convergence of independent models",
            Axis(f"{results.rmsd_atoms} RMSD of a residue (Å)"),
            {
                f"below {WELL:g} Å": values[values < WELL],
                f"{WELL:g} to {POOR:g} Å": values[(values >= WELL) & (values <= POOR)],
                f"above {POOR:g} Å": values[values > POOR],
            },
            bins(np.r_[values, 0.0], _RMSD_WIDTH, 0.0, _RMSD_FAR),
            "Root mean square distance of each residue's Cα (C1' of nucleic acid) over all pairs "
            f"of {among}, not superposed, of {{n}} residues. The map fixes what is below {WELL:g} "
            f"Å; above {POOR:g} Å the register may be off ({CONVERGENCE_2019}).",
            what="residues",
            roles=(Role.MAIN, Role.MUTED, Role.SECOND),
        ),
    )
