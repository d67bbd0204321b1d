from dataclasses import replace

import numpy as np
import pytest

from atomsight.density.map import map_from_array
from atomsight.evidence.hydrogens import parents
from atomsight.evidence.q_score import q_score
from atomsight.findings.density import density_finding, inclusion_finding
from atomsight.findings.finding import Evidence
from atomsight.findings.support import support_finding
from atomsight.model import AtomClass
from tests.support.scene import gaussian_map, make_model

XYZ = np.array(
    [[2.0, 2.0, 2.0], [2.0, 2.0, 3.5], [3.5, 2.0, 2.0], [3.5, 3.5, 3.5], [2.0, 3.5, 2.0]]
)
RESIDUES = (("A", 1, "", "ALA", AtomClass.PROTEIN), ("A", 2, "", "GLY", AtomClass.PROTEIN))


def evidence(map_, model, **more) -> Evidence:
    return Evidence(model, parents(model), map_, q_score(map_, model), 0.4, None, **more)


def scene(**more):
    model = make_model(
        XYZ, atom=["N", "CA", "H", "N", "CA"], element=["N", "C", "H", "N", "C"],
        residue=[0, 0, 0, 1, 1], residues=RESIDUES,
    )  # fmt: skip
    return evidence(gaussian_map(XYZ[[0, 1, 3]], 0.5), model, **more)


def test_density_is_in_sigma_and_a_hydrogen_shows_its_parents():
    known = scene()
    found = density_finding(known)
    values = found.atoms["density"]
    statistics = known.map.statistics
    # 2.0 Å is voxel 20
    assert values[0] == pytest.approx(
        (known.map.values[20, 20, 20] - statistics.mean) / statistics.sd
    )
    assert found.atoms["density_status"].tolist() == ["ok", "ok", "hydrogen", "ok", "ok"]
    assert values[2] in (values[0], values[1])
    np.testing.assert_allclose(found.residues["density"][0], values[:2].mean())
    assert found.facts["mean"].n == 4
    assert found.facts["mean"].mean == pytest.approx(values[[0, 1, 3, 4]].mean())
    assert found.rows[0][1].startswith(
        f"mean {values[[0, 1, 3, 4]].mean():.2f} σ over 4 atoms; 0 of"
    )


def test_atoms_in_negative_density_are_counted():
    known = scene()
    lowered = known.map.values - 0.5
    found = density_finding(replace(known, map=map_from_array(lowered, 0.1)))
    assert found.facts["negative"]["below_zero"] == 1
    assert "1 of them in negative density" in found.rows[0][1]


def test_inclusion_at_a_level_and_without_one():
    none = inclusion_finding(scene())
    assert none.facts["at_contour"] is None
    assert "--contour" in none.facts["reason_if_none"]
    assert (none.atoms, none.residues) == ({}, {})
    found = inclusion_finding(scene(contour=0.5))
    assert found.atoms["inside"].tolist() == [1, 1, 1, 1, 0]
    assert found.residues["inclusion"].tolist() == [1.0, 0.5]
    assert (found.facts["at_contour"]["all_atoms"], found.facts["at_contour"]["n"]) == (0.75, 4)
    table = found.tables["atom_inclusion"]
    assert (np.diff(table["all_atoms"]) <= 0).all()
    level = found.facts["level_including"]["level"]
    assert 0 < level < table["level"].max()
    assert f"at level {level:.4g}" in found.rows[0][1]


def test_a_level_just_below_0_is_shown_as_0():
    known = scene()
    values = np.where(known.map.values > 0.5, known.map.values, 0.0)
    found = inclusion_finding(replace(known, map=map_from_array(values, 0.1)))
    assert -1e-300 < found.facts["level_including"]["level"] < 0
    assert "at level 0 (" in found.rows[0][1]


def test_a_model_half_outside_has_no_level():
    known = scene()
    moved = replace(known.model, xyz=known.model.xyz - np.array([2.5, 0, 0]))
    found = inclusion_finding(replace(known, model=moved))
    assert np.isnan(found.facts["level_including"]["level"])
    assert "no level includes 90 %" in found.rows[0][1]


def test_a_model_of_polymers_alone_has_no_support_to_tell():
    assert support_finding(scene()) is None


def test_the_ligands_that_a_map_lacks_are_named(extra_data):
    from atomsight import Options, validate

    folder = extra_data / "emd_11007_rdrp"
    result = validate(folder / "7bv2_rigid_fit.pdb", folder / "map.map.gz", Options(resolution=2.9))
    facts = {finding.key: finding.facts for finding in result.findings}["support"]
    names = sorted({name.split("/")[1].split(" ")[0] for name in facts["unsupported"]})
    assert names == ["F86", "HOH", "MG", "POP"]
    assert facts["classes"]["ion"] == {"residues": 4, "supported": 2, "unsupported": 2}
    assert facts["classes"]["water"] == {"residues": 5, "supported": 0, "unsupported": 5}
    bad = result.residues["support"] != "supported"
    assert set(result.model.residues.name[bad & (result.residues["support"] != "")]) == set(names)
    row = next(
        text for finding in result.findings for what, text in finding.rows if "ligands" in what
    )
    assert row.startswith("9 of 11 not supported by the map: 5 HOH")


def test_everything_of_the_haemoglobin_is_supported(demo_data):
    from atomsight import validate

    result = validate(demo_data / "5ni1.cif", demo_data / "emd_3488.mrc")
    facts = {finding.key: finding.facts for finding in result.findings}["support"]
    assert facts["unsupported"] == []
    assert facts["classes"]["ligand"]["supported"] == 4
    assert facts["waters_and_ions"]["water"]["supported"] == 24
