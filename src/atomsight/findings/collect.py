"""Which findings the inputs allow."""

from atomsight.findings.finding import Evidence, Finding
from atomsight.findings.fsc_q import fsc_q_finding


def collect(evidence: Evidence) -> tuple[Finding, ...]:
    """Everything that the evidence allows to say beside the Q-score.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    tuple of Finding
    """
    findings = []
    if evidence.halves is not None:
        findings.append(fsc_q_finding(evidence, evidence.halves))
    return tuple(findings)
