"""The same residues under other numbers and other names of chains."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.ensemble.matching import far_chains, match, union
from atomsight.ensemble.residues import Residues
from atomsight.errors import ParameterError
from tests.support.ensembles import OTHER, SEQUENCE, residues, together

WORDS = SEQUENCE.split()


def without(one: Residues, *gone: int) -> Residues:
    return one.take(np.array([i for i in range(len(one)) if i not in gone]))


def test_the_same_numbers_are_the_same_residues():
    found = match(residues(), residues())
    assert found.rows.tolist() == list(range(16))
    assert (found.by, found.renamed, found.left_out, found.other_names) == ("number", {}, 0, 0)


def test_other_numbers_are_matched_by_sequence_never_by_place():
    shifted = without(residues(first=101), 0, 1, 7)
    found = match(residues(), shifted)
    assert found.by == "sequence"
    expected = [-1, -1, 0, 1, 2, 3, 4, -1, 5, 6, 7, 8, 9, 10, 11, 12]
    assert found.rows.tolist() == expected


def test_numbers_that_overlap_by_chance_are_not_believed():
    found = match(residues(first=5), residues(first=1))
    assert found.by == "sequence"
    assert found.rows.tolist() == list(range(16))


@given(
    gone=st.sets(st.integers(0, 15), max_size=4),
    first=st.integers(-20, 300),
)
def test_gaps_anywhere_do_not_shift_the_rest(gone, first):
    """One or two residues alone between gaps may be left out, as they could lie anywhere there."""
    other = without(residues(first=first), *gone)
    found = match(residues(), other)
    for i, row in enumerate(found.rows.tolist()):
        if row >= 0:
            assert other.name[row] == WORDS[i]
            assert other.xyz[row, 0] == pytest.approx(3.8 * i)
    absent = set(np.flatnonzero(found.rows < 0).tolist())
    assert absent >= gone
    edges = [-1, *sorted(gone), 16]
    for before, after in pairwise(edges):
        run = set(range(before + 1, after))
        assert len(run) <= 2 or not run & absent


def test_mutations_are_matched_and_counted():
    mutated = replace(residues(), name=np.array(["ALA", *WORDS[1:]]))
    found = match(residues(), mutated)
    assert (found.by, found.other_names) == ("number", 1)
    assert (found.rows >= 0).all()


def test_names_of_force_fields_are_no_mutations():
    names = SEQUENCE.replace("HIS", "HIE").replace("CYS", "CYX")
    assert match(residues(), residues(names)).other_names == 0


def test_insertion_codes_tell_residues_apart():
    icode = np.array(["", "A", *[""] * 14])
    number = np.array([1, 1, *range(2, 16)])
    one = replace(residues(), number=number, icode=icode)
    found = match(one, without(one, 1))
    assert found.by == "number"
    assert found.rows.tolist() == [0, -1, *range(1, 15)]


def test_renamed_chains_find_the_nearest_of_one_sequence():
    reference = together(residues(chain="A"), residues(chain="B", at=(0, 30, 0)))
    other = together(residues(chain="X", at=(0, 29, 0)), residues(chain="Y", at=(0, 1, 0)))
    found = match(reference, other)
    assert found.renamed == {"X": "B", "Y": "A"}
    assert found.rows.tolist() == [*range(16, 32), *range(16)]
    assert found.by == "number"


def test_chains_of_other_sequence_are_left_out():
    other = together(residues(), residues(OTHER, chain="B"))
    found = match(residues(), other)
    assert found.chains == {"A": "A"}
    assert found.left_out == 16


def test_chains_with_swapped_names_are_said_to_be_far():
    near, far = residues(chain="A"), residues(chain="B", at=(0, 30, 0))
    reference = together(near, far)
    swapped = together(replace(near, chain=far.chain), replace(far, chain=near.chain))
    found = match(reference, swapped)
    assert far_chains(reference, swapped, found) == {"A": 30.0, "B": 30.0}
    assert far_chains(reference, reference, match(reference, reference)) == {}


def test_what_the_first_model_lacks_comes_from_the_others_in_its_place():
    first, second = without(residues(), 4, 15), without(residues(), 0)
    more = together(second, residues(OTHER, chain="C"))
    every, matches = union([first, more], ["first", "second"])
    assert every.number.tolist() == [*range(1, 17), *range(1, 17)]
    assert every.name.tolist() == [*WORDS, *OTHER.split()]
    assert [int((found.rows < 0).sum()) for found in matches] == [18, 1]


@pytest.mark.parametrize("numbers", [1, 200])
def test_another_sequence_is_refused_and_named(numbers):
    other = residues(OTHER, first=numbers)
    with pytest.raises(ParameterError, match=r"odd\.pdb: none of its chains has the sequence of"):
        union([residues(), residues(), other], ["a.pdb", "b.pdb", "odd.pdb"])


def test_a_model_without_polymer_is_refused():
    with pytest.raises(ParameterError, match="b: holds no residue of protein"):
        union([residues(), residues().take(np.empty(0, dtype=int))], ["a", "b"])
