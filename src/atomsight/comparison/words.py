"""What the numbers say of each model, in one sentence, and no more than they do."""

import numpy as np

from atomsight.archive.expected import ExpectedQ
from atomsight.comparison.difference import Difference
from atomsight.comparison.figures import ModelFigures

_OTHERS = (
    # name, figure, decimals, scale, unit, whether more is better
    ("mean density", "density", 2, 1.0, " σ", True),
    ("share of atoms inside the contour level", "inclusion", 1, 100.0, " %", True),
    ("FSC-Q", "fsc_q", 3, 1.0, " Å", False),
)


def sentence(
    own: ModelFigures,
    best: ModelFigures,
    best_name: str,
    difference: Difference | None,
    tied: list[str],
    expected: ExpectedQ | None,
) -> str:
    """Say where a model stands.

    Parameters
    ----------
    own, best : ModelFigures
        Of this model and of the best.
    best_name : str
    difference : Difference or None
        Mean Q of the best minus that of this model; None for the best itself.
    tied : list of str
        Models that Q cannot tell from the best.
    expected : ExpectedQ or None

    Returns
    -------
    str
    """
    if difference is None:
        parts = [_first(own, tied)]
    else:
        parts = [_behind(best_name, difference), *_against(own, best, difference)]
    if expected is not None and own.q < expected.low:
        parts.append(f"Q lies below the band of entries at this resolution ({expected.low:.3f})")
    return "; ".join(parts)


def _first(own: ModelFigures, tied: list[str]) -> str:
    text = f"highest Q, {own.q:.3f} over {own.atoms} atoms"
    return f"{text}, but not told apart from {', '.join(tied)}" if tied else text


def _behind(best_name: str, d: Difference) -> str:
    if not np.isfinite(d.half_width):
        return (
            f"Q lower than that of {best_name} by {d.value:.3f}, but {d.atoms} atoms in {d.blocks} "
            "places are too few to tell them apart"
        )
    shown = f"{d.value:.3f} ± {d.half_width:.3f}"
    if d.told_apart:
        return f"Q lower than that of {best_name} by {shown}"
    return f"cannot be told apart from {best_name} by Q (lower by {shown})"


def _against(own: ModelFigures, best: ModelFigures, difference: Difference) -> list[str]:
    """Which other measures put the two models the other way round, as far as they are shown."""
    parts = []
    for name, key, decimals, scale, unit, more in _OTHERS:
        mine, theirs = (round(scale * getattr(f, key), decimals) for f in (own, best))
        if mine > theirs if more else mine < theirs:
            word = "higher" if more else "lower (closer agreement)"
            parts.append(
                f"{name} is {word}: {mine:.{decimals}f} against {theirs:.{decimals}f}{unit}"
            )
    if difference.told_apart:
        for number, key in enumerate(("q_half_1", "q_half_2"), 1):
            mine, theirs = getattr(own, key), getattr(best, key)
            if mine >= theirs:
                parts.append(
                    f"but not in half map {number} alone ({mine:.3f} against {theirs:.3f})"
                )
    return parts
