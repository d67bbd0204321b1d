import gemmi
import numpy as np
import pytest

from atomsight.io.classes import component_types
from atomsight.io.models import read_model
from atomsight.model import AtomClass
from tests.support.models import cif_text, nucleic, pdb_text, peptide, residue, write_model

ENTITIES = """loop_
_entity.id
_entity.type
1 polymer
2 polymer
3 branched
4 non-polymer
5 water
6 polymer
7 polymer
8 polymer
loop_
_entity_poly.entity_id
_entity_poly.type
1 polypeptide(L)
2 polyribonucleotide
6 polydeoxyribonucleotide
7 polypeptide(D)
8 other
"""
HEM = "FE NA NB NC ND C1A C2A CHA"
NAG = "C1 C2 C3 C4 C5 C6 O3 O4 O5 O6 N2"
UNKNOWN_LIGAND = "C1 C2 O7 N9"


def labels(path):
    """Class of each residue, in order of the file."""
    model = read_model(path)
    return [AtomClass(value).label for value in model.residues.atom_class]


def classes_in_cif(tmp_path, atoms, before=ENTITIES):
    return labels(write_model(tmp_path / "model.cif", cif_text(atoms, before)))


def classes_in_pdb(tmp_path, atoms):
    return labels(write_model(tmp_path / "model.pdb", pdb_text(atoms)))


def het(name, atoms, number=101, chain="A", element="", **common):
    return residue(
        name, atoms, number=number, chain=chain, record="HETATM", element=element, **common
    )


PROTEIN = peptide("MET ALA LYS SER GLY", label_asym="A", entity="1")


@pytest.mark.parametrize("name", ["MSE", "SEP", "TPO", "CSO", "MLY", "UNK", "XYZ", "A1LU6"])
def test_a_modified_residue_of_a_protein_is_protein(tmp_path, name):
    modified = [
        *peptide("ALA", entity="1"),
        *peptide(name, first=2, record="HETATM", entity="1"),
        *peptide("ALA", first=3, entity="1"),
    ]
    assert classes_in_cif(tmp_path, modified) == ["protein"] * 3


@pytest.mark.parametrize("name", ["PSU", "5MC", "1MA", "OMG", "XYZ"])
def test_a_modified_residue_of_rna_is_nucleic(tmp_path, name):
    modified = [
        *nucleic("G", entity="2"),
        *nucleic(name, first=2, record="HETATM", entity="2"),
        *nucleic("U", first=3, entity="2"),
    ]
    assert classes_in_cif(tmp_path, modified) == ["nucleic"] * 3


def test_dna_is_nucleic(tmp_path):
    assert classes_in_cif(tmp_path, nucleic("DA DC DG DT 5CM", entity="6")) == ["nucleic"] * 5


def test_a_peptide_of_d_residues_is_protein(tmp_path):
    assert classes_in_cif(tmp_path, peptide("DAL DLY DVA", entity="7")) == ["protein"] * 3


def test_caps_at_the_ends_of_a_protein_are_protein(tmp_path):
    capped = [
        *residue("ACE", "C O CH3", number=0, entity="1"),
        *peptide("ALA GLY", entity="1"),
        *residue("NH2", "N", number=3, entity="1"),
    ]
    assert classes_in_cif(tmp_path, capped) == ["protein"] * 4


@pytest.mark.parametrize(
    ("names", "atoms", "label"),
    [
        ("ALA GLY", "N CA C O", "protein"),
        ("A U", "P C1' C3' C4'", "nucleic"),
        ("Q01 Q02", "N CA C O CB", "protein"),
        ("Q01 Q02", "P C1' C3' C4'", "nucleic"),
        ("GLC GLC", NAG, "saccharide"),
        ("Q01 Q02", UNKNOWN_LIGAND, "ligand"),
    ],
)
def test_a_polymer_of_another_type_is_judged_by_its_residues(tmp_path, names, atoms, label):
    polymer = [
        atom
        for number, name in enumerate(names.split(), 1)
        for atom in residue(name, atoms, number=number, entity="8")
    ]
    assert classes_in_cif(tmp_path, polymer) == [label] * 2


