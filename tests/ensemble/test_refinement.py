import importlib.util
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest

from atomsight.density.map import map_from_array
from atomsight.ensemble.ranking import rank_by_quality
from atomsight.ensemble.refinement import (
    b_from_q,
    guard,
    refine_coordinates,
    with_columns,
    write_mmcif,
)
from atomsight.ensemble.servalcat import b_from_servalcat
from atomsight.errors import MissingLibraryError, ModelFileError, ParameterError
from atomsight.io.maps import read_map
from atomsight.io.models import read_model
from tests.support.peptide import EXTENDED, HELIX, alanines, peptide, write_peptide
from tests.support.scene import noise_map

needs_cctbx = pytest.mark.skipif(
    importlib.util.find_spec("mmtbx") is None, reason="cctbx is not installed"
)
BAD = (0.0, 120.0)


def model_file(path, torsions):
    return write_peptide(path, alanines(torsions))


@needs_cctbx
def test_a_refinement_that_spoils_the_backbone_is_refused(tmp_path):
    good, bad = [EXTENDED] * 5, [EXTENDED, EXTENDED, BAD, EXTENDED, EXTENDED]
    one = model_file(tmp_path / "one.pdb", good)
    two = model_file(tmp_path / "two.pdb", bad)
    calls = []

    def exchange(model, map_, output):
        calls.append(map_)
        model_file(output, bad if model == one else good)

    map_ = noise_map(0)
    found = refine_coordinates([one, two], map_, exchange, tmp_path / "refined")
    assert [r.accepted for r in found] == [False, True]
    assert [r.path for r in found] == [one, tmp_path / "refined" / "two.pdb"]
    assert found[0].reason == "refused: Ramachandran outliers rose, 0 → 1 of 3"
    assert found[1].reason == ("accepted: Ramachandran outliers 1 → 0 of 3, wrong hands 0 → 0 of 5")
    assert all(map_ is call for call in calls)


@needs_cctbx
def test_the_same_model_is_accepted_and_a_shorter_one_is_refused(tmp_path):
    long = model_file(tmp_path / "a.pdb", [HELIX] * 6)
    short = model_file(tmp_path / "b.pdb", [HELIX] * 5)
    same, lost = guard([long, long], [long, short])
    assert same.accepted
    assert not lost.accepted
    assert lost.reason == (
        "refused: Ramachandran outliers could be counted at 3 places after the refinement, at 4 "
        "before"
    )


def test_a_refinement_that_writes_nothing_is_told(tmp_path):
    path = model_file(tmp_path / "a.pdb", [HELIX] * 3)
    with pytest.raises(ModelFileError, match=r"a\.pdb: its refinement wrote no .*refined.a\.pdb"):
        refine_coordinates([path], noise_map(0), lambda *_: None, tmp_path / "refined")


def test_two_models_of_one_name_are_refused(tmp_path):
    (tmp_path / "x").mkdir()
    one = model_file(tmp_path / "a.pdb", [HELIX] * 3)
    other = model_file(tmp_path / "x" / "a.pdb", [HELIX] * 3)
    with pytest.raises(ParameterError, match=r"the name a\.pdb"):
        refine_coordinates([one, other], noise_map(0), shutil.copy, tmp_path / "refined")


def test_new_columns_stand_in_the_structure_and_in_the_file(tmp_path):
    model = peptide(tmp_path / "p.pdb", [HELIX] * 3)
    b = np.arange(len(model), dtype=float)
    new = with_columns(model, xyz=model.xyz + 1.5, b_iso=b)
    assert model.b_iso.max() == 20.0
    again = read_model(write_mmcif(new, tmp_path / "new.cif"))
    np.testing.assert_allclose(again.b_iso, b)
    np.testing.assert_allclose(again.xyz, model.xyz + 1.5, atol=1e-3)
    assert again.atom.tolist() == model.atom.tolist()


def blob_map(model, shape=(48, 48, 48), voxel=0.6):
    """A Gaussian on every heavy atom, wider along the chain."""
    origin = model.xyz.mean(axis=0) - voxel * np.array(shape) / 2
    z, y, x = np.mgrid[: shape[2], : shape[1], : shape[0]] * voxel
    values = np.zeros(shape[::-1], dtype=np.float32)
    for k, place in enumerate(model.xyz[model.heavy]):
        width = 0.35 + 0.01 * k
        square = sum((a + o - p) ** 2 for a, o, p in zip((x, y, z), origin, place, strict=True))
        values += (np.exp(-square / (2 * width**2)) / width**3).astype(np.float32)
    return map_from_array(values, voxel, tuple(origin))


def test_b_factors_from_q_rise_where_the_map_is_blurred(tmp_path):
    model = peptide(tmp_path / "p.pdb", [EXTENDED] * 5)
    new, fit = b_from_q(blob_map(model), model, resolution=2.0)
    np.testing.assert_array_equal(new.b_iso, fit.b.b_iso)
    heavy = np.flatnonzero(model.heavy)
    assert new.b_iso[heavy[-6:]].mean() > new.b_iso[heavy[:6]].mean()
    assert (new.b_iso > 0).all()


