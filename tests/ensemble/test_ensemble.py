"""Everything that independent models say together."""

import numpy as np
import pytest

import atomsight as ats
from atomsight.ensemble.ensemble import measure_convergence
from atomsight.ensemble.importing import read_ensemble
from atomsight.errors import ParameterError
from tests.support.ensembles import SEQUENCE, jittered, write_ensemble
from tests.support.models import pdb_text, residue, write_model


def measured(*paths):
    return measure_convergence(read_ensemble(paths)[0])


def rosetta(extra_data):
    return [extra_data / "emd_5778_trpv1" / f"rosetta_{i}.pdb" for i in range(1, 6)]


def test_five_refinements_of_trpv1_lie_as_far_apart_as_is_known(extra_data):
    result = measured(*rosetta(extra_data))
    pairs = result.mutual[np.triu_indices(5, 1)]
    # of these files (EMD-5778, Rosetta), counted with other means; given as 0.34-0.65 Å
    assert pairs.min() == pytest.approx(0.338, abs=5e-4)
    assert pairs.max() == pytest.approx(0.646, abs=5e-4)
    assert {one.matched_by for one in result.members} == {"number"}
    assert (result.overall.n, result.overall.n_above_3) == (311, 0)
    assert result.notes == ()


def test_a_renumbered_model_is_matched_by_sequence_and_it_is_said(extra_data):
    renumbered = extra_data / "emd_5778_trpv1" / "renumbered_1.pdb"
    result = measured(*rosetta(extra_data), renumbered)
    odd = result.members[-1]
    assert (odd.matched_by, odd.missing, odd.left_out) == ("sequence", 5, 5)
    # by their place in the file it would be 6 Å
    assert 1.3 < np.median(result.mutual[-1, :-1]) < 1.6
    assert any("renumbered_1.pdb: its numbering differs" in note for note in result.notes)
    # nor does the order of the models matter
    turned = measured(renumbered, *rosetta(extra_data))
    np.testing.assert_allclose(turned.mutual[0, 1:], result.mutual[-1, :-1], rtol=1e-12)


def test_numbers_are_those_of_the_coordinates(tmp_path):
    result = measured(*write_ensemble(tmp_path, 5))
    assert (len(result), len(result.models)) == (16, 5)
    xyz = np.array([m.xyz[m.atom == "CA"] for m in result.models])
    squares = [((xyz[i] - xyz[j]) ** 2).sum(axis=1) for i in range(5) for j in range(i)]
    np.testing.assert_allclose(result.ca_rmsd, np.sqrt(np.mean(squares, axis=0)))
    np.testing.assert_allclose(
        result.ca_rmsd, result.ca_rmsd_to_mean * np.sqrt(2 * 5 / 4), rtol=1e-12
    )
    np.testing.assert_allclose(result.xyz, xyz.mean(axis=0))
    assert result.overall.mean == pytest.approx(result.ca_rmsd.mean())
    assert list(result.chains) == ["A"]
    others = result.mutual[0, 1:]
    assert result.members[0].rmsd_to_others == pytest.approx(np.sqrt((others**2).mean()))


def test_missing_residues_are_counted(tmp_path):
    paths = write_ensemble(tmp_path, 2)
    short = [a for a in jittered(9) if a.number not in (1, 8)]
    paths.append(write_model(tmp_path / "short.pdb", pdb_text(short)))
    result = measured(*paths)
    assert [one.missing for one in result.members] == [0, 0, 2]
    assert result.n.tolist() == [2, *[3] * 6, 2, *[3] * 8]
    assert np.isfinite(result.ca_rmsd).all()
    (note,) = result.notes
    assert note.startswith("2 of 16 residues are not in all models (missing: short.pdb 2)")


def test_residues_of_one_model_alone_have_no_rmsd(tmp_path):
    paths = write_ensemble(tmp_path, 2)
    long = jittered(9, names=f"{SEQUENCE} GLY")
    result = measured(*paths, write_model(tmp_path / "long.pdb", pdb_text(long)))
    assert np.isnan(result.ca_rmsd[-1])
    assert result.overall.n == 16
    assert "1 are in one model only" in result.notes[0]


def test_the_same_model_under_two_names_is_said(tmp_path):
    first, _ = write_ensemble(tmp_path, 2)
    water = residue("HOH", "O", number=99, record="HETATM", chain="W")
    copy = write_model(tmp_path / "copy.pdb", pdb_text([*jittered(1), *water]))
    assert "copy.pdb and model_1.pdb are the same within 0.001 Å" in measured(first, copy).notes[0]


def test_a_model_far_away_is_said(tmp_path):
    first, _ = write_ensemble(tmp_path, 2)
    far = write_model(tmp_path / "far.pdb", pdb_text(jittered(3, scale=40.0)))
    assert "far.pdb: lies far away" in measured(first, far).notes[0]


def test_what_is_refused(tmp_path):
    models = read_ensemble(write_ensemble(tmp_path, 2))[0]
    with pytest.raises(ParameterError, match="at least two models, not 1"):
        measure_convergence(models[:1])
    with pytest.raises(ParameterError, match="positive number of Å"):
        measure_convergence(models, resolution=-3.0)


def test_from_python(tmp_path):
    write_ensemble(tmp_path / "models", 3)
    result = ats.converge_models([tmp_path / "models"], resolution=3.0)
    assert isinstance(result, ats.Convergence)
    assert result.resolution == 3.0
    assert len(result.checksums) == 3
