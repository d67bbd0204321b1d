"""Scores under the names that EMDB's validation analysis gives them, as JSON.

Names and nesting are those of the PyPI packages va 0.0.1.dev134 (EMDB's validation analysis) and
emdb 0.1.12 (the client that reads EMDB's own files).
"""

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from atomsight.evidence.groups import group_means
from atomsight.export.columns import grouped
from atomsight.findings.finding import facts_of
from atomsight.io.files import write_text
from atomsight.model import AtomClass
from atomsight.outcome import Outcome
from atomsight.typing import Float_N

_Q_LEVELS = np.linspace(-1.0, 1.0, 100)
"""Borders of the bins of Q."""


def write_emdb_json(result: Outcome, path: Path) -> Path:
    """Write Q-scores and atom inclusion in the form of EMDB's validation analysis.

    ::

        {map: {"qscore": {"0": {"data": ...}}, "atom_inclusion_by_level": {"0": ...}, ...}}

    Hydrogen and water are left out. What is not known has no key: without a contour level there is
    no inclusion but the curve, without a resolution no percentile of similar entries.

    Parameters
    ----------
    result : Outcome
    path : Path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    parts: dict[str, Any] = {"qscore": _q_scores(result), **_inclusion(result)}
    if result.resolution is not None:
        parts["resolution"] = {"value": result.resolution}
    parts["version"] = f"atomsight {version('atomsight')}"
    name = "map" if result.map.path is None else result.map.path.name
    content = {key: part for key, part in parts.items() if part}
    return write_text(path, _text({name: content}) + "\n")


def _q_scores(result: Outcome) -> dict[str, Any]:
    model, scores = result.model, result.scores
    kept = model.residues.atom_class != AtomClass.WATER
    counted = scores.counted & kept[model.residue] & np.isfinite(scores.q)
    values = scores.q[counted]
    if not len(values):
        return {}
    residue_q = np.where(kept, result.residues["q"], np.nan)
    rows = np.flatnonzero(np.isfinite(residue_q))
    chains, chain = grouped(model.residues.chain)
    chain_q = group_means(scores.q, chain[model.residue], len(chains), counted)
    mean = round(float(values.mean()), 3)
    data = {
        "averageqscore": mean,
        "averageqscore_color": _colour(mean),
        "numberofatoms": len(values),
        "color": _colours(residue_q[rows]),
        "qscore": _rounded(residue_q[rows], 3),
        "residue": _labels(result, rows),
        "chainqscore": {
            name: {"value": round(q, 3), "color": _colour(q)}
            for (name,), q in zip(chains, chain_q.tolist(), strict=True)
            if np.isfinite(q)
        },
        "qFractionDistribution": {
            "qLevels": _rounded(_Q_LEVELS[1:], 3),
            "qResidueFractions": _fractions(residue_q[rows]),
            "qAtomFractions": _fractions(values),
        },
        **_bar(result, "q", "qscore_bar"),
    }
    return {
        "0": {"name": model.path.name, "data": data},
        "allmodels_average_qscore": mean,
    }


def _inclusion(result: Outcome) -> dict[str, Any]:
    """The parts that deal with atom inclusion and with the contour level that it is taken at."""
    tables = (f.tables["atom_inclusion"] for f in result.findings if "atom_inclusion" in f.tables)
    curve = next(tables, None)
    if curve is None:
        return {}
    at = facts_of(result.findings, "inclusion")["at_contour"]
    by_level = {"name": result.model.path.name, **_curve(curve, at)}
    if at is None and "all_atom" not in by_level:
        return {}
    if at is None:
        return {"atom_inclusion_by_level": {"0": by_level}}
    level, sd = at["level"], result.map.statistics.sd
    parts = {"recommended_contour_level": {"recl": level}}
    if sd > 0:
        parts["recommended_contour_level"]["sigma"] = round(level / sd, 4)
    if not at["n"]:
        return parts
    mean = round(at["all_atoms"], 3)
    by_level |= {
        "atomoutside": at["n_outside_map"],
        "chainaiscore": {
            name: {"value": round(one.mean, 4), "color": _colour(one.mean), "numberOfAtoms": one.n}
            for name, one in at["chains"].items()
            if one.n
        },
        "totalNumberOfAtoms": at["n"],
        "average_ai_model": mean,
        "average_ai_color": _colour(mean),
        **_bar(result, "inclusion", "ai_bar"),
    }
    inclusion = result.residues["inclusion"]
    rows = np.flatnonzero(np.isfinite(inclusion))
    residues = {
        "color": _colours(inclusion[rows]),
        "inclusion": _rounded(inclusion[rows], 4),
        "residue": _labels(result, rows),
    }
    return parts | {
        "atom_inclusion_by_level": {"0": by_level, "average_ai_allmodels": mean},
        "residue_inclusion": {"0": {"name": by_level["name"], str(level): residues}},
    }


def _curve(curve: Mapping[str, Float_N], at: Mapping[str, Any] | None) -> dict[str, Any]:
    level, all_atoms, backbone = (curve[key].copy() for key in ("level", "all_atoms", "backbone"))
    if at is not None:
        # in place of the level just below it, so that it is found among the levels
        place = max(int(np.searchsorted(level, at["level"], side="right")) - 1, 0)
        level[place], all_atoms[place] = at["level"], at["all_atoms"]
        backbone[place] = at["backbone"]
    shares = {"all_atom": all_atoms, "backbone": backbone}
    known = {key: _rounded(v, 3) for key, v in shares.items() if np.isfinite(v).all()}
    return {"level": level.tolist(), **known}


def _bar(result: Outcome, measure: str, name: str) -> dict[str, Any]:
    """Where the model stands among the entries, as shares, with what they were compared with."""
    percentiles = facts_of(result.findings, "percentiles")
    facts = percentiles.get(measure)
    if facts is None or facts["of_all"] is None:
        return {}
    bar: dict[str, Any] = {}
    for key, share, n, reach in (
        ("whole", facts["of_all"], facts["n_all"], facts["range_all"]),
        ("relative", facts["of_resolution"], facts["n_window"], facts["range_window"]),
    ):
        if share is not None:
            bar |= {key: round(share / 100.0, 3), f"{key}_counts": n}
            if reach is not None:
                bar |= {f"{key}_res_low": reach[1], f"{key}_res_high": reach[0]}
    return {
        name: bar,
        "bin_size": percentiles["half_width"],
        "em_statistic_version": percentiles["archive"],
    }


def _labels(result: Outcome, rows: np.ndarray) -> list[str]:
    """Names of residues, as in ``A:45 GLY``."""
    residues = result.model.residues
    columns = (residues.chain, residues.number, residues.icode, residues.name)
    parts = zip(*(column[rows].tolist() for column in columns), strict=True)
    return [f"{chain}:{number}{icode} {name}" for chain, number, icode, name in parts]


def _fractions(q: Float_N) -> list[float]:
    return _rounded(np.histogram(q, _Q_LEVELS)[0] / len(q), 3)


def _rounded(values: Float_N, decimals: int) -> list[float]:
    return [round(value, decimals) + 0.0 for value in values.tolist()]


def _colour(value: float) -> str:
    """From dark red at 0 to pale cyan at 1; magenta below 0."""
    if value < 0:
        return "#FF00FF"
    part = min(int(255 * value), 255)
    return f"#7A{part:02X}{part:02X}"


def _colours(values: Iterable[float]) -> list[str]:
    return [_colour(value) for value in values]


def _text(value: object, indent: str = "") -> str:
    """JSON with a line for each key; lists, which are long, in one line."""
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner = indent + "  "
    rows = (
        f"{inner}{json.dumps(key, ensure_ascii=False)}: {_text(item, inner)}"
        for key, item in value.items()
    )
    return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
