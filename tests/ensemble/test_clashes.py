from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.ensemble.geometry.clashes import clashes, sphere_dots
from atomsight.ensemble.geometry.radii import contacts
from atomsight.errors import ModelFileError
from atomsight.io.models import read_model
from atomsight.model import AtomClass
from tests.support.naive_clashes import naive_clashes
from tests.support.peptide import HELIX, peptide
from tests.support.scene import make_model

TWO_LIGANDS = (("A", 1, "", "LGA", AtomClass.LIGAND), ("A", 2, "", "LGB", AtomClass.LIGAND))
ELECTRON_CLOUD = 0.97


def facing(distance, first="C", second="C", *, names=("C1", "C2"), residues=TWO_LIGANDS, **columns):
    """Two heavy atoms at a distance, each with a hydrogen on its far side."""
    return make_model(
        [[0, 0, 0], [-ELECTRON_CLOUD, 0, 0], [distance, 0, 0], [distance + ELECTRON_CLOUD, 0, 0]],
        atom=[names[0], "H1", names[1], "H2"],
        element=[first, "H", second, "H"],
        residue=[0, 0, 1, 1],
        residues=residues,
        **columns,
    )


def pairs(model):
    return [tuple(pair) for pair in clashes(model).pairs.tolist()]


@pytest.mark.parametrize(
    ("first", "second", "sum_of_radii"),
    [("C", "C", 3.4), ("C", "N", 3.25), ("C", "O", 3.1), ("C", "S", 3.5), ("C", "P", 3.5)],
)
def test_atoms_clash_from_an_overlap_of_0_4(first, second, sum_of_radii):
    assert pairs(facing(sum_of_radii - 0.37, first, second)) == []
    assert pairs(facing(sum_of_radii - 0.45, first, second)) == [(0, 2)]
    found = clashes(facing(sum_of_radii - 0.7, first, second))
    assert found.overlap[0] == pytest.approx(0.7, abs=0.03)
    assert found.overlap[0] <= 0.7


def test_the_score_counts_clashes_of_1000_atoms():
    found = clashes(facing(2.7))
    assert found.n_atoms == 4
    assert found.clashscore == 250.0
    assert found.per_residue.tolist() == [1, 1]
    np.testing.assert_allclose(found.worst, found.overlap[0])
    assert "MolProbity-style" in found.definition
    assert "electron-cloud" in found.definition


def test_a_residue_without_a_clash_has_no_worst_overlap():
    found = clashes(facing(9.0))
    assert found.clashscore == 0.0
    assert found.per_residue.tolist() == [0, 0]
    assert np.isnan(found.worst).all()


@pytest.mark.parametrize(("altloc", "expected"), [("AABB", []), ("AAAA", [(0, 2)])])
def test_atoms_of_two_conformers_do_not_clash(altloc, expected):
    assert pairs(facing(2.7, altloc=list(altloc))) == expected


def test_atoms_hardly_there_do_not_count():
    model = facing(2.7)
    model.occupancy[2:] = 0.1
    found = clashes(model)
    assert (found.n_atoms, len(found.pairs)) == (2, 0)


def water_near_carbon(distance, kind):
    residues = (TWO_LIGANDS[0], ("A", 2, "", "HOH", AtomClass.WATER), ("A", 3, "", "HOH", kind))
    return make_model(
        [[0, 0, 0], [-0.97, 0, 0], [50, 0, 0], [50 + distance, 0, 0]],
        atom=["C1", "H1", "O", "O"],
        element=["C", "H", "O", "O"],
        residue=[0, 0, 1, 2],
        residues=residues,
    )


def test_two_waters_do_not_clash_and_are_not_counted():
    found = clashes(water_near_carbon(2.0, AtomClass.WATER))
    assert (found.n_atoms, len(found.pairs)) == (2, 0)
    assert len(clashes(water_near_carbon(2.0, AtomClass.LIGAND)).pairs) == 1


def hydrogen_bond(distance, donor="N", acceptor="O", names=("N1", "O2"), residues=TWO_LIGANDS):
    """A donor with its hydrogen, which points at an acceptor with a hydrogen on its far side."""
    return make_model(
        [[-0.86, 0, 0], [0, 0, 0], [distance, 0, 0], [distance + 0.97, 0, 0]],
        atom=[names[0], "H1", names[1], "H2"],
        element=[donor, "H", acceptor, "H"],
        residue=[0, 0, 1, 1],
        residues=residues,
    )


def test_a_hydrogen_bond_may_overlap_by_0_6_more():
    # 1.05 + 1.40 = 2.45 Å in the electron cloud
    assert pairs(hydrogen_bond(1.55)) == []
    assert (1, 2) in pairs(hydrogen_bond(1.38))
    assert (1, 2) in pairs(hydrogen_bond(1.98, donor="C"))
    found = clashes(hydrogen_bond(1.30))
    at = found.pairs.tolist().index([1, 2])
    assert found.overlap[at] == pytest.approx(2.45 - 1.30 - 0.6, abs=0.04)


