"""Copies by symmetry: the right operators, only where the map has them, and who is a neighbour."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest
from scipy.spatial import KDTree

from atomsight.density.map import map_from_array
from atomsight.density.sampling import trilinear
from atomsight.density.simulate import sum_of_gaussians
from atomsight.ensemble.engines.density_force import make_density
from atomsight.ensemble.engines.external import ExternalProtocol
from atomsight.ensemble.generation import GenerationOptions, inputs_of
from atomsight.ensemble.making import make_ensemble
from atomsight.ensemble.point_groups import point_group
from atomsight.ensemble.symmetry import LEAST, find_symmetry, with_neighbours
from atomsight.errors import ParameterError, ResultsError
from atomsight.io.map_writing import write_map
from atomsight.io.models import read_model
from atomsight.model import select
from tests.ensemble.generate_peptide import SHORT
from tests.ensemble.peptides import peptide, write
from tests.ensemble.test_density_force import prepared as prepared_atoms

SIZE = 48
CENTRE = np.full(3, SIZE / 2.0)


def placed(chain, turn, offset=(7.0, 1.0, 2.0)):
    """A short helix beside the centre, turned about it."""
    structure = peptide(["ALA"] * 8, chain=chain)
    atoms = [atom for residue in structure[0][0] for atom in residue]
    middle = np.mean([atom.pos.tolist() for atom in atoms], axis=0)
    for atom in atoms:
        place = turn @ (np.array(atom.pos.tolist()) - middle + offset) + CENTRE
        atom.pos = gemmi.Position(*place.tolist())
    return structure


def density_of(xyz, centre=CENTRE, size=SIZE):
    low = tuple((centre - size / 2.0).tolist())
    empty = map_from_array(np.zeros((size, size, size)), 1.0, low)
    values = sum_of_gaussians(empty, xyz, np.ones(len(xyz)), np.full(len(xyz), 1.2))
    # no voxel is 0, as in a map with noise
    noise = np.random.default_rng(5).normal(scale=1e-3, size=values.shape)
    return map_from_array(values + noise, 1.0, low)


def whole(turns):
    """All copies of the helix as one model."""
    structure = placed("A", turns[0])
    for i, turn in enumerate(turns[1:], 1):
        structure[0].add_chain(placed(chr(ord("A") + i), turn)[0][0])
    return structure


@pytest.fixture(scope="module", params=["C2", "C4", "D3"])
def scene(request, tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("scene")
    turns = point_group(request.param)[0]
    model = read_model(write(placed("A", turns[0]), tmp_path / "model.cif"))
    complete = read_model(write(whole(turns), tmp_path / "whole.cif"))
    return request.param, turns, model, complete, density_of(complete.xyz)


def test_the_copies_lie_where_the_map_has_them(scene):
    name, turns, model, complete, map_ = scene
    found = find_symmetry(name, model, map_)
    assert found.name == f"{name} about (24.00, 24.00, 24.00)"
    assert found.checked == len(turns) - 1
    assert found.correlation > 0.95
    images = [
        model.xyz @ turn.T + shift for turn, shift in zip(found.rotation, found.shift, strict=True)
    ]
    others = complete.xyz[len(model) :]
    apart = np.linalg.norm(np.concatenate(images)[:, None] - others[None], axis=2)
    # 3 decimals in files
    assert apart.min(axis=0) == pytest.approx(0.0, abs=2e-3)
    assert apart.min(axis=1) == pytest.approx(0.0, abs=2e-3)


def test_the_centre_is_found_in_boxes_between_voxels_too(tmp_path):
    turns = point_group("C3")[0]
    complete = read_model(write(whole(turns), tmp_path / "whole.cif"))
    model = read_model(write(placed("A", turns[0]), tmp_path / "model.cif"))
    map_ = density_of(complete.xyz, centre=CENTRE + 0.5)
    assert find_symmetry("C3", model, map_).name == "C3 about (24.00, 24.00, 24.00)"


def test_a_part_of_a_map_needs_the_centre(scene):
    name, _, model, _, map_ = scene
    part = replace(
        map_,
        values=np.ascontiguousarray(map_.values[4:, 6:, 8:]),
        origin=map_.origin + np.array([8.0, 6.0, 4.0]),
        full_shape=(SIZE - 8, SIZE - 6, SIZE - 4),
    )
    found = find_symmetry(f"{name}@24, 24,24", model, part)
    assert found.correlation > 0.95
    with pytest.raises(ParameterError, match=r"does not have the symmetry .*give the centre in Å"):
        find_symmetry(name, model, part)


@pytest.mark.parametrize("wrong", ["C5", "T", "O", "I"])
def test_a_symmetry_that_the_map_lacks_is_refused_with_the_figure(scene, wrong):
    _, _, model, _, map_ = scene
    with pytest.raises(
        ParameterError, match=rf"{wrong} about .* is -?\d\.\d\d, less than {LEAST:g}"
    ):
        find_symmetry(wrong, model, map_)


def test_masked_voxels_tell_nothing(scene):
    name, _, model, _, map_ = scene
    voxels = np.indices(map_.values.shape)[::-1].reshape(3, -1).T
    apart = KDTree(model.xyz).query(voxels)[0].reshape(map_.values.shape)

    def masked(radius):
        return replace(map_, values=np.where(apart < radius, map_.values, 0.0))

    assert find_symmetry(name, model, masked(5.0)).correlation > 0.95
    with pytest.raises(ParameterError, match="too little around the copies"):
        find_symmetry(name, model, masked(1.5))


@pytest.mark.parametrize("text", ["C2@1,2", "C2@a,b,c", "C2@1,2,nan", "C2@1,2,3,4"])
def test_a_centre_is_three_numbers(scene, text):
    _, _, model, _, map_ = scene
    with pytest.raises(ParameterError, match="three numbers in Å"):
        find_symmetry(text, model, map_)


def bare(model):
    """As prepared, without hydrogens: columns that matter here."""
    made = prepared_atoms(model.xyz)
    return replace(
        made, atom=model.atom, element=model.element, chain=np.unique(model.residues.chain)
    )


def test_density_of_a_copy_is_not_the_models(scene):
    name, _, model, _, map_ = scene
    before = bare(model)
    after = with_neighbours(before, find_symmetry(name, model, map_), model)
    assert name in after.symmetry
    assert "copies are neighbours" in after.notes[-1]
    theirs = after.others
    assert len(theirs) > 0
    far = theirs[np.linalg.norm(theirs[:, None] - model.xyz[None], axis=2).min(axis=1) > 4.0]
    at = {}
    for key, one in (("without", before), ("with", after)):
        made = make_density(map_, one, blur=1.5, lowest=-0.2, highest=2.0)
        at[key] = {"theirs": trilinear(made.map, far), "ours": trilinear(made.map, model.xyz)}
    inside = np.isfinite(at["without"]["theirs"])
    assert inside.any()
    assert np.median(at["without"]["theirs"][inside]) > 0.3
    assert np.median(at["with"]["theirs"][inside]) == pytest.approx(0.0, abs=1e-6)
    assert at["with"]["ours"] == pytest.approx(at["without"]["ours"], rel=0.5)


def test_models_with_and_without_symmetry_never_mix(scene):
    name, _, model, _, map_ = scene
    symmetry = find_symmetry(name, model, map_)
    before = bare(model)
    after = with_neighbours(before, symmetry, model)
    other = with_neighbours(before, replace(symmetry, shift=symmetry.shift + 0.5), model)
    # the name alone tells too: no copy may be near
    lonely = replace(before, symmetry=after.symmetry)
    assert len({inputs_of(one, map_, 3.0) for one in (before, after, other, lonely)}) == 4
    again = with_neighbours(before, find_symmetry(name, model, map_), model)
    assert inputs_of(again, map_, 3.0) == inputs_of(after, map_, 3.0)


def test_a_model_of_more_than_one_unit_is_refused_unless_one_is_chosen(scene):
    name, _, model, complete, map_ = scene
    symmetry = find_symmetry(name, complete, map_)
    with pytest.raises(ParameterError, match="more than one asymmetric unit: choose one"):
        with_neighbours(bare(complete), symmetry, complete)
    first = select(complete, "//A")
    symmetry = find_symmetry(name, complete, map_, first)
    others = complete.xyz[~first]
    chosen = replace(bare(model), others=others)
    made = with_neighbours(chosen, symmetry, complete)
    # nothing is added that lies on the model itself
    apart = np.linalg.norm(made.others[:, None] - model.xyz[None], axis=2).min()
    known = np.linalg.norm(others[:, None] - model.xyz[None], axis=2).min()
    assert apart == pytest.approx(known, abs=1e-2)


def with_assembly(structure, turns):
    assembly = gemmi.Assembly("1")
    generator = gemmi.Assembly.Gen()
    generator.subchains = [sub.subchain_id() for sub in structure[0].subchains()]
    for i, turn in enumerate(turns, 1):
        operator = gemmi.Assembly.Operator()
        operator.name = str(i)
        operator.transform.mat.fromlist(turn.tolist())
        operator.transform.vec.fromlist((CENTRE - turn @ CENTRE).tolist())
        generator.operators.append(operator)
    assembly.generators.append(generator)
    structure.assemblies.append(assembly)
    return structure


def test_an_assembly_is_the_same_as_its_point_group(scene, tmp_path):
    name, turns, _, _, map_ = scene
    structure = with_assembly(placed("A", turns[0]), turns)
    model = read_model(write(structure, tmp_path / "assembly.cif"))
    one = find_symmetry("assembly", model, map_)
    assert find_symmetry("Assembly:1", model, map_).digest == one.digest
    found = [with_neighbours(bare(model), s, model).others for s in
             (one, find_symmetry(name, model, map_))]  # fmt: skip
    assert len(found[0]) == len(found[1]) > 0
    assert np.sort(found[0], axis=0) == pytest.approx(np.sort(found[1], axis=0), abs=2e-3)
    with pytest.raises(ParameterError, match="describes no assembly 7; it has 1"):
        find_symmetry("assembly:7", model, map_)
    elsewhere = replace(map_, origin=map_.origin + 3.0)
    with pytest.raises(ParameterError, match=r"does not have the symmetry assembly.*in one frame"):
        find_symmetry("assembly", model, elsewhere)


def test_an_assembly_without_copies_is_told(scene, tmp_path):
    _, turns, model, _, map_ = scene
    with pytest.raises(ParameterError, match="describes no assembly"):
        find_symmetry("assembly", model, map_)
    structure = with_assembly(placed("A", turns[0]), turns[:1])
    model = read_model(write(structure, tmp_path / "assembly.cif"))
    with pytest.raises(ParameterError, match="holds nothing but the model as it is"):
        find_symmetry("assembly", model, map_)


def test_external_programs_do_their_own(tmp_path):
    options = GenerationOptions(3.0, protocol=ExternalProtocol("cp {model} {output}"))
    with pytest.raises(ParameterError, match="an external program gets model and map as they are"):
        make_ensemble("no.cif", "no.mrc", options, tmp_path / "out", symmetry="C2")
    assert not (tmp_path / "out").exists()


def test_made_models_know_of_it(tmp_path):
    pytest.importorskip("openmm")
    pytest.importorskip("pdbfixer")
    turns = point_group("C2")[0]
    complete = read_model(write(whole(turns), tmp_path / "whole.cif"))
    map_ = density_of(complete.xyz)
    map_path = write_map(map_.values, map_, tmp_path / "map.mrc")
    model = write(placed("A", turns[0]), tmp_path / "model.cif")
    options = GenerationOptions(resolution=3.0, models=1, workers=1, protocol=SHORT)
    made = make_ensemble(model, map_path, options, tmp_path / "out", symmetry="C2")
    assert made.prepared.symmetry.startswith("C2 about (24.00, 24.00, 24.00) ")
    assert len(made.prepared.others) > 0
    assert any("symmetry C2" in note for note in made.prepared.notes)
    assert "copies move with the model" in made.prepared.notes[-1]
    with pytest.raises(ResultsError, match="models of another protocol"):
        make_ensemble(model, map_path, options, tmp_path / "out")
    masked = replace(options, protocol=replace(SHORT, copies="masked"))
    made = make_ensemble(model, map_path, masked, tmp_path / "masked", symmetry="C2")
    assert made.prepared.copies is None
    # a folder of masked ones goes on as it began
    again = make_ensemble(model, map_path, options, tmp_path / "masked", symmetry="C2")
    assert again.models == made.models
    with pytest.raises(ResultsError, match="another model, map, resolution or symmetry"):
        make_ensemble(model, map_path, options, tmp_path / "masked")