@pytest.mark.parametrize(
    ("declared", "label"),
    [
        ("'L-peptide linking'", "protein"),
        ("'RNA linking'", "nucleic"),
        ("'DNA linking'", "nucleic"),
        ("'D-saccharide, alpha linking'", "saccharide"),
        ("non-polymer", "ligand"),
    ],
)
def test_a_polymer_of_another_type_is_judged_by_what_the_file_says_of_its_residues(
    tmp_path, declared, label
):
    described = f"{ENTITIES}_chem_comp.id Q01\n_chem_comp.type {declared}\n"
    polymer = residue("Q01", UNKNOWN_LIGAND, number=1, entity="8")
    assert classes_in_cif(tmp_path, polymer, described) == [label]


@pytest.mark.parametrize(
    ("entity", "label"), [("1", "protein"), ("2", "nucleic"), ("6", "nucleic"), ("7", "protein")]
)
def test_whatever_stands_in_a_polymer_of_known_type_is_of_that_type(tmp_path, entity, label):
    polymer = residue("Q01", UNKNOWN_LIGAND, number=1, entity=entity)
    assert classes_in_cif(tmp_path, polymer) == [label]


def test_glycans_are_saccharides(tmp_path):
    glycan = [
        atom
        for number, name in enumerate(["NAG", "NAG", "BMA", "XYZ"], 1)
        for atom in het(name, NAG, number, "C", entity="3", label_asym="C")
    ]
    assert classes_in_cif(tmp_path, glycan) == ["saccharide"] * 4


LIGANDS = [
    ("NAG", NAG, "", "saccharide"),
    ("GLC", NAG, "", "saccharide"),
    ("HEM", HEM, "", "ligand"),
    ("ATP", "PG PB PA O5' C5' C4' C3' C1' N9", "", "ligand"),
    ("XYZ", UNKNOWN_LIGAND, "", "ligand"),
    ("GLY", "N CA C O OXT", "", "ligand"),
    ("GLU", "N CA C O OXT CB", "", "ligand"),
    ("ZN", "ZN", "ZN", "ion"),
    ("MG", "MG", "MG", "ion"),
    ("CL", "CL", "CL", "ion"),
    ("HOH", "O", "", "water"),
    ("DOD", "O", "", "water"),
]


@pytest.mark.parametrize(("name", "atoms", "element", "label"), LIGANDS)
def test_what_stands_beside_polymers_in_mmcif(tmp_path, name, atoms, element, label):
    entity = "5" if label == "water" else "4"
    beside = het(name, atoms, element=element, label_asym="B", entity=entity)
    assert classes_in_cif(tmp_path, [*PROTEIN, *beside]) == ["protein"] * 5 + [label]


@pytest.mark.parametrize(
    ("name", "atoms", "element", "label"),
    [ligand for ligand in LIGANDS if ligand[0] not in {"GLY", "GLU"}],
)
@pytest.mark.parametrize("before", ["", "_entry.id x\n"])
def test_what_stands_beside_polymers_without_entity_records(
    tmp_path, name, atoms, element, label, before
):
    beside = het(name, atoms, element=element, label_asym="B")
    assert classes_in_cif(tmp_path, [*peptide("MET ALA LYS SER GLY"), *beside], before) == [
        *["protein"] * 5,
        label,
    ]


@pytest.mark.parametrize(("name", "atoms", "element", "label"), LIGANDS)
@pytest.mark.parametrize("columns", [80, 66])
@pytest.mark.parametrize("ter", [True, False])
def test_what_stands_beside_polymers_in_pdb(tmp_path, name, atoms, element, label, columns, ter):
    ends = ["TER"] if ter else []
    polymer = pdb_text(PROTEIN).splitlines()[:-1]
    beside = pdb_text(het(name, atoms, element=element)).splitlines()[:-1]
    lines = [line[:columns] for line in [*polymer, *ends, *beside]]
    path = write_model(tmp_path / "model.pdb", "\n".join(lines) + "\n")
    assert labels(path) == ["protein"] * 5 + [label]


def test_polymers_in_pdb_are_known_by_their_residues(tmp_path):
    atoms = [
        *peptide("ALA MSE GLY", chain="A"),
        *nucleic("A PSU G U", chain="B"),
        *nucleic("DA DT DG", chain="C"),
        *peptide("DAL DVA DLE", chain="D"),
    ]
    expected = ["protein"] * 3 + ["nucleic"] * 7 + ["protein"] * 3
    assert classes_in_pdb(tmp_path, atoms) == expected


