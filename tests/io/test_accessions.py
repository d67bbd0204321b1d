import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.errors import FetchError
from atomsight.io.accessions import Accession, accession, find_accession


@pytest.mark.parametrize(
    ("text", "archive", "name", "key"),
    [
        ("EMD-3488", "EMDB", "EMD-3488", "3488"),
        (" emd-3488 \n", "EMDB", "EMD-3488", "3488"),
        ("emd_12345", "EMDB", "EMD-12345", "12345"),
        ("EMD 123456", "EMDB", "EMD-123456", "123456"),
        ("EMD-0001", "EMDB", "EMD-0001", "0001"),
        ("5NI1", "PDB", "5NI1", "5ni1"),
        ("5ni1", "PDB", "5NI1", "5ni1"),
        ("pdb_00005ni1", "PDB", "5NI1", "5ni1"),
        ("PDB_00005NI1", "PDB", "5NI1", "5ni1"),
        ("pdb_10005NI1", "PDB", "pdb_10005ni1", "pdb_10005ni1"),
        ("pdb_0000ani1", "PDB", "pdb_0000ani1", "pdb_0000ani1"),
    ],
)
def test_names_of_entries(text, archive, name, key):
    found = accession(text)
    assert (found.archive, found.name, found.key, str(found)) == (archive, name, key, name)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "3488",
            "EMD-348",
            "EMD-",
            "EMD-03488",
            "EMD-1234567890",
            "EMD--3488",
            "EMPIAR-10030",
        ),
        *("EMD-3488.map", "EMD-3488/..", "../EMD-3488", "EMD-34\n88", "EMD-３４８８", "EMD-3488\0"),
        *(
            "ani1",
            "0ni1",
            "5ni",
            "5ni11",
            "5n.1",
            "pdb_5ni1",
            "pdb_00005ni",
            "pdb_00005n/1",
            "1234",
        ),
        "5ıı1",
    ],
)
def test_what_is_no_name_of_an_entry(text):
    assert find_accession(text) is None
    with pytest.raises(FetchError, match=r"not the name of an entry; it looks like EMD-3488"):
        accession(text)


@given(st.text())
def test_whatever_is_accepted_is_a_plain_name_and_means_the_same_again(text):
    found = find_accession(text)
    if found is not None:
        assert found.key.replace("_", "").isalnum()
        assert found.key.isascii()
        assert find_accession(found.name) == found


@given(st.from_regex(r"(emd-?[0-9]{4}|[1-9][a-z][0-9a-z]{2}|pdb_[0-9a-z]{8})", fullmatch=True))
def test_names_in_capitals_are_the_same(text):
    found = accession(text)
    assert isinstance(found, Accession)
    assert accession(text.upper()) == found == accession(f" {text}\t")
