"""Columns of the page's table of residues."""

from typing import Any

import numpy as np

from atomsight.report.results import Results

_DECIMALS = 6
"""More than are shown, or what is rounded twice would differ from what is rounded once."""

_NUMBERS = (
    ("q", "Q", 3, "mean Q of the residue's atoms"),
    ("q_backbone", "Q backbone", 3, "of a nucleotide: phosphate and sugar"),
    ("q_sidechain", "Q side chain", 3, "mean Q of the side chain"),
    ("q_base", "Q base", 3, "mean Q of the base"),
    ("q_worst", "lowest Q", 3, "of its atoms"),
    ("verdict_expected", "Q attainable", 3, "what a right model would have in these data"),
    ("fsc_q", "FSC-Q (Å)", 2, "local resolution of map against model less that of the half maps"),
    ("fsc_q_r", "FSC-Q_R", 2, "FSC-Q over the local resolution of the half maps"),
    ("local_resolution_half", "local resolution (Å)", 2, "of the half maps"),
    ("inclusion", "inclusion", 2, "share of its atoms above the contour level"),
    ("density", "density (σ)", 2, "at its atoms, above the mean of the map"),
    ("cc_mean", "CC-mean", 3, "correlation about the mean with the map of the model"),
    ("ca_rmsd", "models' RMSD (Å)", 2, "of Cα (C1' of nucleic acid) among independent models"),
)
_TEXTS = (
    ("class", "class", "kind of molecule"),
    ("verdict", "verdict", "Q against what the data allow"),
    ("support", "support", "of ligands, ions and waters by the map"),
)


def table_columns(results: Results) -> list[dict[str, Any]]:
    """The columns that hold something, in the order of the page.

    Parameters
    ----------
    results : Results

    Returns
    -------
    list of dict
        Each with ``key``, ``title``, ``definition``, ``text``, ``decimals``, ``values``.
    """
    residues = results.model.residues
    labels = [residues.label(row) for row in range(len(residues))]
    columns = [page_column("label", "residue", "chain/residue number", labels)]
    for key, title, definition in _TEXTS:
        found = results.residues.get(key)
        if found is not None and (found != "").any():
            columns.append(page_column(key, title, definition, found.tolist()))
    for key, title, decimals, definition in _NUMBERS:
        found = results.residues.get(key)
        if found is not None and np.isfinite(found).any():
            rounded = np.round(found.astype(float), _DECIMALS)
            values = [value if np.isfinite(value) else None for value in rounded.tolist()]
            columns.append(page_column(key, title, definition, values, decimals))
    return columns


def page_column(
    key: str, title: str, definition: str, values: list[Any], decimals: int | None = None
) -> dict[str, Any]:
    """A column of a page's table.

    Parameters
    ----------
    key, title, definition : str
    values : list
        One a row; None or "" where there is none.
    decimals : int, optional
        Of numbers; text when None.

    Returns
    -------
    dict
    """
    return {
        "key": key,
        "title": title,
        "definition": definition,
        "text": decimals is None,
        "decimals": decimals,
        "values": values,
    }
