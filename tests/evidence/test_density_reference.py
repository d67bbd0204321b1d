"""Density scores and support on real maps: another program, and atoms where nothing is."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from atomsight.density.map import Map
from atomsight.evidence.atom_density import atom_density, negative_density
from atomsight.evidence.inclusion import atom_inclusion, inclusion_curve, level_including
from atomsight.evidence.q_score import q_score
from atomsight.evidence.solvent import distance_histogram, solvent
from atomsight.evidence.support import NonPolymerSupport, Support, non_polymer_support
from atomsight.io.maps import read_map
from atomsight.io.models import read_model
from atomsight.model import AtomClass, Model
from tests.support.displaced import displaced_ligand, shell_places, with_waters
from tests.support.scene import make_model

FILES = {
    "apoferritin": ("emd_20026_apoferritin/map.mrc", "emd_20026_apoferritin/model.pdb"),
    "rdrp": ("emd_11007_rdrp/map.map.gz", "emd_11007_rdrp/7bv2_rigid_fit.pdb"),
    "trpv1": ("emd_5778_trpv1/map.mrc", "emd_5778_trpv1/3j5p_A.pdb"),
}


@cache
def scored(map_path: Path, model_path: Path) -> tuple[Map, Model, NonPolymerSupport]:
    map_, model = read_map(map_path), read_model(model_path)
    return map_, model, support_of(map_, model)


def support_of(map_: Map, model: Model) -> NonPolymerSupport:
    scores = q_score(map_, model)
    return non_polymer_support(model, atom_density(map_, model), scores.q, scores.counted)


def haemoglobin(demo_data: Path):
    return scored(demo_data / "emd_3488.mrc", demo_data / "5ni1.cif")


def extra(folder: Path, name: str):
    return scored(*(folder / file for file in FILES[name]))


def verdicts(model: Model, found: NonPolymerSupport, name: str) -> list[Support]:
    return [Support(code) for code in found.residue[model.residues.name == name]]


def test_inclusion_equals_that_of_another_interpolator(demo_data):
    # scipy's, with which EMDB's validation analysis 0.0.1.dev134 works
    map_, model, _ = haemoglobin(demo_data)
    axes = [
        map_.origin[a] + map_.voxel_size[a] * np.arange(map_.values.shape[2 - a]) for a in range(3)
    ]
    other = RegularGridInterpolator(axes, map_.values.transpose(2, 1, 0).astype(float))
    chosen = model.heavy & (model.atom_class != AtomClass.WATER)
    values = other(model.xyz[chosen])
    np.testing.assert_allclose(atom_density(map_, model).value[chosen], values, atol=1e-6)
    for level in (0.02, 0.05, 0.1):
        found = atom_inclusion(map_, model, level)
        assert found.all_atoms == pytest.approx((values > level).mean(), abs=1e-12)
        assert found.n == 4555
    trace = chosen & np.isin(model.atom, ["N", "CA", "C", "O", "OXT"])
    curve = inclusion_curve(map_, model)
    plain = [(other(model.xyz[trace]) > level).mean() for level in curve.level]
    np.testing.assert_allclose(curve.backbone, plain, atol=1e-12)


def test_density_scores_of_the_demo(demo_data):
    map_, model, _ = haemoglobin(demo_data)
    density = atom_density(map_, model)
    assert density.counted.sum() == 4579
    assert np.nanmean(density.trilinear) == pytest.approx(4.744, abs=0.001)
    assert np.nanmean(density.nearest) == pytest.approx(5.152, abs=0.001)
    found = negative_density(density)
    assert (found.n, found.below_zero, found.below_mean) == (4579, 67, 74)
    level = level_including(map_, model)
    assert level == pytest.approx(0.0449, abs=1e-4)
    assert atom_inclusion(map_, model, level).backbone == pytest.approx(0.919, abs=0.001)


@pytest.mark.parametrize(
    ("name", "mean", "below_zero"),
    [("apoferritin", 6.207, 3), ("rdrp", 9.023, 57), ("trpv1", 3.044, 53)],
)
def test_density_scores_of_other_maps(extra_data, name, mean, below_zero):
    map_, model, _ = extra(extra_data, name)
    density = atom_density(map_, model)
    assert np.nanmean(density.trilinear) == pytest.approx(mean, abs=0.001)
    assert negative_density(density).below_zero == below_zero


def test_haem_and_waters_of_the_demo_are_supported(demo_data):
    _, model, found = haemoglobin(demo_data)
    assert verdicts(model, found, "HEM") == [Support.SUPPORTED] * 4
    assert verdicts(model, found, "HOH") == [Support.SUPPORTED] * 24
    of_haem = model.residues.name == "HEM"
    np.testing.assert_array_equal(found.atoms[of_haem], 43)
    assert (found.atoms_supported[of_haem] >= 39).all()


def test_nearly_all_waters_at_high_resolution_are_supported(extra_data):
    _, model, found = extra(extra_data, "apoferritin")
    waters = verdicts(model, found, "HOH")
    assert waters.count(Support.SUPPORTED) == 220
    assert len(waters) == 229
    assert verdicts(model, found, "MG") == [Support.SUPPORTED] * 12


def test_what_is_not_in_the_map_is_unsupported(extra_data):
    # the map is of another complex than the model: without inhibitor, diphosphate, Mg and waters
    _, model, found = extra(extra_data, "rdrp")
    for name, n in (("F86", 1), ("POP", 1), ("MG", 2), ("HOH", 5)):
        kinds = verdicts(model, found, name)
        assert len(kinds) == n
        assert all(kind.unsupported for kind in kinds)
    assert verdicts(model, found, "ZN") == [Support.SUPPORTED] * 2


def test_a_model_of_protein_alone_has_nothing_to_judge(extra_data):
    _, _, found = extra(extra_data, "trpv1")
    assert (found.residue == Support.POLYMER).all()
    assert found.reference_q == pytest.approx(0.42, abs=0.01)


def share_supported(map_: Map, model: Model) -> tuple[int, float]:
    """How many waters at random places in the shell are supported."""
    places = shell_places(model, seed=0)
    found = support_of(map_, with_waters(model, places)).atom[len(model) :]
    judged = found[found != Support.NOT_JUDGED]
    return len(judged), float((judged == Support.SUPPORTED).mean())


def test_waters_where_nothing_is_are_hardly_ever_supported(demo_data):
    map_, model, _ = haemoglobin(demo_data)
    n, share = share_supported(map_, model)
    assert n > 1000
    assert share < 0.03


@pytest.mark.parametrize("name", sorted(FILES))
def test_waters_where_nothing_is_are_rarely_supported_in_other_maps(extra_data, name):
    map_, model, _ = extra(extra_data, name)
    n, share = share_supported(map_, model)
    assert n > 400
    assert share < 0.06


def test_q_and_density_tell_waters_from_random_places(extra_data):
    map_, model, _ = extra(extra_data, "apoferritin")
    both = with_waters(model, shell_places(model, seed=0))
    q, density = q_score(map_, both).q, atom_density(map_, both).trilinear
    water = np.flatnonzero(both.atom_class == AtomClass.WATER)
    real, random = water[water < len(model)], water[water >= len(model)]
    for values, least in ((q, 0.98), (density, 0.97)):
        area = (values[real][:, None] > values[random][None, :]).mean()
        assert area > least


@pytest.mark.parametrize("seed", [0, 1])
def test_a_haem_put_elsewhere_is_never_supported(demo_data, seed):
    map_, model, _ = haemoglobin(demo_data)
    heavy = model.heavy
    haem = (model.residue == np.flatnonzero(model.residues.name == "HEM")[0]) & heavy
    supports = []
    for place in displaced_ligand(model.xyz[haem], model.xyz[heavy], seed, 15):
        density = atom_density(map_, make_model(place)).trilinear
        scores = q_score(map_, make_model(place), neighbours=model.xyz[heavy]).q
        supports.append((np.nanmean(scores), np.nanmean(density)))
    q, height = np.array(supports).T
    _, _, known = haemoglobin(demo_data)
    assert (q < known.least_q / 2).all()
    assert (height < known.least_density).all()


def test_good_waters_lie_at_the_length_of_a_hydrogen_bond(extra_data):
    # sharp peaks at about 2.8 Å: Pintilie et al. (2020), Supplementary Fig. 11
    map_, model, found = extra(extra_data, "apoferritin")
    scores = q_score(map_, model)
    waters = solvent(model, scores.q, scores.counted, found)
    to_water = distance_histogram(waters, AtomClass.WATER, AtomClass.WATER)
    densest = to_water.edges[to_water.supported.argmax()]
    assert 2.2 <= densest <= 2.9
    kinds = waters.classes
    assert (kinds[AtomClass.WATER].n, kinds[AtomClass.ION].n) == (229, 12)
    assert kinds[AtomClass.WATER].q_quantiles[3] == pytest.approx(0.82, abs=0.01)
