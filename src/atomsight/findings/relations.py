"""How the measures go with each other, and with the model's own B factors."""

from typing import Any

import numpy as np

from atomsight.errors import ParameterError
from atomsight.evidence.adp import AdpRelation, Relation, adp_relations
from atomsight.evidence.components import principal_components
from atomsight.findings.finding import Columns, Evidence, Finding
from atomsight.typing import Float_N

MEASURES = (
    *("q", "density", "fsc_q", "fsc_q_r"),
    *("local_resolution_half", "local_resolution_model"),
)
"""Columns of atoms that are looked at, as far as they are there."""


def relations_finding(evidence: Evidence, atoms: Columns) -> Finding:
    """Correlation of the measures with B, and their principal components over the atoms.

    Parameters
    ----------
    evidence : Evidence
    atoms : mapping
        Columns of all findings.

    Returns
    -------
    Finding
    """
    model = evidence.model
    heavy = model.heavy
    columns: dict[str, Float_N] = {name: atoms[name] for name in MEASURES if name in atoms}
    relations = adp_relations(model, columns, counted=heavy)
    return Finding(
        key="relations",
        facts={
            "definition": "Pearson's and Spearman's coefficients of each measure with the model's "
            "own B factors, over atoms and over means of residues; principal components of the "
            "measures over the atoms (correlation matrix)",
            "b_factors": {name: _facts(found) for name, found in relations.items()},
            "components": _components({name: column[heavy] for name, column in columns.items()}),
        },
        tables={"b_factor_relations": _figure(relations)},
    )


def _facts(found: AdpRelation) -> dict[str, Any]:
    return {
        level: {
            "pearson": one.pearson,
            "spearman": one.spearman,
            "n": one.n,
            "reason_if_none": one.reason,
        }
        for level, one in (("atoms", found.atoms), ("residues", found.residues))
    }


def _components(columns: Columns) -> dict[str, Any]:
    try:
        found = principal_components(columns)
    except ParameterError as exc:
        return {"reason_if_none": str(exc)}
    return {
        "reason_if_none": "",
        "n": found.n,
        "n_left_out": found.n_left_out,
        "constant": found.constant,
        "explained": found.explained.tolist(),
        "loadings": {
            name: row.tolist() for name, row in zip(found.names, found.loadings, strict=True)
        },
    }


def _figure(relations: dict[str, AdpRelation]) -> Columns:
    """Quartiles of each measure in bins of B, one row a bin."""
    parts: list[tuple[str, str, Relation]] = [
        (name, level, one)
        for name, found in relations.items()
        for level, one in (("atoms", found.atoms), ("residues", found.residues))
    ]
    names = ("b", "count", "low", "median", "high")
    table = {
        "measure": np.array([name for name, _, one in parts for _ in one.b], dtype=str),
        "over": np.array([level for _, level, one in parts for _ in one.b], dtype=str),
    }
    return table | {
        name: np.concatenate([getattr(one, name) for _, _, one in parts]) for name in names
    }
