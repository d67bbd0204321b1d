"""What a person sees in the terminal of independent models."""

from collections.abc import Iterator, Sequence

import numpy as np
from rich.table import Table
from rich.text import Text

from atomsight.archive.line import ConvergenceLine, placed_on
from atomsight.cli.show import console
from atomsight.cli.terminal import printable
from atomsight.ensemble.ensemble import Convergence
from atomsight.ensemble.geometry.quality import Quality
from atomsight.ensemble.pipeline import Ensemble
from atomsight.findings.finding import shown

_WORST = 5


def show_convergence(result: Convergence, line: ConvergenceLine | None = None) -> None:
    """Print the numbers, the models and the residues that the map fixes worst.

    Parameters
    ----------
    result : Convergence
    line : ConvergenceLine, optional
        Of other entries, to compare with.
    """
    screen = console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows = _rows(result)
    if line is not None:
        rows.append(("expected mean", placed_on(line, result.resolution, result.protocol)))
    for name, value in rows:
        table.add_row(Text(name), Text(printable(value)))
    screen.print(table)
    screen.print()
    screen.print(_models(result))
    screen.print()
    screen.print(_worst(result))
    for note in result.notes:
        screen.print(Text(printable(f"note: {note}")))


def show_making(result: Ensemble, platform: str = "") -> None:
    """Print how the models came about, and how good they are.

    Parameters
    ----------
    result : Ensemble
    platform : str
        What was computed on, and why; "": what was asked for.
    """
    screen = console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows = [("platform", platform)] if platform else []
    for name, value in [*rows, *_making_rows(result)]:
        table.add_row(Text(name), Text(printable(value)))
    screen.print(table)


def _making_rows(result: Ensemble) -> list[tuple[str, str]]:
    made, health = result.made, result.health
    first, last = made.models[0], made.models[-1]
    seconds = np.mean([one.seconds for one in made.models])
    rows = [
        (
            "made",
            f"{len(made.models)} models of {len(made.prepared.number)} residues, engine "
            f"{first.engine}, protocol {result.protocol}, seeds {first.seed} to {last.seed}, "
            f"{seconds:.0f} CPU s each",
        )
    ]
    if health.n:
        moved = "movement without map unknown"
        if np.isfinite(health.perturbation):
            moved = f"moved {health.perturbation:.2f} Å without map"
        rows.append(
            (
                "sampler",
                f"{moved}; {health.worse:.0%} of {health.n} models fit the map worse than the one "
                f"they started from, {health.kept_worse:.0%} of the kept ones; CC-mean "
                f"{health.gain:+.3f}, {health.kept_gain:+.3f}",
            )
        )
    if result.touching:
        rows.append(
            ("copies", f"{np.mean(result.touching):.1f} clashes of each kept model with them")
        )
    rows.append(("kept", f"{len(result.final)}: {', '.join(_geometry(result.final))}"))
    return rows


def _geometry(models: Sequence[Quality]) -> Iterator[str]:
    favoured = np.array([one.backbone.favoured_percent for one in models])
    if np.isfinite(favoured).any():
        yield (
            f"Ramachandran favoured {np.nanmean(favoured):.1f} % (lowest {np.nanmin(favoured):.1f})"
        )
    off = np.mean([one.covalent.n_outliers for one in models])
    yield f"bonds and angles off by 4 sigma {off:.1f}"
    yield f"clashscore {np.mean([one.clashes.clashscore for one in models]):.1f}"
    yield f"wrong hands {sum(one.covalent.n_bad_chirals for one in models)}"


def _rows(result: Convergence) -> list[tuple[str, str]]:
    one = result.overall
    pairs = result.mutual[np.triu_indices(len(result.models), 1)]
    resolution = "none given" if result.resolution is None else f"{result.resolution:g} Å"
    return [
        ("models", f"{len(result.models)} of {len(result)} residues, not superposed"),
        ("resolution", resolution),
        (
            f"{result.atoms} RMSD, pairwise",
            f"mean {one.mean:.3f} Å, median {one.median:.3f}, largest {one.largest:.2f}, skewness "
            f"{shown(one.skewness, 2)} over {one.n} residues",
        ),
        (f"{result.atoms} RMSD to the mean", f"mean {np.nanmean(result.ca_rmsd_to_mean):.3f} Å"),
        (
            "residues",
            f"{one.below_1:.1%} below 1 Å, {one.from_1_to_3:.1%} from 1 to 3 Å, {one.above_3:.1%} "
            f"above 3 Å ({one.n_above_3}); {one.n_above_4} above 4 Å",
        ),
        (
            "between two models",
            f"{np.nanmin(pairs):.2f} to {np.nanmax(pairs):.2f} Å over the residues that both have",
        ),
    ]


def _models(result: Convergence) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("model", overflow="fold")
    table.add_column("matched by")
    for name in ("residues", "missing", "RMSD to the others"):
        table.add_column(name, justify="right", no_wrap=True)
    for number, one in enumerate(result.members, 1):
        table.add_row(
            f"{number}",
            Text(printable(one.name)),
            one.matched_by,
            f"{one.residues}",
            f"{one.missing}",
            shown(one.rmsd_to_others, 3),
        )
    return table


def _worst(result: Convergence) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("least fixed residues")
    for name in ("models", f"{result.atoms} RMSD"):
        table.add_column(name, justify="right")
    for i in np.argsort(-result.ca_rmsd, kind="stable")[:_WORST].tolist():
        if np.isfinite(result.ca_rmsd[i]):
            label = f"{result.chain[i]}/{result.name[i]} {result.number[i]}{result.icode[i]}"
            table.add_row(Text(printable(label)), f"{result.n[i]}", f"{result.ca_rmsd[i]:.2f}")
    return table
