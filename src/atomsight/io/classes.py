"""Which kind of molecule each residue belongs to: by entity and content, lists last."""

from collections.abc import Mapping

import gemmi

from atomsight.model import AtomClass

_POLYMERS = {
    gemmi.PolymerType.PeptideL: AtomClass.PROTEIN,
    gemmi.PolymerType.PeptideD: AtomClass.PROTEIN,
    gemmi.PolymerType.Dna: AtomClass.NUCLEIC,
    gemmi.PolymerType.Rna: AtomClass.NUCLEIC,
    gemmi.PolymerType.DnaRnaHybrid: AtomClass.NUCLEIC,
    gemmi.PolymerType.SaccharideD: AtomClass.SACCHARIDE,
    gemmi.PolymerType.SaccharideL: AtomClass.SACCHARIDE,
}
_SUGAR_KINDS = {gemmi.ResidueKind.PYR, gemmi.ResidueKind.KET}
_AMINO_KINDS = {
    gemmi.ResidueKind.AA,
    gemmi.ResidueKind.AAD,
    gemmi.ResidueKind.PAA,
    gemmi.ResidueKind.MAA,
}
_NUCLEIC_KINDS = {gemmi.ResidueKind.RNA, gemmi.ResidueKind.DNA}


def component_types(block: gemmi.cif.Block | None) -> dict[str, str]:
    """``_chem_comp.type`` of every residue name that an mmCIF file describes, in lower case.

    Parameters
    ----------
    block : gemmi.cif.Block or None

    Returns
    -------
    dict
        Empty for a PDB file or where the category is missing.
    """
    if block is None:
        return {}
    table = block.find("_chem_comp.", ["id", "type"])
    return {row.str(0): row.str(1).lower() for row in table}


def residue_class(
    residue: gemmi.Residue, entity: gemmi.Entity | None, types: Mapping[str, str]
) -> AtomClass:
    """Class of one residue.

    A residue inside a polymer has the polymer's class, modified or not. Outside polymers:
    water by entity or name, sugars by entity or the file's own component type, single atoms are
    ions, everything else is a ligand.

    Parameters
    ----------
    residue : gemmi.Residue
    entity : gemmi.Entity or None
        The entity of its subchain.
    types : mapping
        From `component_types`.

    Returns
    -------
    AtomClass
    """
    if residue.entity_type == gemmi.EntityType.Water or residue.is_water():
        return AtomClass.WATER
    if residue.entity_type == gemmi.EntityType.Branched:
        return AtomClass.SACCHARIDE
    declared = types.get(residue.name, "")
    if residue.entity_type == gemmi.EntityType.Polymer:
        if entity is not None and entity.polymer_type in _POLYMERS:
            return _POLYMERS[entity.polymer_type]
        return _class_by_content(residue, declared)
    return _class_alone(residue, declared)


def _class_alone(residue: gemmi.Residue, declared: str) -> AtomClass:
    """Class of a residue that stands in no polymer."""
    if len({atom.name for atom in residue if not atom.is_hydrogen()}) == 1:
        return AtomClass.ION
    if _is_sugar(residue, declared):
        return AtomClass.SACCHARIDE
    if residue.entity_type == gemmi.EntityType.NonPolymer:
        return AtomClass.LIGAND
    return _class_by_content(residue, declared)


def _is_sugar(residue: gemmi.Residue, declared: str) -> bool:
    kind = gemmi.find_tabulated_residue(residue.name).kind
    return "saccharide" in declared or kind in _SUGAR_KINDS


def _class_by_content(residue: gemmi.Residue, declared: str) -> AtomClass:
    """Class of a residue in a polymer of unknown type, or with no entity at all."""
    kind = gemmi.find_tabulated_residue(residue.name).kind
    names = {atom.name for atom in residue}
    if "peptide" in declared or kind in _AMINO_KINDS or {"N", "CA", "C"} <= names:
        return AtomClass.PROTEIN
    if any(word in declared for word in ("rna", "dna")) or kind in _NUCLEIC_KINDS:
        return AtomClass.NUCLEIC
    if {"C1'", "C3'", "C4'"} <= names:
        return AtomClass.NUCLEIC
    if _is_sugar(residue, declared):
        return AtomClass.SACCHARIDE
    return AtomClass.LIGAND
