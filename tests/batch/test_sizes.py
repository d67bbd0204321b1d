import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.batch.sizes import bytes_of, size_of
from atomsight.errors import ParameterError


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("12GB", 12 * 10**9),
        ("12g", 12 * 10**9),
        (" 1.5 TiB ", 1.5 * 2**40),
        ("800MiB", 800 * 2**20),
        ("4096", 4096),
        ("2kB", 2000),
    ],
)
def test_sizes_as_people_write_them(text, count):
    assert bytes_of(text, "--memory") == count


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "0", "1e9", "12 G B", "12XB", "inf", "0.1"])
def test_what_is_no_size(text):
    with pytest.raises(ParameterError, match=r"--memory is .*, not a size of memory"):
        bytes_of(text, "--memory")


@given(st.integers(2**25, 2**50))
def test_what_is_shown_can_be_given(count):
    assert bytes_of(size_of(count), "--memory") == pytest.approx(count, rel=0.06)
