"""Real maps: two deposited models, wrong poses of a haem, turned side chains."""

from pathlib import Path

import gemmi
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import atomsight as ats


def test_the_two_deposited_models_of_one_map(demo_data):
    result = ats.compare(
        [demo_data / "5me2.pdb", demo_data / "5ni1.cif"], demo_data / "emd_3488.mrc"
    )
    first, second = result.models
    assert (first.name, second.name) == ("5ni1.cif", "5me2.pdb")
    assert (len(result.atoms), result.ranked.sum()) == (4556, 4467)
    assert (first.figures.missing, second.figures.missing) == (1, 88)
    assert first.figures.q_model == pytest.approx(0.5535, abs=1e-4)  # as validate gives it
    d = second.below_best
    assert d.value == pytest.approx(0.064, abs=0.001)
    assert 0.003 < d.half_width < 0.008
    assert d.told_apart


def haem_pose(source: Path, target: Path, change) -> Path:
    """5NI1 with the haem of chain A elsewhere."""
    structure = gemmi.read_structure(str(source))
    atoms = [a for r in structure[0]["A"] if r.name == "HEM" for a in r]
    xyz = np.array([a.pos.tolist() for a in atoms])
    centre = xyz.mean(axis=0)
    axes = np.linalg.svd(xyz - centre)[2]
    for atom, place in zip(atoms, change(xyz, centre, axes), strict=True):
        atom.pos = gemmi.Position(*place)
    structure.make_mmcif_document().write_file(str(target))
    return target


def turned(degrees, axis):
    return lambda xyz, centre, axes: (
        centre + Rotation.from_rotvec(np.radians(degrees) * axes[axis]).apply(xyz - centre)
    )


def along(distance):
    return lambda xyz, _, axes: xyz + distance * axes[0]


POSES = {
    # how; atoms that it moves by more than 0.1 Å, or at all; whether it is told from the deposited
    "flipped.cif": (turned(180.0, 0), 43, True),
    "turned_over.cif": (turned(180.0, 1), 43, True),
    "tilted.cif": (turned(30.0, 0), 42, True),
    "beside.cif": (along(1.5), 43, True),
    "nearly.cif": (along(0.05), 43, False),
}


@pytest.mark.parametrize("name", POSES)
def test_a_wrong_haem_is_told_from_the_deposited_one_and_a_nearly_equal_one_is_not(
    demo_data, tmp_path, name
):
    change, count, apart = POSES[name]
    pose = haem_pose(demo_data / "5ni1.cif", tmp_path / name, change)
    result = ats.compare([pose, demo_data / "5ni1.cif"], demo_data / "emd_3488.mrc")
    assert (len(result.atoms), set(result.atoms.residue)) == (count, {"HEM"})
    first, second = result.models
    assert second.below_best.told_apart == apart
    assert second.tied == (not apart)
    if apart:
        assert first.name == "5ni1.cif"
        assert (
            f"Q lower than that of 5ni1.cif by {second.below_best.value:.3f} ±" in second.sentence
        )
    else:
        assert second.below_best.value < 0.005
        assert "cannot be told apart from" in second.sentence


def test_turned_side_chains_are_found_and_ranked_behind_the_truth(extra_data, tmp_path):
    folder = extra_data / "half_maps_simulated"
    halves = [folder / "half1.mrc.gz", folder / "half2.mrc.gz"]
    one, two = (ats.read_map(path) for path in halves)
    full = ats.write_map((one.values + two.values) / 2, one, tmp_path / "full.mrc")
    models = [folder / "wrong_rotamers.cif", folder / "truth.cif"]
    options = ats.CompareOptions(resolution=2.75, half_maps=ats.HalfMapOptions(*halves))
    result = ats.compare(models, full, options)
    atoms = result.atoms
    listed = (folder / "turned_residues.csv").read_text().splitlines()[1:]
    assert len(listed) == 38
    found = zip(atoms.chain, atoms.number, atoms.residue, strict=True)
    assert {",".join(map(str, key)) for key in found} == set(listed)
    first, second = result.models
    assert (first.name, second.name) == ("truth.cif", "wrong_rotamers.cif")
    assert second.below_best.value - second.below_best.half_width > 0.6
    # FSC-Q, only at these atoms, as at all atoms
    assert first.figures.fsc_q == pytest.approx(-0.157, abs=0.01)
    assert second.figures.fsc_q > 2.0
    assert np.isfinite(first.scores.fsc_q.fsc_q).sum() == 161
    for f, behind in ((first.figures, False), (second.figures, True)):
        assert (f.q_half_1 < 0.1) == (f.q_half_2 < 0.1) == behind
    whole = ats.validate(
        folder / "truth.cif", full, ats.Options(resolution=2.75, half_maps=options.half_maps)
    )
    rows = atoms.rows[first.place]
    np.testing.assert_allclose(first.scores.fsc_q.fsc_q[rows], whole.atoms["fsc_q"][rows])
