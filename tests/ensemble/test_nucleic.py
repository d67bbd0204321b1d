"""RNA, and RNA beside protein, through the whole job."""

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import gemmi
import numpy as np
import pytest

from atomsight.ensemble.convergence import pairwise_rmsd
from atomsight.ensemble.generation import GenerationOptions
from atomsight.ensemble.geometry.covalent import covalent_geometry
from atomsight.ensemble.pipeline import converge
from atomsight.ensemble.refinement import guard, with_columns, write_mmcif
from atomsight.export.ensemble import write_ensemble
from atomsight.io.map_writing import write_map
from atomsight.io.models import read_model
from tests.ensemble.generate_peptide import NAMES, SHORT
from tests.ensemble.peptides import map_around, peptide, write

RNA = Path(__file__).parents[1] / "reference" / "7bv2_rna.pdb"
"""A U A A, numbers 11 to 14 of chain T."""

PROTOCOL = replace(SHORT, force_field=("amber19/protein.ff19SB.xml", "amber14/RNA.OL3.xml"))

needs_all = pytest.mark.skipif(
    not all(find_spec(name) for name in ("openmm", "pdbfixer", "mmtbx")),
    reason="OpenMM, PDBFixer or cctbx is not installed",
)


def run(structure, folder):
    model = write(structure, folder / "model.cif")
    density = map_around(read_model(model).xyz)
    map_ = write_map(density.values, density, folder / "map.mrc")
    options = GenerationOptions(resolution=3.0, models=3, workers=2, protocol=PROTOCOL)
    result = converge(model, map_, options, folder / "out", keep=2)
    write_ensemble(result, folder / "out")
    return result


def facts_of(folder):
    return json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rna(tmp_path_factory):
    if not all(find_spec(name) for name in ("openmm", "pdbfixer", "mmtbx")):
        pytest.skip("OpenMM, PDBFixer or cctbx is not installed")
    folder = tmp_path_factory.mktemp("rna")
    return run(gemmi.read_structure(str(RNA)), folder), folder


def test_rna_is_ranked_by_what_it_has(rna):
    result, folder = rna
    ranking = result.ranking
    assert np.isnan(ranking.ranks[:, 0]).all()
    np.testing.assert_allclose(ranking.mean_rank, ranking.ranks[:, 1:].mean(axis=1))
    assert sorted(ranking.order.tolist()) == [0, 1, 2]
    # nothing is told of a Ramachandran plot, and JSON has no NaN
    assert facts_of(folder)["making"]["kept"][0]["ramachandran_favoured_percent"] is None
    table = (folder / "out" / "generated.csv").read_text(encoding="utf-8")
    assert "nan" not in table.lower()


def test_rna_is_compared_at_c1(rna):
    result, _ = rna
    found = result.convergence
    assert found.atoms == "C1'"
    assert found.chain.tolist() == ["T"] * 4
    xyz = np.stack([model.xyz[model.atom == "C1'"] for model in found.models])
    np.testing.assert_allclose(found.ca_rmsd, pairwise_rmsd(xyz))
    assert (found.ca_rmsd > 0).all()
    assert result.health.n == 3
    assert result.health.perturbation > 0


def test_nucleotides_are_judged(rna):
    result, _ = rna
    for one in result.quality:
        # four sugars with four centres each, and the bonds of every nucleotide
        assert len(one.covalent.chirals) == 16
        assert one.covalent.n_bad_chirals == 0
        assert len(one.covalent.bonds) > 85
        assert one.clashes.clashscore >= 0
    reason = result.refinements[0].reason
    assert "of 4, wrong hands 0 → 0 of 16" in reason
    assert "Ramachandran" not in reason


@needs_all
def test_protein_and_rna_together(tmp_path):
    structure = gemmi.read_structure(str(RNA))
    near = structure[0]["T"][0]["P"][0].pos - gemmi.Position(12.0, 0.0, 0.0)
    helix = peptide(NAMES)
    for site in helix[0].all():
        site.atom.pos = site.atom.pos + near
    structure[0].add_chain(helix[0]["A"])
    result = run(structure, tmp_path)
    found = result.convergence
    assert found.atoms == "Cα/C1'"
    assert set(found.chains) == {"T", "A"}
    assert len(found) == 8
    assert np.isfinite(found.ca_rmsd).all()
    assert np.isfinite(result.ranking.ranks).all()
    reason = result.refinements[0].reason
    assert all(word in reason for word in ("Ramachandran", "of nucleotides", "wrong hands"))
    kinds = [line.split(",")[4] for line in residue_lines(tmp_path)]
    assert kinds == ["class", *["nucleic"] * 4, *["protein"] * 4]


def residue_lines(folder):
    text = (folder / "out" / "residues.csv").read_text(encoding="utf-8")
    return text.splitlines()


@needs_all
def test_a_refinement_that_spoils_a_nucleotide_is_refused(tmp_path):
    model = read_model(RNA)
    start = write_mmcif(with_columns(model), tmp_path / "start.cif")
    xyz = model.xyz.copy()
    xyz[np.flatnonzero(model.atom == "O3'")[1]] += [0.3, 0.2, 0.0]
    stretched = write_mmcif(with_columns(model, xyz=xyz), tmp_path / "stretched.cif")
    mirrored = write_mmcif(
        with_columns(model, xyz=model.xyz * [-1.0, 1.0, 1.0]), tmp_path / "mirrored.cif"
    )
    shorter = gemmi.read_structure(str(RNA))
    del shorter[0]["T"][3]
    short = write(shorter, tmp_path / "short.cif")
    same, off, turned, lost = guard([start] * 4, [start, stretched, mirrored, short])
    assert same.accepted
    outliers = covalent_geometry(model).n_outliers
    assert off.reason.startswith(
        f"refused: bond and angle outliers of nucleotides rose, {outliers} → "
    )
    assert turned.reason == "refused: wrong hands rose, 0 → 16 of 16"
    assert lost.reason.endswith("counted at 3 places after the refinement, at 4 before")
    assert not any(one.accepted for one in (off, turned, lost))