@pytest.mark.parametrize("name", ["MSE", "SEP", "CSO"])
@pytest.mark.parametrize("place", [1, 3, 5])
@pytest.mark.parametrize("ter", [True, False])
def test_a_modified_residue_in_a_pdb_chain_is_protein(tmp_path, name, place, ter):
    atoms = [
        atom
        for number in range(1, 6)
        for atom in peptide(
            name if number == place else "ALA",
            first=number,
            record="HETATM" if number == place else "ATOM",
        )
    ]
    lines = pdb_text(atoms).splitlines()[:-1] + ["TER"] * ter
    water = pdb_text(het("HOH", "O", 201)).splitlines()
    path = write_model(tmp_path / "model.pdb", "\n".join([*lines, *water]) + "\n")
    assert labels(path) == ["protein"] * 5 + ["water"]


def test_a_trace_of_alpha_carbons_is_protein_not_ions(tmp_path):
    trace = [
        atom for number in range(1, 6) for atom in residue("ALA", "CA", number=number, element="C")
    ]
    assert classes_in_pdb(tmp_path, trace) == ["protein"] * 5
    assert classes_in_cif(tmp_path, trace, "") == ["protein"] * 5


def test_a_trace_of_phosphorus_atoms_is_nucleic_not_ions(tmp_path):
    trace = [atom for number in range(1, 6) for atom in residue("A", "P", number=number)]
    assert classes_in_pdb(tmp_path, trace) == ["nucleic"] * 5


def test_an_ion_with_two_places_or_with_hydrogens_around_is_an_ion(tmp_path):
    twice = [
        *het("ZN", "ZN", element="ZN", label_asym="B", entity="4", altloc="A"),
        *het("ZN", "ZN", element="ZN", label_asym="B", entity="4", altloc="B"),
        *het("NA", "NA", number=102, element="NA", label_asym="C", entity="4"),
        *het("NA", "H1 H2", number=102, element="H", label_asym="C", entity="4"),
    ]
    assert classes_in_cif(tmp_path, [*PROTEIN, *twice])[-2:] == ["ion", "ion"]


def test_the_files_own_description_of_a_component_tells_what_it_is(tmp_path):
    described = ENTITIES + (
        "loop_\n_chem_comp.id\n_chem_comp.type\nQ01 'D-saccharide, beta linking'\nQ02 non-polymer\n"
    )
    atoms = [
        *PROTEIN,
        *het("Q01", NAG, 101, label_asym="B", entity="4"),
        *het("Q02", NAG, 102, label_asym="C", entity="4"),
    ]
    assert classes_in_cif(tmp_path, atoms, described)[-2:] == ["saccharide", "ligand"]


def test_types_of_components_are_read_in_lower_case():
    block = gemmi.cif.read_string(
        "data_x\nloop_\n_chem_comp.id\n_chem_comp.type\nALA 'L-peptide linking'\nHOH NON-POLYMER\n"
    ).sole_block()
    assert component_types(block) == {"ALA": "l-peptide linking", "HOH": "non-polymer"}
    assert component_types(gemmi.cif.Block("empty")) == {}
    assert component_types(None) == {}


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        # atom records by residue name: HEM 4 × 43, HOH 24, NAG 3 × 14, amino acids the rest
        ("5ni1.cif", {"protein": 4383, "ligand": 172, "water": 24}),
        ("5me2.pdb", {"protein": 4296, "ligand": 172}),
        ("modelangelo_5ni1.cif", {"protein": 4298}),
        ("6vyb_Ndom.pdb", {"protein": 1573, "saccharide": 42}),
    ],
)
def test_classes_of_deposited_models(demo_data, name, counts):
    found, n = np.unique(read_model(demo_data / name).atom_class, return_counts=True)
    assert {AtomClass(k).label: int(v) for k, v in zip(found, n, strict=True)} == counts


def test_classes_of_a_complex_of_protein_and_rna(extra_data):
    model = read_model(extra_data / "emd_11007_rdrp" / "7bv2_rigid_fit.pdb")
    by_name = dict(zip(model.residues.name, model.residues.atom_class, strict=True))
    assert by_name["A"] == by_name["U"] == AtomClass.NUCLEIC
    assert by_name["ZN"] == by_name["MG"] == AtomClass.ION
    assert by_name["POP"] == AtomClass.LIGAND
    assert by_name["LEU"] == AtomClass.PROTEIN
    assert by_name["HOH"] == AtomClass.WATER