def test_a_salt_bridge_may_overlap_by_0_8_more():
    residues = (("A", 1, "", "LYS", AtomClass.PROTEIN), ("A", 2, "", "GLU", AtomClass.PROTEIN))
    options = {"names": ("NZ", "OE1"), "residues": residues}
    assert (1, 2) not in pairs(hydrogen_bond(1.38, **options))
    assert (1, 2) in pairs(hydrogen_bond(1.15, **options))


def test_cysteines_in_a_bridge_do_not_clash():
    residues = (("A", 1, "", "CYS", AtomClass.PROTEIN), ("A", 9, "", "CYS", AtomClass.PROTEIN))
    assert pairs(facing(2.05, "S", "S", names=("SG", "SG"), residues=residues)) == []
    assert pairs(facing(2.60, "S", "S", names=("SG", "SG"), residues=residues)) == [(0, 2)]


def test_hydrogens_at_the_nuclei_have_smaller_radii(tmp_path):
    model = peptide(tmp_path / "p.pdb", [HELIX] * 4)
    found = contacts(model)
    assert found.nuclear
    assert set(found.radius[model.atom == "HA"].tolist()) == {1.17}
    assert set(found.radius[model.atom == "H"].tolist()) == {1.00}
    assert set(found.radius[model.atom == "C"].tolist()) == {1.65}
    near = contacts(facing(3.0))
    assert not near.nuclear
    assert near.radius.tolist() == [1.70, 1.22, 1.70, 1.22]


def test_a_helix_has_no_clashes(tmp_path):
    assert clashes(peptide(tmp_path / "p.pdb", [HELIX] * 12)).clashscore == 0.0


@pytest.mark.parametrize("keep", [0, 6])
def test_models_without_hydrogens_are_refused(tmp_path, keep):
    model = peptide(tmp_path / "p.pdb", [HELIX] * 12)
    bare = model.hydrogen & (np.cumsum(model.hydrogen) > keep)
    part = {
        name: getattr(model, name)[~bare]
        for name in (
            "xyz",
            "atom",
            "element",
            "altloc",
            "occupancy",
            "b_iso",
            "hydrogen",
            "residue",
            "row",
        )
    }
    with pytest.raises(ModelFileError, match=rf"{keep} hydrogens beside 60 other atoms") as caught:
        clashes(replace(model, **part))
    assert "p.pdb" in str(caught.value)


@pytest.mark.parametrize("seed", range(4))
def test_a_second_implementation_finds_the_same(tmp_path, seed):
    """All pairs in plain loops, on crumpled chains that run through themselves."""
    rng = np.random.default_rng(seed)
    torsions = rng.uniform(-180, 180, (7, 2))
    model = peptide(tmp_path / "p.pdb", [tuple(pair) for pair in torsions])
    kinds = contacts(model)
    expected = naive_clashes(model, kinds.radius, kinds.donor, kinds.acceptor)
    found = clashes(model)
    assert {tuple(pair) for pair in found.pairs.tolist()} == set(expected)
    assert len(expected) > 0
    for pair, overlap in zip(found.pairs.tolist(), found.overlap, strict=True):
        assert overlap == pytest.approx(expected[tuple(pair)], abs=1e-9)


@settings(max_examples=10)
@given(st.tuples(*[st.floats(-100, 100)] * 3))
def test_moving_the_model_changes_nothing(shift):
    model = facing(2.8)
    moved = replace(model, xyz=model.xyz + np.array(shift))
    assert clashes(moved).overlap == pytest.approx(clashes(model).overlap, abs=1e-6)


def test_worst_clashes_come_first_and_the_order_of_atoms_does_not_matter(tmp_path):
    rng = np.random.default_rng(5)
    model = peptide(tmp_path / "p.pdb", [tuple(t) for t in rng.uniform(-180, 180, (12, 2))])
    found = clashes(model)
    assert (np.diff(found.overlap) <= 0).all()
    order = rng.permutation(len(model))
    columns = (
        "xyz",
        "atom",
        "element",
        "altloc",
        "occupancy",
        "b_iso",
        "hydrogen",
        "residue",
        "row",
    )
    mixed = clashes(replace(model, **{name: getattr(model, name)[order] for name in columns}))
    renamed = {tuple(sorted(order[pair].tolist())) for pair in mixed.pairs}
    assert renamed == {tuple(pair) for pair in found.pairs.tolist()}


def test_dots_are_spread_evenly():
    dots = sphere_dots(1.7)
    assert len(dots) == round(4 * np.pi * 1.7**2 * 16)
    np.testing.assert_allclose(np.linalg.norm(dots, axis=1), 1.0)
    np.testing.assert_allclose(dots.mean(axis=0), 0.0, atol=0.01)


def test_refined_models_have_as_many_clashes_as_probe_counts(extra_data):
    """Dots of mmtbx_probe_ext (cctbx-base 2025.11), density 16, on the same radii and bonds.

    It places its dots otherwise, so marginal clashes (up to 0.43 Å) differ: 88 of 103 are common.
    """
    probe = [21, 22, 19, 24, 17]
    ours = [
        len(clashes(read_model(extra_data / f"emd_5778_trpv1/rosetta_{k}.pdb")).pairs)
        for k in range(1, 6)
    ]
    assert sum(ours) == pytest.approx(sum(probe), rel=0.15)
    assert np.abs(np.subtract(ours, probe)).max() <= 6
