"""The model for the viewer: one MODEL, whose atoms are known by their place in the tables."""

import gemmi
import numpy as np

from atomsight.export.mmcif import quote_labels
from atomsight.model import AtomClass, Model


def display_model(model: Model) -> str:
    """A model as mmCIF, with what is needed to draw it and nothing else.

    ``_atom_site.id`` is the atom's row in the tables, counted from 1. Atoms without coordinates
    are left out.

    Parameters
    ----------
    model : Model

    Returns
    -------
    str
    """
    structure = model.structure.clone()
    for i in reversed(range(len(structure))):
        if structure[i].num != model.number:
            del structure[i]
    place = np.zeros(int(model.row.max()) + 2, dtype=np.int64)
    place[model.row + 1] = np.where(model.has_position, np.arange(1, len(model) + 1), 0)
    for chain in structure[0]:
        for residue in chain:
            for i in reversed(range(len(residue))):
                row = int(place[residue[i].serial])
                if row:
                    residue[i].serial = row
                else:
                    del residue[i]
    structure.remove_empty_chains()
    if _ambiguous(model):
        # the viewer takes what has one label for one chain, and draws it across all of it
        structure.assign_subchains(force=True)
        structure.entities = gemmi.EntityList()
        structure.setup_entities()
    groups = gemmi.MmcifOutputGroups(False)
    for name in _GROUPS:
        setattr(groups, name, True)
    document = structure.make_mmcif_document(groups)
    block = document.sole_block()
    quote_labels(block)
    # gemmi counts the atoms anew
    ids = block.find_values("_atom_site.id")
    for i, found in enumerate(structure[0].all()):
        ids[i] = str(found.atom.serial)
    return str(document.as_string())


def _ambiguous(model: Model) -> bool:
    """Whether one label names several chains, or a chain together with what is bound to it."""
    residues = model.residues
    polymer = np.isin(residues.atom_class, (AtomClass.PROTEIN, AtomClass.NUCLEIC))
    labels = residues.label_asym.tolist()
    parts = set(zip(labels, residues.chain.tolist(), polymer.tolist(), strict=True))
    return len(set(labels)) < len(parts)


_GROUPS = (
    *("atoms", "group_pdb", "auth_all", "entity", "entity_poly", "entity_poly_seq", "struct_asym"),
    *("struct_conf", "struct_sheet", "conn", "chem_comp"),
)
