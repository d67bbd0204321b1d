"""All figures of a page, in its order."""

from collections.abc import Callable

from atomsight.report.figures.archive import archive_cloud
from atomsight.report.figures.chains import chain_strip, q_chains
from atomsight.report.figures.common import Drawn
from atomsight.report.figures.curves import b_scale_curves, fsc_curves, inclusion_curves
from atomsight.report.figures.fsc_q import fsc_q_chains, fsc_q_resolution
from atomsight.report.figures.histograms import (
    convergence_histogram,
    density_histogram,
    fsc_q_histogram,
    q_histograms,
    solvent_histograms,
)
from atomsight.report.figures.residues import q_against_b, verdict_counts
from atomsight.report.results import Results

_MAKERS: tuple[Callable[[Results], Drawn], ...] = (
    archive_cloud,
    chain_strip,
    q_chains,
    q_histograms,
    verdict_counts,
    fsc_q_chains,
    fsc_q_histogram,
    fsc_q_resolution,
    fsc_curves,
    inclusion_curves,
    density_histogram,
    q_against_b,
    b_scale_curves,
    solvent_histograms,
    convergence_histogram,
)


def figures(results: Results) -> Drawn:
    """All figures that results allow, and what is missing for the others.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure or Absent
        In the order of a page; figures of one group follow each other.
    """
    return tuple(one for make in _MAKERS for one in make(results))
