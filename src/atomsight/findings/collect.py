"""Which findings the inputs allow."""

from atomsight.findings.archive import archive_finding
from atomsight.findings.density import density_finding, inclusion_finding
from atomsight.findings.finding import Evidence, Finding
from atomsight.findings.fsc_q import fsc_q_finding
from atomsight.findings.support import support_finding


def collect(evidence: Evidence, *, everything: bool = True) -> tuple[Finding, ...]:
    """Everything that the evidence allows to say beside the Q-score.

    Parameters
    ----------
    evidence : Evidence
    everything : bool
        False: FSC-Q alone, where there are half maps.

    Returns
    -------
    tuple of Finding
    """
    findings = []
    if evidence.halves is not None:
        findings.append(fsc_q_finding(evidence, evidence.halves))
    if everything:
        findings += [archive_finding(evidence)]
        findings += [density_finding(evidence), inclusion_finding(evidence)]
        support = support_finding(evidence)
        findings += [] if support is None else [support]
    return tuple(findings)
