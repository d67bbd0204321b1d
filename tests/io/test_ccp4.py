from itertools import permutations
from pathlib import Path

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.errors import MapFileError
from atomsight.io.ccp4 import HEADER_BYTES, parse_header
from tests.support.maps import STAMPS, ccp4_bytes, ramp

SHAPE = (4, 3, 5)
"""Sections, rows, columns of a map 5 × 3 × 4 voxels large."""
PATH = Path("some.mrc")
ORDERS = list(permutations((1, 2, 3)))
INFINITE, NOT_A_NUMBER = float("inf"), float("nan")


def header(**options):
    return parse_header(ccp4_bytes(np.zeros(SHAPE), **options)[:HEADER_BYTES], PATH)


@pytest.mark.parametrize(("mode", "kind"), [(0, "i1"), (1, "i2"), (2, "f4"), (6, "u2"), (12, "f2")])
@pytest.mark.parametrize("byte_order", "<>")
def test_mode_and_byte_order_give_the_type_of_the_values(mode, kind, byte_order):
    read = header(mode=mode, byte_order=byte_order)
    assert read.dtype == np.dtype(byte_order + kind)
    assert read.data_bytes == 60 * np.dtype(kind).itemsize


@pytest.mark.parametrize("axes", ORDERS)
def test_shape_and_start_come_in_the_order_x_y_z(axes):
    read = header(axes=axes, start=(-7, 11, 400), sampling=(50, 30, 40))
    assert read.shape == (5, 3, 4)
    assert read.start == (-7, 11, 400)
    assert read.sampling == (50, 30, 40)
    assert read.file_axes == tuple(axis - 1 for axis in reversed(axes))
    assert read.file_shape == tuple((5, 3, 4)[axis - 1] for axis in reversed(axes))


@pytest.mark.parametrize("stamp", [b"\0\0\0\0", b"DA\0\0", b"\xff\xff\xff\xff", b"    "])
@pytest.mark.parametrize("byte_order", "<>")
def test_a_strange_machine_stamp_is_no_obstacle(stamp, byte_order):
    read = header(byte_order=byte_order, stamp=stamp, origin=(1.5, -2.5, 3.5))
    assert read.shape == (5, 3, 4)
    assert read.origin == (1.5, -2.5, 3.5)


@pytest.mark.parametrize(("byte_order", "lie"), [("<", ">"), (">", "<")])
def test_a_wrong_machine_stamp_is_not_believed(byte_order, lie):
    read = header(byte_order=byte_order, stamp=STAMPS[lie], mode=1)
    assert read.dtype == np.dtype(byte_order + "i2")
    assert read.cell == (5.0, 3.0, 4.0, 90.0, 90.0, 90.0)


@pytest.mark.parametrize("byte_order", "<>")
def test_mode_zero_of_a_big_endian_file_leaves_only_the_axes_to_tell_the_order(byte_order):
    read = header(mode=0, byte_order=byte_order, stamp=b"\0\0\0\0")
    assert read.shape == (5, 3, 4)


@pytest.mark.parametrize(("flags", "kind"), [(0, "u1"), (1, "i1"), (2, "u1"), (5, "i1")])
def test_imod_says_whether_its_bytes_are_signed(flags, kind):
    assert header(mode=0, words={39: 1146047817, 40: flags}).dtype == np.dtype(kind)


def test_imod_words_change_nothing_in_other_modes():
    assert header(mode=1, words={39: 1146047817, 40: 0}).dtype == np.dtype("<i2")


def test_values_begin_after_the_extended_header():
    assert header(extended=b"x" * 320).data_offset == HEADER_BYTES + 320


@pytest.mark.parametrize(
    ("space_group", "angles", "crystal"),
    [
        (0, (90, 90, 90), False),
        (1, (90, 90, 90), False),
        (1, (90, 90, 90.0005), False),
        (1, (90, 97.5, 90), True),
        (19, (90, 90, 90), True),
        (401, (90, 90, 90), False),
    ],
)
def test_a_crystal_has_symmetry_or_a_skewed_cell(space_group, angles, crystal):
    assert header(space_group=space_group, cell=(5, 3, 4, *angles)).is_crystal is crystal


