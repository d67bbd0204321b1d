"""What a person sees in the terminal after a comparison."""

import numpy as np
from rich.table import Table
from rich.text import Text

from atomsight.cli.show import console
from atomsight.cli.terminal import printable
from atomsight.comparison.result import ComparedModel, Comparison
from atomsight.findings.finding import shown


def show_comparison(result: Comparison) -> None:
    """Print the ranking and what it means.

    Parameters
    ----------
    result : Comparison
    """
    screen = console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(result):
        table.add_row(Text(name), Text(printable(value)))
    screen.print(table)
    screen.print()
    screen.print(_ranking(result))
    screen.print()
    for model in result.models:
        screen.print(Text(printable(f"{model.rank}. {model.name}: {model.sentence}.")))
    for note in result.notes:
        screen.print(Text(printable(f"note: {note}")))


def _rows(result: Comparison) -> list[tuple[str, str]]:
    if result.resolution is None:
        resolution = result.resolution_source
    else:
        resolution = f"{result.resolution:g} Å ({result.resolution_source})"
    rows = [
        ("map", str(result.map.path)),
        ("resolution", resolution),
        ("compared", result.atoms.scope),
        ("ranked by", _ranked_by(result)),
    ]
    if result.expected is not None:
        e = result.expected
        rows.append(("expected Q", f"{e.peak:.3f} ({e.low:.3f} to {e.high:.3f}): {e.definition}"))
    else:
        rows.append(("expected Q", f"none: {result.no_expectation}"))
    if np.isfinite(result.contour):
        rows.append(("contour", f"{result.contour:.4g}: {result.contour_source}"))
    else:
        rows.append(("contour", result.contour_source))
    return rows


def _ranked_by(result: Comparison) -> str:
    count, sigma = int(result.ranked.sum()), result.options.q.sigma
    return f"mean Q (sigma {sigma:g} Å) of the {count} atoms that have one in every model"


def _ranking(result: Comparison) -> Table:
    """The models, best first; what was not computed for any of them has no column."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("model", overflow="fold")
    columns = [column for column in _COLUMNS if _known(result, column[1])]
    for name in (*(name for name, *_ in columns), "below best", "apart"):
        table.add_column(name, justify="right", no_wrap=True)
    for model in result.models:
        values = [
            shown(scale * getattr(model.figures, key), decimals)
            for _, key, decimals, scale in columns
        ]
        label = Text(printable(model.name))
        table.add_row(f"{model.rank}", label, *values, *_behind(model))
    return table


_COLUMNS = (
    # heading, figure, decimals, scale
    ("Q", "q", 4, 1.0),
    ("±", "q_sampling", 4, 1.0),
    ("lowest", "q_lowest", 2, 1.0),
    ("σ", "density", 2, 1.0),
    ("% < 0", "below_zero", 1, 100.0),
    ("% inside", "inclusion", 1, 100.0),
    ("FSC-Q", "fsc_q", 2, 1.0),
)


def _known(result: Comparison, key: str) -> bool:
    return any(np.isfinite(getattr(model.figures, key)) for model in result.models)


def _behind(model: ComparedModel) -> tuple[str, str]:
    d = model.below_best
    if d is None:
        return "-", "-"
    return f"{d.value:.3f} ± {shown(d.half_width, 3)}", "yes" if d.told_apart else "no"
