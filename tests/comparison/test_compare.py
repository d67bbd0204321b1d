"""Whole comparisons where the truth is known, because the map was made from one of the models."""

from dataclasses import replace

import numpy as np
import pytest

import atomsight as ats
from atomsight.comparison.scores import only
from atomsight.errors import ModelFileError, OverlayError, ParameterError
from tests.support.cases import moved, shifted, small_model, write_case, write_map_of
from tests.support.models import cif_text, write_model

HAEM = "//A/201"


def pair(folder, other, **options):
    """Compare the small model with another one in the map of the first."""
    model, map_ = write_case(folder)
    second = write_model(folder / "other.cif", cif_text(other))
    chosen = ats.CompareOptions(**{"resolution": 2.0} | options)
    return ats.compare([second, model], map_, chosen)


def test_the_model_that_made_the_map_is_first_whatever_the_order(tmp_path):
    other = shifted(small_model(), "HEM", (0.0, 0.7, 0.0))
    result = pair(tmp_path, other)
    assert [m.name for m in result.models] == ["model.cif", "other.cif"]
    assert [m.rank for m in result.models] == [1, 2]
    best, second = result.models
    assert best.figures.q > second.figures.q + 0.2
    assert best.below_best is None
    assert second.below_best.value == pytest.approx(best.figures.q - second.figures.q)
    assert best.place == 1
    assert second.figures.q_model < best.figures.q_model


def test_figures_are_those_of_the_functions_at_the_ranked_atoms(tmp_path):
    result = pair(tmp_path, shifted(small_model(), "HEM", (0.0, 0.7, 0.0)), contour=0.6)
    map_ = ats.read_map(tmp_path / "map.mrc")
    for found in result.models:
        model = ats.read_model(tmp_path / found.name)
        haem = ats.select(model, HAEM)
        q = ats.q_score(map_, model, orientations=8)
        at = ats.atom_density(map_, model)
        f = found.figures
        assert f.atoms == 4
        assert f.q == pytest.approx(q.q[haem].mean(), abs=1e-9)
        assert f.q_sampling == pytest.approx(q.orientation_q[:, haem].mean(axis=1).std(ddof=1))
        assert f.q_lowest == pytest.approx(q.q[haem].min(), abs=1e-9)
        names = model.atom[haem]
        assert f.q_lowest_atom == f"A/HEM 201 {names[q.q[haem].argmin()]}"
        assert f.density == pytest.approx(at.trilinear[haem].mean(), abs=1e-6)
        assert f.below_zero == np.mean(at.value[haem] < 0)
        assert f.inclusion == np.mean(at.value[haem] > 0.6)
        dry = model.atom_class != ats.AtomClass.WATER
        assert f.q_model == pytest.approx(q.q[dry].mean(), abs=1e-9)
        assert np.isnan([f.fsc_q, f.fsc_q_median, f.local_resolution_half]).all()
    assert (result.contour, result.contour_source) == (0.6, "given")


def test_the_contour_includes_nine_tenths_of_the_polymer_of_every_model(tmp_path):
    result = pair(tmp_path, shifted(small_model(), "GLY", (0.0, 0.5, 0.0)))
    map_ = ats.read_map(tmp_path / "map.mrc")
    shares = []
    for found in result.models:
        model = found.scores.model
        polymer = only(model, model.atom_class == ats.AtomClass.PROTEIN)
        shares.append(ats.atom_inclusion(map_, polymer, result.contour).all_atoms)
    assert min(shares) == pytest.approx(11 / 12)  # 12 atoms: 11 are the fewest that reach 0.9


def test_atoms_that_a_model_lacks_rank_nobody(tmp_path):
    other = [a for a in shifted(small_model(), "HEM", (0, 0.7, 0)) if a.name != "CHA"]
    result = pair(tmp_path, other)
    assert (len(result.atoms), result.ranked.sum()) == (4, 3)
    assert [m.figures.missing for m in result.models] == [0, 1]
    assert {m.figures.atoms for m in result.models} == {3}
    path = tmp_path / "other.cif"
    assert (
        f"{path}: lacks 1 of the 4 compared atoms, of A/HEM 201; no model is ranked by them"
        in result.notes
    )


def test_an_atom_without_a_q_in_one_model_ranks_nobody(tmp_path):
    other = [
        replace(a, xyz=(500.0, 500.0, 500.0)) if a.name == "FE" else a
        for a in shifted(small_model(), "HEM", (0, 0.7, 0))
    ]
    result = pair(tmp_path, other)
    assert [m.figures.without_q for m in result.models] == [0, 1]
    assert {m.figures.atoms for m in result.models} == {3}


