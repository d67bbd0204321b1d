"""How alike map and model are: correlation, and the B factors that the Q-scores suggest."""

from typing import Any

import numpy as np

from atomsight.archive.expected import NO_RESOLUTION
from atomsight.errors import InputError
from atomsight.evidence.b_factor import BFactorFit, BSource, fit_b_factors
from atomsight.evidence.correlation import Correlation, MapCorrelation, correlations
from atomsight.findings.finding import Evidence, Finding, shown


def correlation_finding(evidence: Evidence) -> Finding:
    """CC and CC-mean with the map of the model, without and with its own B factors.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    Finding
        Only the reason where there is no resolution, or nothing to compare.
    """
    model, d = evidence.model, evidence.resolution
    if d is None:
        return _none("correlation", NO_RESOLUTION)
    b = np.where(np.isfinite(model.b_iso), np.maximum(model.b_iso, 0.0), 0.0)
    try:
        found = correlations(evidence.map, model, [0.0, b] if b.any() else [0.0], resolution=d)
    except InputError as exc:
        return _none("correlation", str(exc))
    plain, own = found[0], found[1] if len(found) > 1 else None
    return Finding(
        key="correlation",
        facts={
            "definition": plain.definition,
            "equations": "CC and CC-mean, equations 8 and 9 of Pintilie et al. 2025",
            "reason_if_none": "",
            "b_zero": _facts(plain),
            "own_b": None if own is None else _facts(own),
        },
        residues={"cc": plain.cc, "cc_mean": plain.cc_mean},
        rows=(("correlation", _row(plain, own)),),
    )


def _facts(found: MapCorrelation) -> dict[str, Any]:
    return {
        **_numbers(found.model),
        "points_outside_map": found.n_outside,
        "chains": {name: _numbers(one) for name, one in found.chains.items()},
    }


def _numbers(found: Correlation) -> dict[str, Any]:
    return {"cc": found.cc, "cc_mean": found.cc_mean, "overlap": found.overlap, "n": found.n}


def _row(plain: MapCorrelation, own: MapCorrelation | None) -> str:
    text = f"CC {shown(plain.model.cc, 3)}, CC-mean {shown(plain.model.cc_mean, 3)}"
    if own is None:
        return text
    return f"{text}; with the model's B {shown(own.model.cc, 3)}, {shown(own.model.cc_mean, 3)}"


def b_factor_finding(evidence: Evidence) -> Finding:
    """B factors from Q-scores, B = f (1 - Q), with f where CC-mean is highest.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    Finding
        Only the reason where there is no resolution, or nothing to fit.
    """
    if evidence.resolution is None:
        return _none("b_factors", NO_RESOLUTION)
    try:
        fit = fit_b_factors(
            evidence.map, evidence.model, evidence.scores.q, resolution=evidence.resolution
        )
    except InputError as exc:
        return _none("b_factors", str(exc))
    above = int(np.count_nonzero(fit.b.above_f & ~evidence.model.hydrogen))
    return Finding(
        key="b_factors",
        facts={
            "definition": fit.definition,
            "reason_if_none": "",
            "f": fit.b.f,
            "at_edge": fit.at_edge,
            "best": _numbers(fit.best),
            "b_zero": _numbers(fit.zero),
            "atoms_above_f": above,
            "sources": {
                source.label: int(np.count_nonzero(fit.b.source == source)) for source in BSource
            },
        },
        atoms={"b_from_q": fit.b.b_iso},
        tables={"b_factor_fit": {"f": fit.f, "cc": fit.cc, "cc_mean": fit.cc_mean}},
        rows=(("B from Q", _b_row(fit)),),
        notes=_b_notes(fit, above),
    )


def _b_row(fit: BFactorFit) -> str:
    return (
        f"B = {fit.b.f:.0f} (1 - Q) Å²: CC-mean {shown(fit.best.cc_mean, 3)} "
        f"(B = 0: {shown(fit.zero.cc_mean, 3)}; electron scattering)"
    )


def _b_notes(fit: BFactorFit, above: int) -> tuple[str, ...]:
    notes = []
    if fit.at_edge:
        notes.append(f"B from Q: the best f is the largest that was tried, {fit.b.f:g} Å²")
    if above and fit.b.f > 0:
        notes.append(f"B from Q: {above} atoms have Q below 0, and so a B above f")
    return tuple(notes)


def _none(key: str, reason: str) -> Finding:
    return Finding(
        key=key,
        facts={"definition": None, "reason_if_none": reason},
        rows=((key.replace("_", " "), f"none: {reason}"),),
    )
