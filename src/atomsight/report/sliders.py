"""Percentile sliders, as wwPDB's validation reports draw them."""

from dataclasses import dataclass
from typing import Any

from atomsight.report.results import Results


@dataclass(frozen=True, slots=True)
class Slider:
    """One bar from worse to better with two marks.

    Attributes
    ----------
    name, definition : str
    value : float or None
        The measure itself.
    of_all, of_resolution : float or None
        Percentiles among the whole archive and at similar resolution.
    no_all, no_resolution : str
        Why there is none.
    n_all, n_resolution : int
        Entries compared with.
    name_all, name_resolution : str
        What the archive calls the percentiles.
    """

    name: str
    definition: str
    value: float | None
    of_all: float | None
    of_resolution: float | None
    no_all: str
    no_resolution: str
    n_all: int
    n_resolution: int
    name_all: str
    name_resolution: str


_NAMES = {
    "q": (
        "Q-score",
        "Mean Q over all atoms but hydrogen and water.",
        "Q_relative_all",
        "Q_relative_resolution",
    ),
    "inclusion": (
        "Atom inclusion",
        "Share of the atoms, without hydrogen and water, where the map is above the contour level.",
        "percentile among all",
        "percentile at similar resolution",
    ),
}


def sliders(results: Results) -> list[Slider]:
    """The sliders that the percentiles allow; a measure without a value says why.

    Parameters
    ----------
    results : Results

    Returns
    -------
    list of Slider
    """
    found: Any = results.facts.get("percentiles")
    if found is None:
        return []
    made = []
    for key, (name, definition, name_all, name_resolution) in _NAMES.items():
        one = found.get(key)
        if one is None:
            continue
        made.append(
            Slider(
                name=name,
                definition=f"{definition} Percentile: {found['definition']}; {found['archive']}.",
                value=one["value"],
                of_all=one["of_all"],
                of_resolution=one["of_resolution"],
                no_all=one["no_all"],
                no_resolution=one["no_resolution"],
                n_all=one["n_all"],
                n_resolution=one["n_window"],
                name_all=name_all,
                name_resolution=name_resolution,
            )
        )
    return made
