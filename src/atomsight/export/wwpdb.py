"""Scores under the names that wwPDB validation gives them, as mmCIF.

Items are those of the dictionary mmcif_pdbx_vrpt.dic 0.067.
"""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from atomsight.evidence.groups import group_means
from atomsight.export.columns import grouped
from atomsight.findings.finding import facts_of
from atomsight.io.files import write_text
from atomsight.model import AtomClass
from atomsight.outcome import Outcome
from atomsight.typing import Bool_N, Int_N

METHOD = "electron microscopy"
UNKNOWN, NOTHING = "?", "."
"""What mmCIF writes for a value that is not known, and for one that does not exist."""


def write_wwpdb(result: Outcome, path: Path) -> Path:
    """Write Q-scores and residue inclusion in the categories of wwPDB validation.

    Of the model in ``_pdbx_vrpt_summary_em``, of residues in
    ``_pdbx_vrpt_model_instance_map_fitting``, whose ``instance_id`` is the ``id`` of a row of
    ``_pdbx_vrpt_model_instance``, of each entity in each chain in
    ``_pdbx_vrpt_summary_entity_fit_to_map``, and where Q stands in
    ``_pdbx_vrpt_percentile_list``, ``_type`` and ``_conditions``. Hydrogen and water are left out.

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
    document = gemmi.cif.Document()
    name = Path(result.model.path.name.removesuffix(".gz")).stem
    # blanks may not stand in the name of a block
    block = document.add_new_block(re.sub(r"[^!-~]+", "_", f"valid_{name}"))
    software = {"ordinal": "1", "name": "atomsight", "version": version("atomsight")}
    block.set_pairs("_pdbx_vrpt_software.", software)
    block.set_pairs("_pdbx_vrpt_summary_em.", _summary(result))
    _add_percentiles(block, result)
    kept = result.model.residues.atom_class != AtomClass.WATER
    rows = np.flatnonzero(kept)
    _add_entities(block, result, kept)
    _add_instances(block, result, rows)
    _add_map_fitting(block, result, rows)
    options = gemmi.cif.WriteOptions()
    options.align_loops = 30
    # gemmi's own write_file does not notice a full disk
    return write_text(path, document.as_string(options))


def _summary(result: Outcome) -> dict[str, str]:
    """Items of the whole model, those that are known."""
    mean: Any = result.averages["mean_without_water"]
    items = {"exp_method": METHOD}
    at = facts_of(result.findings, "inclusion").get("at_contour")
    if at is not None:
        items |= {
            "contour_level_primary_map": str(at["level"]),
            "atom_inclusion_all_atoms": _number(at["all_atoms"], 3),
            "atom_inclusion_backbone": _number(at["backbone"], 3),
        }
    if result.resolution is not None:
        items["EMDB_resolution"] = f"{result.resolution:g}"
    items |= {"Q_score": _number(mean.mean, 3), "ordinal": "1"}
    return {key: value for key, value in items.items() if value != UNKNOWN}


def _add_percentiles(block: gemmi.cif.Block, result: Outcome) -> None:
    facts = facts_of(result.findings, "percentiles").get("q")
    if facts is None or facts["of_all"] is None:
        return
    ranges = ["all"]
    ranks, totals = [facts["of_all"]], [facts["n_all"]]
    # wwPDB gives no limits where every entry counts
    high, low = [UNKNOWN], [UNKNOWN]
    if facts["of_resolution"] is not None:
        finest, coarsest = facts["range_window"]
        ranges.append(f"{facts['resolution']:g}")
        ranks.append(facts["of_resolution"])
        totals.append(facts["n_window"])
        high.append(f"{finest:g}")
        low.append(f"{coarsest:g}")
    ids = _counted(len(ranges))
    methods = [gemmi.cif.quote(METHOD)] * len(ranges)
    _add_loop(block, "percentile_list", {"id": ids, "range": ranges, "exp_method": methods})
    _add_loop(block, "percentile_type", {"id": ["1"], "type": ["Q_score"]})
    _add_loop(
        block,
        "percentile_conditions",
        {
            "id": ids,
            "type_id": ["1"] * len(ranges),
            "rank": [f"{rank:.1f}" for rank in ranks],
            "res_high": high,
            "res_low": low,
            "number_entries_total": [str(n) for n in totals],
            "percentile_list_id": ids,
        },
    )


def _add_entities(block: gemmi.cif.Block, result: Outcome, kept: Bool_N) -> None:
    """Means of each entity in each chain."""
    model, scores = result.model, result.scores
    residues = model.residues
    keys, group = grouped(residues.entity, residues.label_asym, residues.chain)
    counted = scores.counted & kept[model.residue]
    q = group_means(scores.q, group[model.residue], len(keys), counted)
    means = {"Q_score": q}
    inclusion = result.residues.get("inclusion")
    if inclusion is not None:
        means["average_residue_inclusion"] = group_means(inclusion, group, len(keys), kept)
    chosen = np.flatnonzero(np.any([np.isfinite(values) for values in means.values()], axis=0))
    names = [keys[row] for row in chosen.tolist()]
    _add_loop(
        block,
        "summary_entity_fit_to_map",
        {
            "ordinal": _counted(len(chosen)),
            "PDB_model_num": [str(model.number)] * len(chosen),
            "entity_id": _quoted((name[0] for name in names), UNKNOWN),
            "label_asym_id": _quoted((name[1] for name in names), NOTHING),
            "auth_asym_id": _quoted((name[2] for name in names), NOTHING),
            **{name: _numbers(values[chosen], 3) for name, values in means.items()},
        },
    )


def _add_instances(block: gemmi.cif.Block, result: Outcome, rows: Int_N) -> None:
    residues = result.model.residues
    _add_loop(
        block,
        "model_instance",
        {
            "id": _counted(len(rows)),
            "PDB_model_num": [str(result.model.number)] * len(rows),
            "entity_id": _quoted(residues.entity[rows].tolist(), UNKNOWN),
            "label_asym_id": _quoted(residues.label_asym[rows].tolist(), NOTHING),
            "label_comp_id": _quoted(residues.name[rows].tolist(), NOTHING),
            "auth_asym_id": _quoted(residues.chain[rows].tolist(), NOTHING),
            "auth_seq_id": [str(number) for number in residues.number[rows].tolist()],
            "PDB_ins_code": _quoted(residues.icode[rows].tolist(), UNKNOWN),
        },
    )


def _add_map_fitting(block: gemmi.cif.Block, result: Outcome, rows: Int_N) -> None:
    """Values of the residues; `rows` are those of the instances, in their order."""
    values = {"Q_score": result.residues["q"][rows]}
    decimals = {"Q_score": 3, "residue_inclusion": 4}
    if "inclusion" in result.residues:
        values["residue_inclusion"] = result.residues["inclusion"][rows]
    chosen = np.flatnonzero(np.any([np.isfinite(one) for one in values.values()], axis=0))
    _add_loop(
        block,
        "model_instance_map_fitting",
        {
            "ordinal": _counted(len(chosen)),
            "instance_id": [str(row + 1) for row in chosen.tolist()],
            **{name: _numbers(one[chosen], decimals[name]) for name, one in values.items()},
        },
    )


def _add_loop(block: gemmi.cif.Block, category: str, columns: Mapping[str, list[str]]) -> None:
    """Add a category whose values are quoted already; none where it would have no rows."""
    if not next(iter(columns.values())):
        return
    loop = block.init_loop(f"_pdbx_vrpt_{category}.", list(columns))
    loop.set_all_values(list(columns.values()))


def _counted(n: int) -> list[str]:
    return [str(i) for i in range(1, n + 1)]


def _number(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if isfinite(value) else UNKNOWN


def _numbers(values: np.ndarray, decimals: int) -> list[str]:
    return [_number(value, decimals) for value in values.tolist()]


def _quoted(values: Iterable[str], absent: str) -> list[str]:
    return [gemmi.cif.quote(value) if value else absent for value in values]
