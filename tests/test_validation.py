import hashlib
from dataclasses import replace

import numpy as np
import pytest

from atomsight.errors import MapFileError, ModelFileError, OverlayError, ParameterError
from atomsight.evidence.q_score import QScoreOptions, q_score
from atomsight.evidence.status import Status
from atomsight.io.maps import read_map
from atomsight.io.models import read_model
from atomsight.outcome import Options
from atomsight.validation import validate
from tests.support.cases import (
    MARGIN,
    moved,
    numbered,
    placed,
    small_model,
    write_case,
    write_map_of,
)
from tests.support.maps import write_ccp4
from tests.support.models import Atom, cif_text, pdb_text, peptide, residue, write_model

RESOLUTION = "_em_3d_reconstruction.resolution 3.2\n"


def run(folder, atoms=None, options=None, **more):
    return validate(*write_case(folder, atoms, **more), options)


def with_hydrogens():
    """A peptide in which each residue has a hydrogen 1 Å from its CA, and one has no parent."""
    atoms = placed(peptide("ALA GLY"))
    near = [
        replace(a, name="HA", element="H", xyz=tuple(np.add(a.xyz, (0.6, 0.6, 0.5)).tolist()))
        for a in atoms
        if a.name == "CA"
    ]
    lonely = Atom("H1", "HOH", "A", 301, "H", (12.0, 12.0, 14.0), record="HETATM")
    return numbered([*atoms, *near, lonely])


