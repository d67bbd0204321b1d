"""What the results say, in sentences."""

import json
import re
from pathlib import Path
from typing import Any

import gemmi

from atomsight.report.results import Results

Facts = Any

_PDB_ID = re.compile(r"(PDB_0000)?[0-9][A-Z0-9]{3}|PDB_[0-9A-Z]{8}", re.IGNORECASE)
_EMDB_ID = re.compile(r"EMD-[0-9]{4,6}")
_EMDB_FILE = re.compile(r"emd[_-]([0-9]{4,6})", re.IGNORECASE)


def heading(results: Results) -> str:
    """What was validated: ids where they are known, the names of the files where not.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
        As in ``5NI1 in EMD-3488``.
    """
    inputs = results.facts["inputs"]
    model, map_ = Path(inputs["model"]["path"]).name, Path(inputs["map"]["path"] or "a map").name
    pdb, emdb = ids(results)
    return f"{pdb or model} in {emdb or map_}"


def subtitle(results: Results) -> str:
    """The title that the model's file gives itself; empty where it gives none.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
    """
    return " ".join(
        str(dict(results.model.structure.info.items()).get("_struct.title", "")).split()
    )


def ids(results: Results) -> tuple[str, str]:
    """PDB and EMDB id as the model's file tells them, EMDB's else from the name of the map's file.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of str
        Empty where not known.
    """
    entry = str(dict(results.model.structure.info.items()).get("_entry.id", ""))
    pdb = entry.upper() if _PDB_ID.fullmatch(entry) else ""
    for block in results.model.document or ():
        related = block.find("_pdbx_database_related.", ["db_id", "content_type"])
        named = [
            *block.find_values("_database_2.database_code"),
            # another map of the same work may stand there, too
            *(row[0] for row in related if "associated" in row[1]),
        ]
        for value in named:
            text = gemmi.cif.as_string(value).upper()
            if _EMDB_ID.fullmatch(text):
                return pdb, text
    file = _EMDB_FILE.match(Path(results.facts["inputs"]["map"]["path"] or "").name)
    return pdb, f"EMD-{file[1]}" if file else ""


def answer(results: Results) -> str:
    """The answer in one sentence or two.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
    """
    facts = results.facts
    mean = facts["q_score"]["mean_without_water"]["value"]
    if mean is None:
        return "No atom has a Q-score: see the notes."
    said = [f"The model's mean Q is {mean:.3f}"]
    expected = facts["expected"]["value"]
    if expected is None:
        said.append(f"; what to expect is not known ({facts['expected']['reason_if_none']})")
    else:
        where = "within" if expected["low"] <= mean <= expected["high"] else "outside"
        side = "above" if mean >= expected["peak"] else "below"
        said.append(
            f", {side} the {expected['peak']:.3f} that is usual at "
            f"{facts['resolution']['value']:g} Å and {where} the usual band "
            f"({expected['low']:.3f} to {expected['high']:.3f})"
        )
    below = facts["expected"]["residues"]["below"]
    total = facts["inputs"]["model"]["residues"]
    said.append(f"; {below} of {total} residues lie below that band. " if expected else ". ")
    return "".join(said) + _verdict(facts)


def _verdict(facts: Facts) -> str:
    verdict = facts.get("verdict")
    if verdict is None:
        return ""
    counts = verdict.get("counts")
    if not counts or verdict["reason_if_none"]:
        return f"No verdict on single residues: {verdict['reason_if_none']}."
    judged = sum(count for name, count in counts.items() if name != "not judged")
    parts = [f"{count} {name}" for name, count in counts.items() if count and name != "not judged"]
    return f"Verdict on {judged} residues: {', '.join(parts)}."


def files(results: Results) -> list[dict[str, str]]:
    """The input files, by name: where they lie on a disk is nobody else's business.

    Parameters
    ----------
    results : Results

    Returns
    -------
    list of dict
        ``what``, ``name``, ``sha256`` and ``about``.
    """
    inputs = results.facts["inputs"]
    model, map_ = inputs["model"], inputs["map"]
    size = " × ".join(str(n) for n in map_["shape_xyz"])
    voxel = " × ".join(f"{v:.4g}" for v in map_["voxel_size"])
    listed = [
        _file("model", model, f"{model['atoms']} atoms, {model['residues']} residues"),
        _file("map", map_, f"{size} voxels of {voxel} Å"),
    ]
    for one, what in zip(
        inputs["half_maps"] or [], ("half map 1", "half map 2", "mask"), strict=False
    ):
        listed.append(_file(what, one, ""))
    return listed


def parameters(results: Results) -> str:
    """What was chosen about the run, as JSON; files by name, as in `files`.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
    """
    chosen = dict(results.facts["parameters"])
    chosen["archive"] = chosen["archive"] and Path(chosen["archive"]).name
    if chosen.get("half_maps"):
        paths = ("half_1", "half_2", "mask")
        chosen["half_maps"] = {
            key: Path(value).name if key in paths and value else value
            for key, value in chosen["half_maps"].items()
        }
    return json.dumps(chosen, indent=2, ensure_ascii=False)


def _file(what: str, entry: Facts, about: str) -> dict[str, str]:
    name = Path(entry["path"]).name if entry["path"] else "in memory"
    return {"what": what, "name": name, "sha256": entry["sha256"] or "", "about": about}
