"""The columns of a data set: always all of them, so that its files read as one table."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from atomsight.export.tables import frame

_INT, _FLOAT, _TEXT, _YES = pl.Int64(), pl.Float64(), pl.String(), pl.Boolean()

Schema = Mapping[str, pl.DataType]

_ATOM_TEXT = ("chain", "label_asym", "icode", "residue", "atom", "altloc", "element", "class")
_RESIDUE_TEXT = ("chain", "label_asym", "icode", "residue", "class", "entity")


def _schema(names: str, text: tuple[str, ...], whole: tuple[str, ...]) -> Schema:
    kinds = dict.fromkeys(text, _TEXT) | dict.fromkeys(whole, _INT)
    return {"entry": _TEXT} | {name: kinds.get(name, _FLOAT) for name in names.split()}


ATOMS = _schema(
    """
    model chain label_asym number icode residue atom altloc element class x y z occupancy b_iso
    q q_status q_orientation_mean q_orientation_sd
    fsc_q fsc_q_r fsc_q_status local_resolution_half local_resolution_half_status
    local_resolution_model local_resolution_model_status
    density density_nearest density_status inside support q_attainable b_from_q
    """,
    text=(
        *_ATOM_TEXT,
        *("q_status", "fsc_q_status", "local_resolution_half_status"),
        *("local_resolution_model_status", "density_status", "support"),
    ),
    whole=("model", "number"),
)

RESIDUES = _schema(
    """
    model chain label_asym number icode residue class entity atoms
    q q_backbone q_sidechain q_phosphate q_sugar q_base q_worst
    q_mean3 q_mean5 q_mean7 q_mean11 q_band
    fsc_q fsc_q_abs fsc_q_r local_resolution_half local_resolution_model
    fsc_q_atoms_below fsc_q_atoms_above
    density inclusion cc cc_mean support
    verdict verdict_part verdict_q verdict_expected verdict_low verdict_high verdict_atoms
    verdict_pull verdict_sentence ca_rmsd ca_rmsd_to_mean
    """,
    text=(
        *_RESIDUE_TEXT,
        *("q_band", "support", "verdict", "verdict_part", "verdict_sentence"),
    ),
    whole=("model", "number", "atoms", "fsc_q_atoms_below", "fsc_q_atoms_above", "verdict_atoms"),
)

_FACTS: dict[str, tuple[pl.DataType, str]] = {
    "resolution": (_FLOAT, "resolution.value"),
    "resolution_source": (_TEXT, "resolution.source"),
    "contour": (_FLOAT, "parameters.contour"),
    "sigma": (_FLOAT, "q_score.sigma"),
    "atoms": (_INT, "inputs.model.atoms"),
    "residues": (_INT, "inputs.model.residues"),
    "voxels": (_INT, "inputs.map.statistics.n"),
    "in_map": (_YES, "overlay.ok"),
    "contrast": (_FLOAT, "overlay.contrast"),
    "q": (_FLOAT, "q_score.mean_without_water.value"),
    "q_atoms": (_INT, "q_score.mean_without_water.n"),
    "q_with_water": (_FLOAT, "q_score.mean.value"),
    "q_backbone": (_FLOAT, "q_score.parts.backbone.mean"),
    "q_sidechain": (_FLOAT, "q_score.parts.sidechain.mean"),
    "q_protein": (_FLOAT, "q_score.classes.protein.mean"),
    "q_nucleic": (_FLOAT, "q_score.classes.nucleic.mean"),
    "q_ligand": (_FLOAT, "q_score.classes.ligand.mean"),
    "q_ion": (_FLOAT, "q_score.classes.ion.mean"),
    "q_water": (_FLOAT, "q_score.classes.water.mean"),
    "expected_q": (_FLOAT, "expected.value.peak"),
    "expected_low": (_FLOAT, "expected.value.low"),
    "expected_high": (_FLOAT, "expected.value.high"),
    "residues_below": (_INT, "expected.residues.below"),
    "residues_within": (_INT, "expected.residues.within"),
    "residues_above": (_INT, "expected.residues.above"),
    "percentile": (_FLOAT, "percentiles.q.of_all"),
    "percentile_at_resolution": (_FLOAT, "percentiles.q.of_resolution"),
    "density": (_FLOAT, "density.mean.mean"),
    "below_zero": (_FLOAT, "density.negative.fraction_below_zero"),
    "inclusion": (_FLOAT, "inclusion.at_contour.all_atoms"),
    "inclusion_backbone": (_FLOAT, "inclusion.at_contour.backbone"),
    "cc": (_FLOAT, "correlation.b_zero.cc"),
    "cc_mean": (_FLOAT, "correlation.b_zero.cc_mean"),
    "b_factor_f": (_FLOAT, "b_factors.f"),
    "fsc_q": (_FLOAT, "fsc_q.mean"),
    "fsc_q_abs": (_FLOAT, "fsc_q.mean_absolute"),
    "fsc_q_atoms": (_INT, "fsc_q.n"),
    "fsc_q_atoms_below": (_INT, "fsc_q.atoms_below.n"),
    "fsc_q_atoms_above": (_INT, "fsc_q.atoms_above.n"),
    "fsc_half_0143": (_FLOAT, "fsc_q.resolutions.half_masked_0!143"),
    "fsc_model_05": (_FLOAT, "fsc_q.resolutions.model_0!5"),
    "as_expected": (_INT, "verdict.counts.as expected"),
    "worse_than_the_map_allows": (_INT, "verdict.counts.worse than the map allows"),
    "not_resolved": (_INT, "verdict.counts.not resolved"),
    "better_than_the_data_support": (_INT, "verdict.counts.better than the data support"),
    "model_sha256": (_TEXT, "inputs.model.sha256"),
    "map_sha256": (_TEXT, "inputs.map.sha256"),
    "atomsight": (_TEXT, "versions.atomsight"),
}
"""Column → its type, and where summary.json has it; ! stands for a dot within a key."""

ENTRIES: Schema = {
    **dict.fromkeys(("entry", "status", "step", "error", "message"), _TEXT),
    **dict.fromkeys(("id", "pdb", "model_path", "map_path"), _TEXT),
    **{name: kind for name, (kind, _) in _FACTS.items()},
    **dict.fromkeys(("notes", "digest", "host", "created"), _TEXT),
    "attempts": _INT,
    "seconds": _FLOAT,
    "peak_memory": _INT,
}
"""One row an entry. See docs/reference/tables.md."""


def facts_in(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What a row takes from the facts of summary.json.

    Parameters
    ----------
    summary : mapping
        From `atomsight.export.summary_json.summary`, as JSON has it.

    Returns
    -------
    dict
        Column → value; None where the run has none.
    """
    return {name: _at(summary, path) for name, (_, path) in _FACTS.items()}


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key.replace("!", "."))
    return value


