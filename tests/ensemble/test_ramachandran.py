import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from atomsight.ensemble.geometry import ramachandran
from atomsight.ensemble.geometry.ramachandran import Peptide, Region, backbone_geometry
from atomsight.errors import MissingLibraryError, ModelFileError
from atomsight.io.models import read_model
from tests.support.peptide import EXTENDED, HELIX, alanines, peptide, write_peptide

# cctbx and gemmi crash in one process, so cctbx is looked for and not imported
needs_cctbx = pytest.mark.skipif(
    importlib.util.find_spec("mmtbx") is None, reason="cctbx is not installed"
)


def judged(tmp_path, torsions, **options):
    return backbone_geometry([peptide(tmp_path / "peptide.pdb", torsions, **options)])[0]


def test_the_worker_loads_neither_gemmi_nor_numpy():
    code = (
        "import atomsight.ensemble.geometry.cctbx_worker, sys; "
        "print(sorted({'gemmi', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_cctbx_the_extra_to_install_is_named(tmp_path, monkeypatch):
    model = peptide(tmp_path / "peptide.pdb", [HELIX] * 3)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingLibraryError, match=r"pip install 'atomsight\[ensemble\]'"):
        backbone_geometry([model])


def test_no_models_give_nothing():
    assert backbone_geometry([]) == []


@needs_cctbx
def test_a_worker_that_fails_shows_its_last_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(ramachandran, "_WORKER", "atomsight.no_such_worker")
    with pytest.raises(ModelFileError, match="no_such_worker") as caught:
        judged(tmp_path, [HELIX] * 3)
    assert "peptide.pdb" in str(caught.value)


@needs_cctbx
def test_a_helix_is_favoured_but_for_its_ends(tmp_path):
    found = judged(tmp_path, [HELIX] * 6)
    assert found.region.tolist() == [3, 2, 2, 2, 2, 3]
    assert found.n_evaluated == 4
    assert (found.favoured_percent, found.outliers_percent) == (100.0, 0.0)
    np.testing.assert_allclose(found.phi[1:-1], -60.0, atol=0.2)
    np.testing.assert_allclose(found.psi[1:-1], -45.0, atol=0.2)
    assert np.isnan(found.phi[[0, -1]]).all()
    assert (found.score[1:-1] > 50).all()


@needs_cctbx
def test_an_impossible_residue_is_an_outlier(tmp_path):
    found = judged(tmp_path, [EXTENDED, EXTENDED, (0.0, 120.0), EXTENDED, EXTENDED])
    assert Region(found.region[2]) is Region.OUTLIER
    assert found.n_outliers == 1
    assert found.outliers_percent == pytest.approx(100 / 3)


@needs_cctbx
@pytest.mark.parametrize(
    ("omega", "kind"), [(180.0, "trans"), (170.0, "trans"), (5.0, "cis"), (-130.0, "twisted")]
)
def test_omega_tells_cis_from_twisted(tmp_path, omega, kind):
    found = judged(tmp_path, [EXTENDED] * 4, omega=[180.0, 180.0, omega, 180.0])
    labels = [Peptide(code).label for code in found.peptide]
    assert labels == ["not_evaluated", "trans", kind, "trans"]
    assert abs((found.omega[2] - omega + 180) % 360 - 180) < 0.2
    assert (found.n_cis, found.n_twisted) == (int(kind == "cis"), int(kind == "twisted"))


@needs_cctbx
def test_cis_before_proline_does_not_count(tmp_path):
    model = peptide(
        tmp_path / "p.pdb",
        [EXTENDED] * 4,
        omega=[180.0, 180.0, 0.0, 180.0],
        names=["ALA", "ALA", "PRO", "ALA"],
    )
    found = backbone_geometry([model])[0]
    assert Peptide(found.peptide[2]) is Peptide.CIS
    assert found.n_cis == 0


@needs_cctbx
def test_a_moved_c_beta_is_an_outlier(tmp_path):
    residues = alanines([HELIX] * 4)
    straight = backbone_geometry([read_model(write_peptide(tmp_path / "a.pdb", residues))])[0]
    assert (straight.c_beta_deviation < 0.1).all()
    residues[1]["CB"] = residues[1]["CB"] + np.array([0.0, 0.0, 0.4])
    moved = backbone_geometry([read_model(write_peptide(tmp_path / "b.pdb", residues))])[0]
    assert moved.n_c_beta_outliers == 1
    assert moved.c_beta_deviation[1] == pytest.approx(0.4, abs=0.1)


@needs_cctbx
def test_neighbours_are_found_in_space_not_by_number(tmp_path):
    residues = alanines([HELIX] * 7)
    for atoms in residues[4:]:
        for name in atoms:
            atoms[name] = atoms[name] + 3.0
    found = backbone_geometry([read_model(write_peptide(tmp_path / "gap.pdb", residues))])[0]
    assert found.region.tolist() == [3, 2, 2, 3, 3, 2, 3]


@needs_cctbx
def test_what_is_no_protein_is_not_evaluated(tmp_path):
    path = tmp_path / "water.pdb"
    path.write_text(
        "HETATM    1  O   HOH A   1       0.000   0.000   0.000  1.00 10.00           O\n"
    )
    found = backbone_geometry([read_model(path)])[0]
    assert found.region.tolist() == [Region.NOT_EVALUATED]
    assert np.isnan(found.favoured_percent)


@needs_cctbx
def test_the_most_occupied_conformer_is_judged(tmp_path):
    residues = alanines([HELIX] * 4)
    path = write_peptide(tmp_path / "a.pdb", residues, hydrogens=False)
    lines = path.read_text().splitlines()
    at = next(k for k, line in enumerate(lines) if line[12:16] == " CB " and line[22:26] == "   2")
    good = lines[at][:16] + "A" + lines[at][17:]
    x = float(good[30:38]) + 1.0
    bad = f"{good[:16]}B{good[17:30]}{x:8.3f}{good[38:]}"
    for occupancies, outliers in (((0.7, 0.3), 0), ((0.3, 0.7), 1)):
        both = [
            f"{line[:54]}{occupancy:6.2f}{line[60:]}"
            for line, occupancy in zip((good, bad), occupancies, strict=True)
        ]
        path.write_text("\n".join([*lines[:at], *both, *lines[at + 1 :]]) + "\n")
        assert backbone_geometry([read_model(path)])[0].n_c_beta_outliers == outliers


@needs_cctbx
def test_models_of_real_maps_agree_with_cctbx_itself(extra_data):
    """mmtbx.validation.ramalyze of cctbx-base 2025.11, run on the files themselves."""
    files = {
        "emd_20026_apoferritin/model.pdb": (170, 0, 98.24),
        "emd_3488_haemoglobin/5ni1.cif": (566, 0, 95.23),
        "emd_5778_trpv1/rosetta_1.pdb": (309, 4, 91.59),
    }
    found = backbone_geometry([read_model(extra_data / name) for name in files])
    for one, (evaluated, outliers, favoured) in zip(found, files.values(), strict=True):
        assert (one.n_evaluated, one.n_outliers) == (evaluated, outliers)
        assert one.favoured_percent == pytest.approx(favoured, abs=0.005)
