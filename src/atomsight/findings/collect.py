"""Which findings the inputs allow."""

from collections.abc import Callable

from atomsight.findings.archive import archive_finding
from atomsight.findings.convergence import convergence_finding
from atomsight.findings.density import density_finding, inclusion_finding
from atomsight.findings.finding import Evidence, Finding, joined
from atomsight.findings.fsc_q import fsc_q_finding
from atomsight.findings.map_model import b_factor_finding, correlation_finding
from atomsight.findings.relations import relations_finding
from atomsight.findings.support import support_finding
from atomsight.findings.verdict import verdict_finding

_ALWAYS: tuple[Callable[[Evidence], Finding | None], ...] = (
    archive_finding,
    density_finding,
    inclusion_finding,
    correlation_finding,
    support_finding,
    verdict_finding,
)


def collect(
    evidence: Evidence, *, everything: bool = True, fit_b: bool = True
) -> tuple[Finding, ...]:
    """Everything that the evidence allows to say beside the Q-score.

    Parameters
    ----------
    evidence : Evidence
    everything : bool
        False: FSC-Q alone, where there are half maps, and convergence where it is known.
    fit_b : bool
        Fit B factors to the Q-scores, too; it takes the longest.

    Returns
    -------
    tuple of Finding
    """
    found: list[Finding | None] = []
    if evidence.halves is not None:
        found.append(fsc_q_finding(evidence, evidence.halves))
    if evidence.convergence is not None:
        found.append(convergence_finding(evidence, evidence.convergence))
    if everything:
        found += [make(evidence) for make in _ALWAYS]
        if fit_b:
            found.append(b_factor_finding(evidence))
        known = joined({"q": evidence.scores.q}, *(one.atoms for one in found if one is not None))
        found.append(relations_finding(evidence, known))
    return tuple(one for one in found if one is not None)
