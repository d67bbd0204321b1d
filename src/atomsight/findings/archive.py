"""Where the model stands in the archive: percentiles of its Q and of its atom inclusion."""

from dataclasses import asdict
from typing import Any

from atomsight.archive.percentiles import Percentiles, percentiles
from atomsight.archive.storage import read_archive
from atomsight.evidence.inclusion import atom_inclusion
from atomsight.findings.finding import NO_CONTOUR, Evidence, Finding
from atomsight.model import AtomClass
from atomsight.summary import average


def archive_finding(evidence: Evidence) -> Finding:
    """Percentiles of the mean Q without water, and of atom inclusion where there is a level.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    Finding
    """
    model, scores = evidence.model, evidence.scores
    archive = read_archive() if evidence.archive is None else evidence.archive
    water = model.atom_class == AtomClass.WATER
    values: dict[str, float | None] = {"q": average(scores.q, scores.counted & ~water).mean}
    if "inclusion" in archive.entries.measures:
        level = evidence.contour
        values["inclusion"] = (
            None if level is None else atom_inclusion(evidence.map, model, level).all_atoms
        )
    found = [
        percentiles(
            value,
            evidence.resolution,
            measure,
            sigma=evidence.sigma,
            definition=evidence.definition,
            archive=archive,
        )
        for measure, value in values.items()
    ]
    return Finding(
        key="percentiles",
        facts={
            "archive": archive.label,
            "archive_sha256": archive.sha256,
            "definition": found[0].text,
            "half_width": found[0].half_width,
            **{one.measure: _facts(one) for one in found},
        },
        rows=tuple(("percentile", _row(one)) for one in found if one.value is not None),
    )


def _facts(one: Percentiles) -> dict[str, Any]:
    facts = asdict(one)
    if one.measure == "inclusion" and one.value is None:
        facts["no_all"] = facts["no_resolution"] = NO_CONTOUR
    return {key: facts[key] for key in _KEPT}


_KEPT = (
    *("value", "resolution", "of_all", "n_all", "range_all", "no_all"),
    *("of_resolution", "n_window", "range_window", "no_resolution"),
)


def _row(one: Percentiles) -> str:
    name = "Q" if one.measure == "q" else one.measure
    if one.of_all is None:
        return f"none of {name}: {one.no_all}"
    text = f"{name} above {one.of_all:.1f} % of {one.n_all} entries"
    if one.of_resolution is None:
        return f"{text}; none of similar resolution: {one.no_resolution}"
    return (
        f"{text}, {one.of_resolution:.1f} % of {one.n_window} within {one.half_width:g} Å of "
        f"{one.resolution:g} Å"
    )
