"""A model is stripped and completed, and stays what its file calls it."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest

from atomsight.ensemble.preparation import prepare, write_model
from atomsight.ensemble.stripping import named, segments_of
from atomsight.errors import MissingLibraryError, ModelFileError
from atomsight.io.models import read_model
from atomsight.model import select
from tests.ensemble.peptides import peptide, write

NAMES = ["ALA", "SER", "GLY", "CYS", "LYS", "ALA"]


@pytest.fixture
def read(tmp_path):
    def make(structure):
        return read_model(write(structure, tmp_path / "in.cif"))

    return make


def test_missing_openmm_says_what_to_install(read, monkeypatch):
    monkeypatch.setattr("atomsight.ensemble.libraries.find_spec", lambda _name: None)
    with pytest.raises(MissingLibraryError, match=r"pip install 'atomsight\[ensemble\]'"):
        prepare(read(peptide(NAMES)))


def test_counts_are_shown_with_the_most_frequent_first():
    assert named({"MG": 12, "HOH": 229}) == "229 HOH, 12 MG"


def test_residues_are_cut_where_the_chain_is_open_whatever_their_numbers():
    structure = peptide(NAMES)
    residues = [("A", residue) for residue in structure[0][0]]
    assert segments_of(residues) == [0] * 6
    assert segments_of([*residues[:2], *residues[3:]]) == [0, 0, 1, 1, 1]
    for i, (_, residue) in enumerate(residues):
        residue.seqid = gemmi.SeqId(10 * i, " ")
    assert segments_of(residues) == [0] * 6


class TestWithOpenMM:
    @pytest.fixture(autouse=True)
    def _needs(self):
        pytest.importorskip("openmm")
        pytest.importorskip("pdbfixer")

    def test_heavy_atoms_stay_and_missing_ones_are_added(self, read):
        model = read(peptide(NAMES))
        done = prepare(model)
        assert np.abs(done.xyz[~done.added] - model.xyz).max() < 1e-9  # nm and back
        lysine = done.residue == 4
        assert {"CG", "CD", "CE", "NZ", "HZ1", "HZ3"} <= {*done.atom[lysine]}
        assert done.b_iso == pytest.approx(model.b_iso.mean())
        # ideal lengths of bonds to added atoms, within what a crude force field gives
        one, other = done.bonds.T
        length = np.linalg.norm(done.xyz[one] - done.xyz[other], axis=1)
        assert length.min() > 0.8
        assert length.max() < 2.0

    def test_it_is_the_same_every_time(self, read):
        model = read(peptide(NAMES))
        assert prepare(model).digest == prepare(model).digest

    def test_the_digest_knows_positions_and_names(self, read):
        done = prepare(read(peptide(NAMES)))
        assert done.digest != replace(done, xyz=done.xyz + 0.01).digest
        assert done.digest != replace(done, number=done.number + 1).digest

    def test_names_numbers_and_chains_are_those_of_the_input(self, read, tmp_path):
        structure = peptide(NAMES, start=-2, chain="long")
        structure[0][0][3].seqid = gemmi.SeqId(0, "B")
        model = read(structure)
        done = prepare(model)
        again = read_model(write_model(done, done.xyz, tmp_path / "out.cif"))
        for column in ("chain", "number", "icode", "name"):
            ours, theirs = (getattr(m.residues, column).tolist() for m in (again, model))
            assert ours == theirs
        assert set(again.occupancy) == {1.0}
        assert len(set(again.b_iso)) == 1
        heavy = {(r, a) for r, a in zip(again.residue.tolist(), again.atom.tolist(), strict=True)}
        assert {(r, a) for r, a in zip(model.residue.tolist(), model.atom, strict=True)} <= heavy

    def test_gaps_are_cut(self, read):
        structure = peptide(NAMES)
        del structure[0][0][2]
        done = prepare(read(structure))
        assert done.segment.tolist() == [0, 0, 1, 1, 1]
        assert any("cut at 1 gap" in note for note in done.notes)
        rows = done.residue[done.bonds]
        assert not ((rows == 1).any(axis=1) & (rows == 2).any(axis=1)).any()
        assert done.number.tolist() == [1, 2, 4, 5, 6]

    def test_ligands_and_unknown_residues_are_left_out_by_name(self, read):
        structure = peptide(["ALA", "ALA", "ALA", "MSE", "ALA"])
        for name in ("HOH", "HOH", "HEM"):
            residue = gemmi.Residue()
            residue.name, residue.seqid = name, gemmi.SeqId(str(100 + len(structure[0][0])))
            atom = gemmi.Atom()
            atom.name, atom.element = "O", gemmi.Element("O")
            residue.add_atom(atom)
            structure[0][0].add_residue(residue)
        done = prepare(read(structure))
        assert done.left_out == {"HOH": 2, "HEM": 1, "MSE": 1}
        assert "left out, without parameters: 2 HOH, 1 MSE, 1 HEM" in done.notes

    def test_a_selection_leaves_the_rest_where_it_is(self, read):
        structure = peptide(NAMES)
        other = peptide(["GLY", "GLY"], chain="B")
        structure[0].add_chain(other[0][0])
        model = read(structure)
        done = prepare(model, select(model, "//A/2-5"))
        assert done.chain.tolist() == ["A"] * 4
        assert done.number.tolist() == [2, 3, 4, 5]
        outside = ~np.isin(model.residue, [1, 2, 3, 4])
        assert done.others.tolist() == model.xyz[outside].tolist()

    def test_the_conformer_with_the_highest_occupancy_stays(self, read):
        structure = peptide(NAMES)
        residue = structure[0][0][1]
        for letter, occupancy, shift in (("A", 0.4, 0.0), ("B", 0.6, 0.3)):
            atom = residue.find_atom("CB", "\0").clone()
            atom.altloc, atom.occ = letter, occupancy
            atom.pos += gemmi.Position(shift, 0.0, 0.0)
            residue.add_atom(atom)
        residue.remove_atom("CB", "\0")
        model = read(structure)
        done = prepare(model)
        row = (done.residue == 1) & (done.atom == "CB")
        assert done.xyz[row].tolist() == model.xyz[model.altloc == "B"].tolist()

    def test_atoms_that_a_residue_does_not_have_are_removed(self, read):
        structure = peptide(NAMES)
        atom = structure[0][0][0]["O"][0].clone()
        atom.name = "OXT"
        structure[0][0][0].add_atom(atom)
        assert "1 atoms removed that their residue does not have" in prepare(read(structure)).notes

    def test_nothing_that_the_force_field_knows_is_an_error(self, read):
        with pytest.raises(ModelFileError, match="left out: 2 MSE"):
            prepare(read(peptide(["MSE", "MSE"])))

    def test_what_pdbfixer_says_is_shown(self, read, monkeypatch):
        def fail(*_):
            raise KeyError("no template")

        monkeypatch.setattr("pdbfixer.PDBFixer.findMissingAtoms", fail)
        with pytest.raises(ModelFileError, match=r"PDBFixer cannot add .*no template"):
            prepare(read(peptide(NAMES)))