SERVALCAT = """#!{python}
import sys
sys.path[:0] = {path}
import numpy as np
from pathlib import Path
import gemmi
from atomsight.io.maps import read_map
options = dict(zip(sys.argv[2::1], sys.argv[3::1]))
assert sys.argv[1] == "refine_spa_norefmac" and "--fix_xyz" in sys.argv
map_ = read_map(options["--map"])
assert np.abs(map_.origin).max() == 0, "this map has an origin"
structure = gemmi.read_structure(options["--model"])
for site in structure[0].all():
    index = np.array(site.atom.pos.tolist()) / map_.voxel_size
    assert (index > 0).all() and (index < map_.values.shape[::-1]).all(), "outside the map"
    site.atom.b_iso = site.atom.serial
    if {move}:
        site.atom.pos = site.atom.pos + gemmi.Position(0.5, 0, 0)
if {fail}:
    print("no monomer library\\nERROR: of the stand-in")
    raise SystemExit(3)
if {write}:
    structure.make_mmcif_document().write_file("refined.mmcif")
"""


@pytest.fixture
def stand_in(tmp_path):
    """A program that takes servalcat's place; B becomes the serial of the atom."""

    def make(*, move=False, fail=False, write=True):
        path = tmp_path / "stand_in"
        text = SERVALCAT.format(
            python=sys.executable, path=sys.path, move=move, fail=fail, write=write
        )
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    return make


def far_away(tmp_path):
    """A model far from zero in a map that only its origin words put there."""
    model = peptide(tmp_path / "p.pdb", [EXTENDED] * 3)
    model = with_columns(model, xyz=model.xyz + np.array([120.0, -60.0, 33.3]))
    return model, blob_map(model)


def test_servalcat_gets_a_map_without_origin_and_the_model_as_shifted(tmp_path, stand_in):
    model, map_ = far_away(tmp_path)
    new = b_from_servalcat(map_, model, resolution=3.0, program=stand_in())
    np.testing.assert_array_equal(new.b_iso, np.arange(len(model)) + 1.0)
    np.testing.assert_array_equal(new.xyz, model.xyz)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"fail": True}, r"servalcat failed \(exit code 3\)(.|\n)*ERROR: of the stand-in"),
        ({"write": False}, "servalcat wrote no model"),
        ({"move": True}, r"servalcat moved atoms by up to 0\.500 Å"),
    ],
)
def test_what_servalcat_does_wrong_is_told(tmp_path, stand_in, how, message):
    model, map_ = far_away(tmp_path)
    with pytest.raises(ModelFileError, match=message) as caught:
        b_from_servalcat(map_, model, resolution=3.0, program=stand_in(**how))
    assert "p.pdb" in str(caught.value)


def test_without_servalcat_both_ways_out_are_named(tmp_path):
    model, map_ = far_away(tmp_path)
    with pytest.raises(MissingLibraryError, match=r"atomsight\[ensemble\].*fitted from Q-scores"):
        b_from_servalcat(map_, model, resolution=3.0, program=str(tmp_path / "no_servalcat"))


def test_skewed_maps_are_refused(tmp_path):
    model, map_ = far_away(tmp_path)
    step = map_.step.copy()
    step[0, 1] = 0.2
    with pytest.raises(ParameterError, match="right angles"):
        b_from_servalcat(replace(map_, step=step), model, resolution=3.0)


@needs_cctbx
def test_judged_models_are_ranked(tmp_path):
    pytest.importorskip("openmm")
    from atomsight.ensemble.geometry.quality import model_quality

    torsions = [[EXTENDED, EXTENDED, BAD, EXTENDED], [EXTENDED] * 4]
    models = [peptide(tmp_path / f"{k}.pdb", t) for k, t in enumerate(torsions)]
    quality = model_quality(models)
    rows = [one.row() for one in quality]
    assert [row["ramachandran_outliers_percent"] for row in rows] == [50.0, 0.0]
    assert rank_by_quality(quality, np.array([1.0, 1.0]), keep=1).kept.tolist() == [1]


def test_servalcat_itself_refines_against_a_map_with_origin_words(extra_data):
    """servalcat 0.4.142 on EMD-20026: B factors are those of a model that lies in the map."""
    program = shutil.which("servalcat") or str(shutil.which("servalcat", path=sys.prefix + "/bin"))
    if program == "None":
        pytest.skip("servalcat is not installed")
    folder = extra_data / "emd_20026_apoferritin"
    model, map_ = read_model(folder / "model.pdb"), read_map(folder / "map.mrc")
    new = b_from_servalcat(map_, model, resolution=1.75, program=program)
    assert 20 < new.b_iso.mean() < 40
    protein = model.atom_class == 0
    assert np.corrcoef(new.b_iso[protein], model.b_iso[protein])[0, 1] > 0.4
