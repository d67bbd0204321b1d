from dataclasses import replace

import numpy as np
import pytest

import atomsight as ats
from atomsight.density.map import map_from_array
from atomsight.errors import MapFileError
from atomsight.evidence.side_chain_density import ANGLES
from tests.support.verdicts import ATOMS, SIZE, VOXEL, asparagines, turned_side_chain

B = 40.0


def map_of(model, b=B):
    empty = map_from_array(np.zeros((SIZE, SIZE, SIZE), dtype=np.float32), VOXEL)
    return ats.simulate_map(model, empty, b_iso=b)


@pytest.fixture(scope="module")
def model():
    return asparagines()


@pytest.fixture(scope="module")
def truth(model):
    return map_of(model)


def test_a_right_side_chain_has_all_its_density_where_it_is(model, truth):
    found = ats.side_chain_density(truth, truth, model)
    assert found.here == pytest.approx(np.ones(len(model.residues)))
    # everything is explained: nothing is left elsewhere
    assert found.elsewhere == pytest.approx(np.zeros(len(model.residues)), abs=1e-6)


@pytest.mark.parametrize("angle", [60.0, 120.0, -120.0, 180.0])
def test_a_turned_side_chain_finds_its_density_elsewhere(model, truth, angle):
    wrong = turned_side_chain(model, 13, angle)
    found = ats.side_chain_density(truth, map_of(wrong), wrong)
    assert found.elsewhere[13] > 0.7
    assert found.most[13] == found.elsewhere[13]
    if abs(angle) > 100.0:
        assert found.here[13] < 0.2
    others = np.delete(np.arange(len(model.residues)), 13)
    assert found.here[others] == pytest.approx(1.0, abs=0.1)
    assert found.elsewhere[others].max() < 0.3


def test_a_side_chain_without_density_finds_none(model):
    b = np.full(len(model), B)
    b[(model.residue == 13) & np.isin(model.atom, ATOMS[5:])] = 600.0
    found = ats.side_chain_density(map_of(model, b), map_of(model), model)
    assert found.here[13] < 0.3
    assert found.most[13] < 0.35


def test_scale_is_that_of_both_maps(model, truth):
    wrong = turned_side_chain(model, 13, 120.0)
    expected = map_of(wrong)
    one = ats.side_chain_density(truth, expected, wrong)
    other = ats.side_chain_density(
        map_from_array(30.0 * truth.values + 4.0, VOXEL),
        map_from_array(30.0 * expected.values - 1.0, VOXEL),
        wrong,
    )
    assert other.here == pytest.approx(one.here, abs=1e-4)
    assert other.elsewhere == pytest.approx(one.elsewhere, abs=1e-4)


def test_the_true_angle_is_among_those_that_are_tried():
    assert {60, 120, 180, 240, 300} <= set(ANGLES)
    assert min(ANGLES) == 360 - max(ANGLES) == 45


@pytest.mark.parametrize("gone", ["CB", "CA"])
def test_without_an_axis_there_is_none(model, truth, gone):
    atom = model.atom.copy()
    atom[(model.residue == 2) & (model.atom == gone)] = "X"
    found = ats.side_chain_density(truth, truth, replace(model, atom=atom))
    assert np.isnan([found.here[2], found.elsewhere[2], found.most[2]]).all()
    assert np.isfinite(np.delete(found.here, 2)).all()


def test_a_single_atom_is_not_looked_at(model, truth):
    hydrogen = (model.residue == 2) & np.isin(model.atom, ["OD1", "ND2"])
    found = ats.side_chain_density(truth, truth, replace(model, hydrogen=hydrogen))
    assert np.isnan(found.most[2])


def test_only_protein_has_side_chains(model, truth):
    kinds = np.full(len(model.residues), ats.AtomClass.LIGAND)
    other = replace(model, residues=replace(model.residues, atom_class=kinds))
    assert np.isnan(ats.side_chain_density(truth, truth, other).most).all()


def test_grids_must_be_the_same(model, truth):
    small = map_from_array(np.zeros((20, 20, 20), dtype=np.float32), VOXEL)
    with pytest.raises(MapFileError, match="20 x 20 x 20"):
        ats.side_chain_density(truth, small, model)