def test_scores_are_those_of_the_function_on_the_same_files(tmp_path):
    result = run(tmp_path)
    model, map_ = read_model(tmp_path / "model.cif"), read_map(tmp_path / "map.mrc")
    direct = q_score(map_, model)
    # only the box around the model is read: its origin is rounded once more
    np.testing.assert_allclose(result.scores.q, direct.q, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(result.atoms["q"], result.scores.q)
    assert result.averages["mean"].mean == pytest.approx(direct.q.mean(), abs=1e-12)
    assert set(result.atoms["q_status"]) == {"ok"}


def test_options_reach_the_score(tmp_path):
    options = Options(q=QScoreOptions(sigma=0.6, points=4, radius=1.5, step=0.25))
    result = run(tmp_path, options=options)
    model, map_ = read_model(tmp_path / "model.cif"), read_map(tmp_path / "map.mrc")
    direct = q_score(map_, model, sigma=0.6, points=4, radius=1.5, step=0.25)
    np.testing.assert_allclose(result.scores.q, direct.q, rtol=0, atol=1e-13)
    assert result.scores.options == options.q


def test_hydrogens_show_their_parents_value_and_enter_no_average(tmp_path):
    result = run(tmp_path, with_hydrogens())
    q, status = result.atoms["q"], result.atoms["q_status"]
    assert status[8:].tolist() == ["hydrogen"] * 3
    assert q[8] == q[1]
    assert q[9] == q[5]
    assert np.isnan(q[10])
    assert np.isnan(result.scores.q[8:]).all()
    assert result.averages["mean"].n == 8
    assert result.averages["mean"].mean == pytest.approx(q[:8].mean())
    assert result.residues["atoms"].tolist() == [4, 4, 0]


def test_hydrogens_show_their_parents_spread(tmp_path):
    result = run(tmp_path, with_hydrogens(), Options(orientations=2))
    for name in ("q_orientation_mean", "q_orientation_sd"):
        column = result.atoms[name]
        assert column[8:10].tolist() == column[[1, 5]].tolist()
        assert np.isnan(column[10])


def test_without_rotated_points_there_are_no_columns_for_them(tmp_path):
    assert list(run(tmp_path, options=Options(everything=False)).atoms) == ["q", "q_status"]


def test_the_seed_decides_the_rotations(tmp_path):
    first, again, other = (
        run(tmp_path, options=Options(orientations=2, seed=seed)).atoms["q_orientation_mean"]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_selection_is_scored_alone_but_among_its_neighbours(tmp_path):
    everything = run(tmp_path)
    chosen = run(tmp_path, options=Options(selection="//A/2"))
    status = chosen.atoms["q_status"]
    assert status.tolist() == [*["not_selected"] * 4, *["ok"] * 4, *["not_selected"] * 12]
    np.testing.assert_array_equal(chosen.atoms["q"][4:8], everything.atoms["q"][4:8])
    assert np.isnan(chosen.atoms["q"][:4]).all()
    assert chosen.averages["mean"].n == 4


@pytest.mark.parametrize(
    ("selection", "complaint"),
    [("//Z", "names no atom of"), ("((", "cannot be understood"), ("/2", "names no atom of")],
)
def test_a_selection_that_means_nothing_is_refused(tmp_path, selection, complaint):
    with pytest.raises(ParameterError, match=complaint):
        run(tmp_path, options=Options(selection=selection))


@pytest.mark.parametrize(
    ("given", "before", "value", "source"),
    [
        (None, "", None, "none given and none in the model's metadata (--resolution)"),
        (None, RESOLUTION, 3.2, "_em_3d_reconstruction.resolution of the model"),
        (2.5, RESOLUTION, 2.5, "given"),
        (2.5, "", 2.5, "given"),
        (None, "_refine.ls_d_res_high 1.9\n", 1.9, "_refine.ls_d_res_high of the model"),
        (None, "_em_3d_reconstruction.resolution ?\n", None, "none given"),
    ],
)
def test_a_given_resolution_comes_before_the_metadata(tmp_path, given, before, value, source):
    result = run(tmp_path, options=Options(resolution=given), before=before)
    assert result.resolution == value
    assert result.resolution_source.startswith(source)
    assert (result.expected is None) == (value is None)
    assert bool(result.no_expectation) == (value is None)


def test_the_resolution_of_a_pdb_file(tmp_path):
    before = "REMARK   2\nREMARK   2 RESOLUTION.    3.20 ANGSTROMS.\n"
    result = run(tmp_path, model="model.pdb", before=before)
    assert (result.resolution, result.resolution_source) == (3.2, "REMARK 2 of the model")


@pytest.mark.parametrize("value", [0.0, -3.2, float("nan"), float("inf")])
def test_a_resolution_that_means_nothing_is_refused(value):
    with pytest.raises(ParameterError, match="resolution must be a positive number of Å"):
        Options(resolution=value)


def test_residues_are_placed_in_the_expected_band_only_where_there_is_one(tmp_path):
    assert set(run(tmp_path).residues["q_band"]) == {""}
    result = run(tmp_path, before=RESOLUTION)
    q, band = result.residues["q"], result.residues["q_band"]
    low, high = result.expected.low, result.expected.high
    expected = np.where(q < low, "below", np.where(q > high, "above", "within"))
    assert band.tolist() == expected.tolist()


def test_checksums_of_both_files(tmp_path):
    result = run(tmp_path)
    assert result.checksums == {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "model.cif", tmp_path / "map.mrc")
    }


def test_packed_files_are_summed_as_they_lie_on_disk(tmp_path):
    plain = run(tmp_path)
    packed = run(tmp_path, model="model.cif.gz", map_="map.mrc.gz")
    path = tmp_path / "map.mrc.gz"
    assert packed.checksums[str(path)] == hashlib.sha256(path.read_bytes()).hexdigest()
    np.testing.assert_array_equal(packed.scores.q, plain.scores.q)


def test_every_step_is_timed(tmp_path):
    seconds = run(tmp_path).seconds
    assert list(seconds) == [
        *("read model", "read map", "check overlay", "Q-score", "summary", "checksums"),
    ]
    assert all(0 <= value < 60 for value in seconds.values())


def test_progress_is_told_up_to_the_last_atom(tmp_path):
    told = []
    model, map_ = write_case(tmp_path)
    validate(model, map_, Options(orientations=2), progress=lambda *news: told.append(news))
    assert {(step, of) for step, _, of in told} == {("Q-score", 60)}
    done = [count for _, count, _ in told]
    assert done == sorted(done)
    assert done[-1] == 60


def test_one_thread_and_three_give_the_same_bits(tmp_path):
    one, three = (run(tmp_path, options=Options(threads=n)).scores.q for n in (1, 3))
    np.testing.assert_array_equal(one, three)


def test_a_good_pair_gets_no_notes(tmp_path):
    assert run(tmp_path).notes == ()


def test_notes_tell_what_became_of_the_atoms(tmp_path):
    atoms = placed(peptide("ALA GLY SER VAL"))
    low = np.min([a.xyz for a in atoms], axis=0) - MARGIN
    # the map begins at `low`: 0.5 Å beyond its edge, and far away
    edge = replace(atoms[0], name="CB", xyz=tuple((low - (0.5, -7, -7)).tolist()))
    far = replace(atoms[0], name="CG", xyz=(500.0, 0.0, 0.0))
    nowhere = replace(atoms[0], name="CD", xyz=None)
    _, map_ = write_case(tmp_path, atoms)
    model = write_model(tmp_path / "model.cif", cif_text([*atoms, edge, far, nowhere]))
    result = validate(model, map_)
    assert result.notes == (
        "1 atoms have no coordinates",
        "1 of 19 atoms: outside the map, without a Q",
        "1 of 19 atoms: partly outside the map (what is outside counts as 0, as in MapQ)",
    )
    assert result.atoms["q_status"][16:].tolist() == ["partly_outside", "outside", "no_position"]


def test_nan_voxels_are_counted_and_spare_the_atoms_far_from_them(tmp_path):
    atoms = small_model()
    model, path = write_case(tmp_path, atoms)
    map_ = read_map(path)
    values = map_.values.copy()
    x, y, z = np.round((np.array(atoms[0].xyz) - map_.origin) / 0.8).astype(int)
    values[z : z + 2, y, x] = np.nan
    values[z, y + 1, x] = np.inf
    cell = (*(0.8 * n for n in values.shape[::-1]), 90.0, 90.0, 90.0)
    write_ccp4(path, values, cell=cell, origin=tuple(map_.origin.tolist()))
    result = validate(model, path)
    status = result.atoms["q_status"]
    assert status[0] == "not_finite"
    count = int((status == "not_finite").sum())
    assert 1 <= count < 10
    assert np.isnan(result.atoms["q"][status == "not_finite"]).all()
    assert (status == "ok").sum() == 20 - count
    assert result.averages["mean"].n == 20 - count
    assert result.notes == (
        "the map holds 3 NaN or Inf voxels; atoms near them have no Q",
        f"{count} of 20 atoms: without a Q because of NaN or Inf in the map",
    )


def test_a_masked_part_of_the_map_is_noted(tmp_path):
    atoms = small_model()
    model, path = write_case(tmp_path, atoms)
    map_ = read_map(path)
    values = map_.values.copy()
    values[:, :, : int((13.5 - map_.origin[0]) / 0.8)] = 0.0
    cell = (*(0.8 * n for n in values.shape[::-1]), 90.0, 90.0, 90.0)
    write_ccp4(path, values, cell=cell, origin=tuple(map_.origin.tolist()))
    result = validate(model, path)
    count = int((result.scores.status == Status.CONSTANT).sum())
    assert 0 < count < 20
    assert f"{count} of 20 atoms: where the map is constant (masked?), without a Q" in result.notes


def test_notes_of_the_files_come_along(tmp_path):
    atoms = small_model()
    model = write_model(
        tmp_path / "m.pdb", pdb_text([replace(a, model=n) for n in (1, 2) for a in atoms])
    )
    map_ = write_map_of(tmp_path / "map.mrc", atoms, start=(3, 4, 5))
    notes = validate(model, map_).notes
    assert notes[0] == "the file holds 2 MODELs: MODEL 1 taken (--model)"
    assert notes[1].endswith("differ: ORIGIN used")
    assert len(notes) == 2


def test_the_chosen_model_is_scored(tmp_path):
    atoms = small_model()
    far = moved(atoms, (300.0, 0.0, 0.0))
    model = write_model(
        tmp_path / "m.cif", cif_text([replace(a, model=1) for a in far] +
                                     [replace(a, model=2) for a in atoms])
    )  # fmt: skip
    map_ = write_map_of(tmp_path / "map.mrc", atoms)
    assert validate(model, map_, Options(model_number=2)).averages["mean"].n == 20
    with pytest.raises(OverlayError, match="none of its atoms is inside the map"):
        validate(model, map_)
    with pytest.raises(ModelFileError, match="has no MODEL 3; it has 1, 2"):
        validate(model, map_, Options(model_number=3))


ASSEMBLY = """\
loop_
_pdbx_struct_assembly.id
_pdbx_struct_assembly.details
_pdbx_struct_assembly.method_details
_pdbx_struct_assembly.oligomeric_details
_pdbx_struct_assembly.oligomeric_count
1 ? ? ? ?
loop_
_pdbx_struct_assembly_gen.assembly_id
_pdbx_struct_assembly_gen.oper_expression
_pdbx_struct_assembly_gen.asym_id_list
1 1,2 A
loop_
_pdbx_struct_oper_list.id
_pdbx_struct_oper_list.type
_pdbx_struct_oper_list.matrix[1][1]
_pdbx_struct_oper_list.matrix[1][2]
_pdbx_struct_oper_list.matrix[1][3]
_pdbx_struct_oper_list.vector[1]
_pdbx_struct_oper_list.matrix[2][1]
_pdbx_struct_oper_list.matrix[2][2]
_pdbx_struct_oper_list.matrix[2][3]
_pdbx_struct_oper_list.vector[2]
_pdbx_struct_oper_list.matrix[3][1]
_pdbx_struct_oper_list.matrix[3][2]
_pdbx_struct_oper_list.matrix[3][3]
_pdbx_struct_oper_list.vector[3]
1 identity 1 0 0 0 0 1 0 0 0 0 1 0
2 shift 1 0 0 1.3 0 1 0 0 0 0 1 0
"""


def test_copies_of_an_assembly_count_as_neighbours_on_request(tmp_path):
    alone = run(tmp_path, before=ASSEMBLY)
    among = run(tmp_path, options=Options(neighbours="assembly"), before=ASSEMBLY)
    named = run(tmp_path, options=Options(neighbours="assembly", assembly="1"), before=ASSEMBLY)
    assert (alone.scores.q != among.scores.q).sum() > 10
    np.testing.assert_array_equal(named.scores.q, among.scores.q)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (Options(neighbours="assembly", assembly="9"), "describes no assembly 9; it has 1"),
        (Options(neighbours="crystal"), "describes no crystal"),
    ],
)
def test_copies_that_the_file_does_not_describe_are_refused(tmp_path, options, complaint):
    with pytest.raises(ParameterError, match=complaint):
        run(tmp_path, options=options, before=ASSEMBLY)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (Options(orientations=1), "orientations must be 0 or at least 2"),
        (Options(orientations=-1), "orientations must be 0 or at least 2"),
        (Options(threads=0), "threads must be at least 1"),
    ],
)
def test_options_that_mean_nothing_are_refused(tmp_path, options, complaint):
    with pytest.raises(ParameterError, match=complaint):
        run(tmp_path, options=options)


def test_files_are_named_when_they_are_missing(tmp_path):
    model, map_ = write_case(tmp_path)
    with pytest.raises(ModelFileError, match=r"none\.cif: no such model file"):
        validate(tmp_path / "none.cif", map_)
    with pytest.raises(MapFileError, match=r"none\.mrc: no such map file"):
        validate(model, tmp_path / "none.mrc")


def test_classes_of_a_small_model(tmp_path):
    averages = run(tmp_path, [*placed(peptide("ALA")), *residue("MG", "MG", element="MG",
                              number=9, record="HETATM", chain="B")]).averages  # fmt: skip
    assert {name: a.n for name, a in averages["classes"].items()} == {"protein": 4, "ion": 1}
    assert {name: a.n for name, a in averages["chains"].items()} == {"A": 4, "B": 1}