def table_of(entry: str, columns: Mapping[str, np.ndarray], schema: Schema) -> pl.DataFrame:
    """A table of one entry with all columns of a schema; those that were not computed are null.

    Parameters
    ----------
    entry : str
    columns : mapping
        As for `atomsight.export.tables.frame`.
    schema : mapping

    Returns
    -------
    polars.DataFrame

    Raises
    ------
    ValueError
        If a column is not in the schema: nothing is dropped in silence.
    """
    unknown = set(columns) - set(schema)
    if unknown:
        raise ValueError(f"columns {', '.join(sorted(unknown))} are not in the data set's schema")
    table = frame(columns).with_columns(pl.lit(entry).alias("entry"))
    filled = (
        pl.col(name).cast(kind) if name in table.columns else pl.lit(None, dtype=kind).alias(name)
        for name, kind in schema.items()
    )
    return table.select(*filled)


def row_of(values: Mapping[str, Any]) -> pl.DataFrame:
    """One row of the table of entries.

    Parameters
    ----------
    values : mapping
        Column → value; the others are null.

    Returns
    -------
    polars.DataFrame

    Raises
    ------
    ValueError
        If a column is not in the schema.
    """
    unknown = set(values) - set(ENTRIES)
    if unknown:
        raise ValueError(f"columns {', '.join(sorted(unknown))} are not in the data set's schema")
    return pl.DataFrame({name: [values.get(name)] for name in ENTRIES}, schema=ENTRIES)
