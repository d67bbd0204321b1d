"""Averages over residues, chains and classes, against sums done one by one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.archive.expected import ExpectedQ, expected_q
from atomsight.evidence.groups import group_means
from atomsight.model import AtomClass
from atomsight.summary import (
    Part,
    atom_parts,
    average,
    averages_by,
    band,
    model_averages,
    residue_columns,
    smooth,
)
from tests.support.scene import make_model, residue_table

PROTEIN, NUCLEIC, LIGAND, ION, WATER = (
    AtomClass.PROTEIN,
    AtomClass.NUCLEIC,
    AtomClass.LIGAND,
    AtomClass.ION,
    AtomClass.WATER,
)
NAN = float("nan")


def of_residues(*residues: tuple[str, AtomClass, str], element=None):
    """A model of residues (name, class, names of the atoms) of chain A, numbered from 1."""
    rows = [("A", i, "", name, kind) for i, (name, kind, _) in enumerate(residues, 1)]
    atoms = [(atom, i) for i, (_, _, names) in enumerate(residues) for atom in names.split()]
    names, residue = zip(*atoms, strict=True)
    elements = [name[0] for name in names] if element is None else element
    places = np.zeros((len(atoms), 3))
    return make_model(places, atom=names, element=elements, residue=residue, residues=rows)


def labels(model) -> list[str]:
    return [Part(part).label for part in atom_parts(model)]


def test_backbone_of_a_protein_is_four_atoms():
    model = of_residues(("LYS", PROTEIN, "N CA C O CB CG CD CE NZ"))
    assert labels(model) == ["backbone"] * 4 + ["sidechain"] * 5


@pytest.mark.parametrize(
    ("atom", "part"),
    [
        ("OXT", "sidechain"),
        ("OT1", "none"),
        ("OT2", "none"),
        ("O", "backbone"),
        ("OD1", "sidechain"),
    ],
)
def test_terminal_oxygens_belong_where_mapq_has_them(atom, part):
    assert labels(of_residues(("ASP", PROTEIN, f"N CA C {atom}")))[3] == part


def test_a_modified_residue_of_a_protein_has_backbone_and_side_chain():
    assert labels(of_residues(("MSE", PROTEIN, "N CA C O CB CG SE CE")))[3:5] == [
        "backbone",
        "sidechain",
    ]


def test_a_nucleotide_has_phosphate_sugar_and_base():
    phosphate = "P OP1 OP2 O1P O2P O5' C5' O3'"
    sugar = "C1' C2' C3' C4' O4' O2'"
    base = "N9 C8 N7 C5 C6 O6 N1 C2 N2 N3 C4"
    model = of_residues(("G", NUCLEIC, f"{phosphate} {sugar} {base}"))
    assert labels(model) == ["phosphate"] * 8 + ["sugar"] * 6 + ["base"] * 11


def test_old_names_with_stars_are_sugars_too():
    model = of_residues(("A", NUCLEIC, "O5* C5* O3* C1* O4* N9"))
    assert labels(model) == ["phosphate"] * 3 + ["sugar"] * 2 + ["base"]


@pytest.mark.parametrize("kind", [LIGAND, ION, WATER, AtomClass.SACCHARIDE])
def test_outside_polymers_there_are_no_parts(kind):
    assert labels(of_residues(("XXX", kind, "N CA C O P C1'"))) == ["none"] * 6


def test_hydrogens_are_no_part():
    model = of_residues(("ALA", PROTEIN, "N CA HA DB"), element=["N", "C", "H", "D"])
    assert labels(model) == ["backbone", "backbone", "none", "none"]


values_and_groups = st.lists(
    st.tuples(st.floats(-1, 1) | st.just(NAN), st.integers(0, 6), st.booleans()), max_size=40
)


@given(values_and_groups)
@settings(max_examples=60, deadline=None)
def test_means_of_groups_are_sums_over_counts(rows):
    values, group, chosen = (
        (np.array(column) for column in zip(*rows, strict=True))
        if rows
        else (
            np.zeros(0),
            np.zeros(0, int),
            np.zeros(0, bool),
        )
    )
    found = group_means(values, group, 7, chosen)
    for g in range(7):
        members = [v for v, k, use in rows if k == g and use and not np.isnan(v)]
        expected = sum(members) / len(members) if members else NAN
        assert found[g] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_an_average_knows_its_number():
    values = np.array([0.5, NAN, 0.7, 0.9])
    assert average(values, np.array([True, True, True, False])) == average(values[[0, 2]], True)
    found = average(values, np.array([True, True, True, False]))
    assert (found.mean, found.n) == (pytest.approx(0.6), 2)


def test_an_average_over_nothing_is_not_a_number():
    found = average(np.array([0.5, NAN]), np.array([False, True]))
    assert np.isnan(found.mean)
    assert found.n == 0


def test_averages_by_name_keep_the_order_of_first_appearance():
    values = np.array([1.0, 2.0, 3.0, 4.0, 9.0])
    names = np.array(["B", "A", "B", "C", "C"])
    found = averages_by(values, names, np.array([True] * 4 + [False]))
    assert [(k, v.mean, v.n) for k, v in found.items()] == [
        ("B", 2.0, 2),
        ("A", 2.0, 1),
        ("C", 4.0, 1),
    ]


def chains(draw_rows) -> list[tuple]:
    """Residues whose number goes on, stays, or leaps, in chains that change now and then."""
    chain, number, rows = 0, 1, []
    for leap, new_chain, kind in draw_rows:
        number += leap
        chain += new_chain
        icode = "A" if leap == 0 else ""
        rows.append((f"{chain}", number, icode, "ALA", kind))
    return rows


residues = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 1, 0, 2, 5, -3]),
        st.sampled_from([0, 0, 0, 0, 0, 1]),
        st.sampled_from([PROTEIN, PROTEIN, PROTEIN, PROTEIN, NUCLEIC, LIGAND, WATER]),
    ),
    min_size=1,
    max_size=30,
).map(chains)


def naive_smooth(values, rows, window) -> np.ndarray:
    """Walk to both sides as long as residues follow each other."""
    polymer = [i for i, row in enumerate(rows) if row[4] in (PROTEIN, NUCLEIC)]

    def follows(i: int, j: int) -> bool:
        return rows[i][0] == rows[j][0] and rows[j][1] - rows[i][1] in (0, 1)

    result = np.full(len(rows), NAN)
    for place, row in enumerate(polymer):
        members = [row]
        at = place
        while at > 0 and place - at < window // 2 and follows(polymer[at - 1], polymer[at]):
            at -= 1
            members.append(polymer[at])
        at = place
        while at + 1 < len(polymer) and at - place < window // 2:
            if not follows(polymer[at], polymer[at + 1]):
                break
            at += 1
            members.append(polymer[at])
        known = [values[m] for m in members if not np.isnan(values[m])]
        result[row] = sum(known) / len(known) if known else NAN
    return result


@given(residues, st.sampled_from([3, 5, 7, 11]), st.integers(0, 2**32 - 1))
@settings(max_examples=120, deadline=None)
def test_smoothing_agrees_with_a_walk_along_the_chain(rows, window, seed):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(len(rows)) < 0.15, NAN, rng.uniform(-1, 1, len(rows)))
    found = smooth(values, residue_table(rows), window)
    np.testing.assert_allclose(found, naive_smooth(values, rows, window), atol=1e-12)


def test_windows_end_at_gaps_and_chains_but_not_at_insertions():
    rows = [
        ("A", 1, "", "ALA", PROTEIN),
        ("A", 2, "", "ALA", PROTEIN),
        ("A", 2, "A", "ALA", PROTEIN),
        ("A", 5, "", "ALA", PROTEIN),
        ("B", 6, "", "ALA", PROTEIN),
        ("B", 7, "", "HOH", WATER),
    ]
    found = smooth(np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0]), residue_table(rows), 3)
    np.testing.assert_allclose(found, [1.5, 7 / 3, 3.0, 8.0, 16.0, NAN])


@pytest.mark.parametrize("column", ["chain", "label_asym"])
def test_windows_end_where_either_name_of_the_chain_changes(column):
    table = residue_table([("A", i, "", "ALA", PROTEIN) for i in (1, 2, 3, 4)])
    table = replace(table, **{column: np.array(["A", "A", "B", "B"])})
    found = smooth(np.array([1.0, 2.0, 4.0, 8.0]), table, 3)
    np.testing.assert_allclose(found, [1.5, 1.5, 6.0, 6.0])


def test_residues_without_a_polymer_have_nothing_to_smooth():
    rows = [("A", 1, "", "HOH", WATER), ("A", 2, "", "HOH", WATER)]
    assert np.isnan(smooth(np.array([1.0, 2.0]), residue_table(rows), 3)).all()


BAND = ExpectedQ(peak=0.5, low=0.4, high=0.6, band="", definition="")


def test_the_band_flags_what_lies_outside_it():
    found = band(np.array([0.39, 0.4, 0.5, 0.6, 0.61, NAN, -1.0]), BAND)
    assert list(found) == ["below", "within", "within", "within", "above", "", "below"]


@pytest.fixture
def small():
    """Three residues of protein and nucleic acid, a ligand, an ion, two waters; with Q."""
    model = of_residues(
        ("ALA", PROTEIN, "N CA C O CB H"),
        ("GLY", PROTEIN, "N CA C O"),
        ("G", NUCLEIC, "P C1' N9"),
        ("HEM", LIGAND, "FE NA"),
        ("ZN", ION, "ZN"),
        ("HOH", WATER, "O"),
        ("HOH", WATER, "O"),
    )
    q = np.round(np.linspace(0.1, 0.9, len(model)), 3)
    q[7] = NAN
    counted = ~model.hydrogen
    counted[-1] = False
    return model, q, counted


def test_residues_have_their_mean_their_parts_and_their_worst_atom(small):
    model, q, counted = small
    columns = residue_columns(model, q, counted, None)
    assert list(columns["atoms"]) == [5, 4, 3, 2, 1, 1, 0]
    np.testing.assert_allclose(columns["q"][0], q[:5].mean())
    np.testing.assert_allclose(columns["q"][1], q[[6, 8, 9]].mean())
    assert np.isnan(columns["q"][6])
    np.testing.assert_allclose(
        columns["q_backbone"][:3], [q[:4].mean(), q[[6, 8, 9]].mean(), q[10:12].mean()]
    )
    np.testing.assert_allclose(columns["q_sidechain"][:3], [q[4], NAN, NAN])
    np.testing.assert_allclose(columns["q_phosphate"][:3], [NAN, NAN, q[10]])
    np.testing.assert_allclose(columns["q_sugar"][:3], [NAN, NAN, q[11]])
    np.testing.assert_allclose(columns["q_base"][:3], [NAN, NAN, q[12]])
    np.testing.assert_allclose(columns["q_worst"], [q[0], q[6], q[10], q[13], q[15], q[16], NAN])
    assert (columns["q_band"] == "").all()


def test_residues_are_smoothed_over_3_5_7_and_11(small):
    model, q, counted = small
    columns = residue_columns(model, q, counted, None)
    for window in (3, 5, 7, 11):
        expected = smooth(columns["q"], model.residues, window)
        np.testing.assert_array_equal(columns[f"q_mean{window}"], expected)
    np.testing.assert_allclose(columns["q_mean3"][0], columns["q"][:2].mean())


def test_residues_are_compared_with_what_is_expected_of_the_model(small):
    model, q, counted = small
    expected, _ = expected_q(3.2, 0.4)
    found = residue_columns(model, q, counted, expected)["q_band"]
    assert list(found) == ["below", "within", "above", "above", "above", "above", ""]


def test_means_with_and_without_water(small):
    model, q, counted = small
    averages = model_averages(model, q, counted)
    used = counted & np.isfinite(q)
    assert averages["mean"].n == used.sum() == 15
    assert averages["mean"].mean == pytest.approx(q[used].mean())
    dry = used & (model.atom_class != WATER)
    assert averages["mean_without_water"].n == dry.sum() == 14
    assert averages["mean_without_water"].mean == pytest.approx(q[dry].mean())


def test_means_by_class_chain_entity_and_part(small):
    model, q, counted = small
    averages = model_averages(model, q, counted)
    classes = {name: found.n for name, found in averages["classes"].items()}
    assert classes == {"protein": 8, "nucleic": 3, "ligand": 2, "ion": 1, "water": 1}
    assert averages["classes"]["nucleic"].mean == pytest.approx(q[10:13].mean())
    assert {name: found.n for name, found in averages["chains"].items()} == {"A": 15}
    assert {name: found.n for name, found in averages["entities"].items()} == {"1": 15}
    parts = {name: found.n for name, found in averages["parts"].items()}
    assert parts == {"backbone": 7, "sidechain": 1, "phosphate": 1, "sugar": 1, "base": 1}
    assert averages["parts"]["backbone"].mean == pytest.approx(np.nanmean(q[[0, 1, 2, 3, 6, 8, 9]]))