def test_gemmi_reads_the_same_header(tmp_path):
    file = tmp_path / "map.mrc"
    file.write_bytes(
        ccp4_bytes(
            ramp(SHAPE),
            axes=(3, 1, 2),
            start=(4, -5, 6),
            sampling=(10, 12, 8),
            cell=(15.0, 18.0, 20.0, 90.0, 90.0, 90.0),
            space_group=1,
        )
    )
    theirs = gemmi.read_ccp4_map(str(file), setup=False)
    ours = parse_header(file.read_bytes()[:HEADER_BYTES], file)
    axis = theirs.axis_positions()
    assert ours.shape == tuple(theirs.header_i32(1 + a) for a in axis)
    assert ours.start == tuple(theirs.header_i32(5 + a) for a in axis)
    assert ours.cell == pytest.approx(theirs.grid.unit_cell.parameters)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({4: 3}, "mode 3 is not readable"),
        ({4: 4}, "mode 4 is not readable"),
        ({4: 101}, "mode 101 is not readable"),
        ({4: -1}, "make no sense in either byte order"),
        ({4: 70000}, "make no sense in either byte order"),
        ({17: 1, 18: 1, 19: 3}, "axis order 1, 1, 3"),
        ({17: 2, 18: 2, 19: 2}, "axis order 2, 2, 2"),
        ({17: 0, 18: 1, 19: 2}, "axis order 0, 1, 2"),
        ({19: 4}, "axis order 1, 2, 4"),
        ({1: 0}, "impossible size 0 x 3 x 4"),
        ({2: -3}, "impossible size 5 x -3 x 4"),
        ({3: 1}, "impossible size 5 x 3 x 1"),
        ({1: 2_000_000}, "impossible size 2000000 x"),
        ({24: -80}, r"negative size of the extended header \(-80\)"),
        ({8: 0}, "zero or negative voxel size"),
        ({9: -3}, "zero or negative voxel size"),
        ({11: 0.0}, "zero or negative voxel size"),
        ({12: -3.0}, "zero or negative voxel size"),
        ({13: NOT_A_NUMBER}, "not numbers"),
        ({11: INFINITE}, "not numbers"),
        ({15: NOT_A_NUMBER}, "not numbers"),
        ({11: 1e-38}, "impossible voxel size"),
        ({12: 3e38}, "impossible voxel size"),
        ({14: 0.0, 15: 0.0, 16: 0.0}, "impossible cell angles 0, 0, 0"),
        ({14: 180.0}, "impossible cell angles 180, 90, 90"),
        ({14: -90.0}, "impossible cell angles -90, 90, 90"),
        ({14: 150.0, 15: 150.0, 16: 150.0}, "impossible cell angles 150, 150, 150"),
        ({14: 30.0, 15: 30.0, 16: 100.0}, "impossible cell angles 30, 30, 100"),
        ({14: 60.0, 15: 60.0, 16: 120.0}, "impossible cell angles 60, 60, 120"),
        ({23: 401, 10: 2}, "a stack of 2 volumes"),
        ({23: 630, 10: 1}, "a stack of 4 volumes"),
    ],
)
@pytest.mark.parametrize("byte_order", "<>")
def test_a_header_that_makes_no_sense_is_refused(words, complaint, byte_order):
    with pytest.raises(MapFileError, match=complaint) as caught:
        header(words=words, byte_order=byte_order)
    assert str(caught.value).startswith("some.mrc: ")


@pytest.mark.parametrize("magic", [b"    ", b"\0\0\0\0", b"map ", b"PAM "])
def test_the_word_map_must_stand_in_its_place(magic):
    raw = bytearray(ccp4_bytes(np.zeros(SHAPE)))
    raw[208:212] = magic
    with pytest.raises(MapFileError, match="not a CCP4/MRC map"):
        parse_header(bytes(raw), PATH)


@pytest.mark.parametrize("ending", [b"MAP ", b"MAP\0", b"MAP2"])
def test_the_fourth_letter_of_the_word_map_does_not_matter(ending):
    raw = bytearray(ccp4_bytes(np.zeros(SHAPE)))
    raw[208:212] = ending
    assert parse_header(bytes(raw), PATH).shape == (5, 3, 4)


@pytest.mark.parametrize("size", [0, 1, 211, 1023])
def test_fewer_bytes_than_a_header_are_refused(size):
    with pytest.raises(MapFileError, match=f"only {size} bytes"):
        parse_header(ccp4_bytes(np.zeros(SHAPE))[:size], PATH)


@given(st.binary(min_size=1024, max_size=1100), st.booleans())
def test_arbitrary_bytes_are_refused_or_make_a_usable_header(raw, with_magic):
    if with_magic:
        raw = raw[:208] + b"MAP " + raw[212:]
    check_usable_or_refused(raw)


WORDS = st.integers(1, 52) | st.sampled_from([1, 4, 8, 11, 14, 17, 23, 24, 50])
VALUES = (
    st.integers(-(2**31), 2**31 - 1)
    | st.integers(-2, 500)
    | st.floats(width=32)
    | st.floats(0, 180, width=32)
)


@settings(max_examples=400)
@given(st.dictionaries(WORDS, VALUES, max_size=4), st.sampled_from("<>"))
def test_a_header_with_some_words_changed_is_refused_or_usable(words, byte_order):
    check_usable_or_refused(ccp4_bytes(np.zeros(SHAPE), words=words, byte_order=byte_order))


def check_usable_or_refused(raw):
    try:
        read = parse_header(raw, PATH)
    except MapFileError:
        return
    assert min(read.shape) >= 2
    assert sorted(read.file_axes) == [0, 1, 2]
    assert min(read.sampling) > 0
    assert np.isfinite(read.cell).all()
    assert gemmi.UnitCell(*read.cell).volume > 0
    assert read.data_offset >= HEADER_BYTES
