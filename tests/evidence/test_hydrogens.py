import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.evidence.hydrogens import inherit, parents
from atomsight.evidence.q_score import q_score
from tests.support.scene import make_model, noise_map

TWO_RESIDUES = (("A", 1, "", "ALA", 0), ("A", 2, "", "ALA", 0))
NAN = float("nan")


def parents_of(places, elements, **columns) -> list[int]:
    return list(parents(make_model(places, element=list(elements), **columns)))


def test_atoms_other_than_hydrogen_are_their_own_parents():
    assert parents_of(np.eye(3), "CNO") == [0, 1, 2]


def test_a_hydrogen_belongs_to_the_nearest_atom():
    assert parents_of([[0, 0, 0], [1.5, 0, 0], [2.4, 0, 0]], "CNH") == [0, 1, 1]


def test_deuterium_counts_as_hydrogen():
    assert parents_of([[0, 0, 0], [1.5, 0, 0], [-1, 0, 0]], "CND") == [0, 1, 0]


def test_a_hydrogen_between_other_hydrogens_belongs_to_no_hydrogen():
    assert parents_of([[0, 0, 0], [1, 0, 0], [1.1, 0, 0]], "CHH") == [0, 0, 0]


def test_an_atom_of_another_residue_is_no_parent_however_near():
    places = [[0, 0, 0], [1.9, 0, 0], [1.2, 0, 0]]
    assert parents_of(places, "CCH", residue=[0, 1, 0], residues=TWO_RESIDUES) == [0, 1, 0]


@pytest.mark.parametrize(
    ("altloc", "parent"), [("A", 0), ("B", 1), ("", 1)], ids=["own A", "own B", "any"]
)
def test_a_hydrogen_belongs_to_an_atom_of_its_own_conformer(altloc, parent):
    places = [[0, 0, 0], [0.6, 0, 0], [1.2, 0, 0]]
    assert parents_of(places, "CCH", altloc=["A", "B", altloc])[2] == parent


@pytest.mark.parametrize("conformers", [7, 25])
def test_many_conformers_at_one_place_do_not_hide_the_own_one(conformers):
    places = [*([0.01 * i, 0, 0] for i in range(conformers)), [-1, 0, 0]]
    names = [chr(ord("A") + i) for i in range(conformers)]
    last = conformers - 1
    found = parents_of(places, "C" * conformers + "H", altloc=[*names, names[last]])
    assert found[conformers] == last
    assert parents_of(places, "C" * conformers + "H", altloc=[*names, "Z"])[conformers] == -1


def test_an_atom_without_conformers_is_parent_of_any_hydrogen():
    places = [[0, 0, 0], [1, 0, 0], [-1, 0, 0]]
    assert parents_of(places, "CHH", altloc=["", "A", "B"]) == [0, 0, 0]


def test_hydrogens_without_a_parent_say_so():
    places = [[0, 0, 0], [9, 9, 9], [1, 0, 0], [NAN] * 3]
    elements, residue = "CHHH", [0, 1, 0, 0]
    found = parents_of(places, elements, residue=residue, residues=TWO_RESIDUES)
    assert found == [0, -1, 0, -1]


def test_an_atom_without_a_place_is_no_parent():
    assert parents_of([[NAN] * 3, [0, 0, 0], [0.5, 0, 0]], "CCH") == [0, 1, 1]


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_any_crowd_agrees_with_a_search_through_all_pairs(seed, heavy, light):
    rng = np.random.default_rng(seed)
    n = heavy + light
    places = rng.uniform(0, 6, (n, 3))
    hydrogen = np.arange(n) >= heavy
    residue = rng.integers(0, 2, n)
    altloc = rng.choice(["", "", "A", "B"], n)
    found = parents_of(
        places,
        np.where(hydrogen, "H", "C"),
        residue=residue,
        residues=TWO_RESIDUES,
        altloc=altloc,
    )
    for row in range(n):
        fits = ~hydrogen & (residue == residue[row])
        fits &= (altloc == altloc[row]) | (altloc == "") | (altloc[row] == "")
        distance = np.where(fits, np.linalg.norm(places - places[row], axis=1), np.inf)
        nearest = int(distance.argmin()) if fits.any() else -1
        assert found[row] == (nearest if hydrogen[row] else row)


def test_hydrogens_show_the_q_of_their_parents():
    model = make_model(
        [[9, 9, 9], [10.5, 9, 9], [8, 9, 9], [11.5, 9, 9], [12, 9, 9]],
        element=["C", "N", "H", "D", "H"],
        residue=[0, 0, 0, 0, 1],
        residues=TWO_RESIDUES,
    )
    scores = q_score(noise_map(1), model)
    shown = inherit(scores.q, parents(model))
    np.testing.assert_array_equal(shown[:4], scores.q[[0, 1, 0, 1]])
    assert np.isnan(shown[4])
    assert not scores.counted[2:].any()