def test_a_pose_outside_the_map_is_named(tmp_path):
    other = shifted(small_model(), "HEM", (500.0, 0, 0))
    with pytest.raises(ParameterError, match=r"of .*other\.cif 0 of 4 have one \(outside the map"):
        pair(tmp_path, other)


def test_a_ligand_of_four_places_or_fewer_is_not_judged(tmp_path):
    result = pair(tmp_path, shifted(small_model(), "MG", (0, 0.7, 0)))
    second = result.models[1]
    assert second.tied
    assert "1 atoms in 1 places are too few to tell them apart" in second.sentence
    assert result.models[0].sentence.endswith("but not told apart from other.cif")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"orientations": 1}, "at least 2 orientations"),
        ({"seed": -1}, "a seed must not be negative"),
        ({"resolution": -1.0}, "resolution must be a positive number"),
        ({"contour": float("nan")}, "a contour level must be a number"),
    ],
)
def test_options_that_mean_nothing(options, message):
    with pytest.raises(ParameterError, match=message):
        ats.CompareOptions(**options)


def test_fewer_than_two_models_and_the_same_file_twice_are_refused(tmp_path):
    model, map_ = write_case(tmp_path)
    copy = write_model(tmp_path / "copy.cif", model.read_bytes())
    with pytest.raises(ParameterError, match="at least two models"):
        ats.compare([model], map_)
    with pytest.raises(ParameterError, match=r"model\.cif: this model is given twice"):
        ats.compare([model, tmp_path / "." / "model.cif"], map_)
    with pytest.raises(ParameterError, match=r"copy\.cif: the same file as .*model\.cif"):
        ats.compare([model, copy], map_)
    with pytest.raises(ModelFileError, match=r"none\.cif: no such model file"):
        ats.compare([model, tmp_path / "none.cif"], map_)


def test_every_model_must_lie_in_the_map(tmp_path):
    away = moved(small_model(), (1.2, 1.2, 1.2))
    with pytest.raises(OverlayError, match=r"other\.cif: this model does not lie in"):
        pair(tmp_path, away)
    result = pair(tmp_path, away, force=True)
    assert [m.name for m in result.models] == ["model.cif", "other.cif"]
    assert any("other.cif does not lie in the map" in note for note in result.notes)


def test_resolution_comes_from_the_models_and_a_contradiction_is_noted(tmp_path):
    tag = "_em_3d_reconstruction.resolution"
    one, map_ = write_case(tmp_path, before=f"{tag} 3.2\n")
    other = cif_text(shifted(small_model(), "HEM", (0, 0.7, 0)), f"{tag} 2.8\n")
    two = write_model(tmp_path / "two.cif", other)
    result = ats.compare([one, two], map_)
    assert (result.resolution, result.resolution_source) == (3.2, f"{tag} of model.cif")
    assert f"{two} gives 2.8 Å, not 3.2 Å (--resolution)" in result.notes
    assert result.expected == ats.expected_q(3.2, 0.4)[0]
    assert ats.compare([one, two], map_, ats.CompareOptions(resolution=2.0)).resolution == 2.0


@pytest.mark.parametrize(
    ("resolution", "halves", "message"),
    [
        (None, {}, "FSC-Q needs the resolution for its window: give --resolution or --box"),
        (2.0, {"mask_level": 0.1}, "mask_level: not for comparisons"),
        (2.0, {"volume_step": 2}, "volume_step: not for comparisons"),
    ],
)
def test_options_of_half_maps_that_mean_nothing_here(tmp_path, resolution, halves, message):
    one, two = tmp_path / "half1.mrc", tmp_path / "half2.mrc"
    options = {"resolution": resolution, "half_maps": ats.HalfMapOptions(one, two, **halves)}
    with pytest.raises(ParameterError, match=message):
        pair(tmp_path, shifted(small_model(), "HEM", (0, 0.7, 0)), **options)


def test_files_of_one_name_are_told_by_their_paths_and_lone_ligands_are_noted(tmp_path):
    haem = [a for a in small_model() if a.residue == "HEM"]
    for name, atoms in (("a", haem), ("b", moved(haem, (0.4, 0, 0)))):
        (tmp_path / name).mkdir()
        write_model(tmp_path / name / "pose.cif", cif_text(atoms))
    paths = [tmp_path / name / "pose.cif" for name in "ab"]
    map_ = write_map_of(tmp_path / "map.mrc", small_model())
    result = ats.compare(paths, map_, ats.CompareOptions(resolution=2.0))
    assert [m.name for m in result.models] == [str(p) for p in paths]
    assert sum("holds no polymer" in note for note in result.notes) == 2
    assert np.isnan(result.contour)
    assert np.isnan(result.models[0].figures.inclusion)
