import gzip
import os
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.errors import MapFileError
from atomsight.io.maps import read_header, read_map
from tests.support.maps import ccp4_bytes, ramp, write_ccp4

SHAPE = (4, 3, 5)
READERS = [read_header, read_map]


def cut(data, by):
    return data[:-by]


def refused(file, complaint, reader=read_map, **options):
    with pytest.raises(MapFileError, match=complaint) as caught:
        reader(file, **options)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert "\n" not in message


@pytest.mark.parametrize("reader", READERS)
def test_a_missing_file(tmp_path, reader):
    refused(tmp_path / "none.mrc", "no such map file", reader)


@pytest.mark.parametrize("reader", READERS)
def test_a_folder(tmp_path, reader):
    refused(tmp_path, "this is a folder, not a map file", reader)


@pytest.mark.parametrize("reader", READERS)
def test_an_empty_file(tmp_path, reader):
    file = tmp_path / "empty.mrc"
    file.touch()
    refused(file, "this map file is empty", reader)


@pytest.mark.parametrize("reader", READERS)
def test_a_file_shorter_than_a_header(tmp_path, reader):
    file = tmp_path / "short.mrc"
    file.write_bytes(ccp4_bytes(ramp(SHAPE))[:1000])
    refused(file, "only 1000 bytes", reader)


def test_a_path_through_a_file(tmp_path):
    write_ccp4(tmp_path / "map.mrc", ramp(SHAPE))
    refused(tmp_path / "map.mrc" / "map.mrc", "cannot open this map file")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_no_file_can_have(tmp_path, name):
    with pytest.raises(MapFileError, match="cannot open this map file"):
        read_map(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path):
    file = write_ccp4(tmp_path / "map.mrc", ramp(SHAPE))
    file.chmod(0)
    refused(file, "no permission to read this map file")


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n" + bytes(2000), b"HEADER    OXYGEN TRANSPORT\n" * 60, bytes(4096)],
)
@pytest.mark.parametrize("compress", [True, False])
def test_a_file_of_another_kind(tmp_path, content, compress):
    file = tmp_path / "map.mrc"
    file.write_bytes(gzip.compress(content) if compress else content)
    refused(file, "not a CCP4/MRC map")


@pytest.mark.parametrize(
    "words", [{4: 101}, {17: 9}, {8: 0}, {24: -1}, {14: 200.0}, {10: 2, 23: 401}]
)
@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("reader", READERS)
def test_what_is_wrong_in_the_header_is_said_with_the_name_of_the_file(
    tmp_path, words, compress, reader
):
    file = write_ccp4(tmp_path / "map.mrc", ramp(SHAPE), words=words, compress=compress)
    refused(file, "mode|axis order|voxel size|extended header|angles|volumes", reader)


@pytest.mark.parametrize("lost", [1, 100, 240])
@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_lacks_values(tmp_path, lost, reader):
    file = tmp_path / "map.mrc"
    file.write_bytes(cut(ccp4_bytes(ramp(SHAPE)), lost))
    complaint = f"5 x 3 x 4 voxels need 1264 bytes, the file has {1264 - lost}"
    refused(file, complaint, reader)


def test_a_file_that_ends_within_its_extended_header(tmp_path):
    refused(write_ccp4(tmp_path / "map.mrc", ramp(SHAPE), words={24: 10_000}), "truncated")


def test_the_values_in_a_gzip_that_end_early(tmp_path):
    file = tmp_path / "map.mrc.gz"
    file.write_bytes(gzip.compress(cut(ccp4_bytes(ramp(SHAPE)), 1)))
    refused(file, "truncated: the values end before the header says they do")


@pytest.mark.parametrize("extended", [0, 5_000_000])
def test_a_gzip_that_breaks_off(tmp_path, extended):
    noise = np.random.default_rng(1).bytes(extended)
    data = ccp4_bytes(np.random.default_rng(2).normal(size=(10, 10, 10)), extended=noise)
    file = tmp_path / "map.mrc.gz"
    file.write_bytes(cut(gzip.compress(data, 1), 1000))
    refused(file, "breaks off or is damaged")


def test_a_gzip_with_a_wrong_check_sum(tmp_path):
    file = tmp_path / "map.mrc.gz"
    packed = bytearray(gzip.compress(ccp4_bytes(ramp(SHAPE))))
    packed[-8] ^= 0xFF
    file.write_bytes(packed)
    refused(file, "breaks off or is damaged")


@pytest.mark.parametrize("reader", READERS)
def test_a_gzip_of_which_only_the_magic_is_right(tmp_path, reader):
    file = tmp_path / "map.mrc.gz"
    file.write_bytes(b"\x1f\x8b" + bytes(range(256)) * 8)
    refused(file, "breaks off or is damaged", reader)


@given(st.integers(10, 4000), st.integers(1, 255))
def test_a_gzip_damaged_anywhere_is_refused_or_read_whole(tmp_path_factory, where, change):
    values = np.random.default_rng(3).normal(size=(10, 10, 10)).astype(np.float32)
    packed = bytearray(gzip.compress(ccp4_bytes(values), mtime=0))
    packed[where % len(packed)] ^= change
    file = tmp_path_factory.getbasetemp() / "damaged.mrc.gz"
    file.write_bytes(packed)
    try:
        map_ = read_map(file)
    except MapFileError:
        return
    np.testing.assert_array_equal(map_.values, values)


def peak_memory(file, complaint):
    tracemalloc.start()
    try:
        refused(file, complaint)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("size", [{1: 100_000, 2: 100_000, 3: 100_000}, {1: 2**20, 2: 2**20}])
def test_a_header_that_promises_terabytes_is_refused_before_anything_is_allocated(
    tmp_path, size, compress
):
    file = write_ccp4(tmp_path / "map.mrc", ramp(SHAPE), words=size, compress=compress)
    complaint = "the file has at most" if compress else "the file has 1264"
    assert peak_memory(file, complaint) < 1_000_000


def test_a_gzip_cannot_promise_more_than_deflate_can_hold(tmp_path):
    file = tmp_path / "map.mrc.gz"
    packed = gzip.compress(ccp4_bytes(np.zeros(SHAPE), words={1: 1000, 2: 1000, 3: 2}))
    file.write_bytes(packed)
    assert 1032 * len(packed) < 8_000_000
    refused(file, "the file has at most", read_header)


def test_memory_grows_with_what_a_gzip_holds_not_with_what_it_promises(tmp_path):
    file = tmp_path / "map.mrc.gz"
    filler = np.random.default_rng(4).bytes(400_000)
    file.write_bytes(gzip.compress(ccp4_bytes(np.zeros(SHAPE), words={1: 8000, 2: 3000}) + filler))
    assert read_header(file).data_bytes > 300_000_000
    assert peak_memory(file, "truncated") < 20_000_000


def test_a_crystal_cell_far_larger_than_its_file_takes_no_memory(tmp_path):
    edge = 1_000_000
    options = {"sampling": (edge,) * 3, "cell": (edge, edge, edge, 90, 90, 90), "space_group": 19}
    file = write_ccp4(tmp_path / "map.mrc", ramp(SHAPE), **options)
    tracemalloc.start()
    map_ = read_map(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
    assert not map_.periodic


def test_the_origin_words_cannot_be_used_where_they_are_no_numbers(tmp_path):
    file = write_ccp4(tmp_path / "map.mrc", ramp(SHAPE), origin=(0.0, float("nan"), 0.0))
    refused(file, "ORIGIN words are not numbers", origin="origin")


WORDS = st.integers(1, 56)
VALUES = st.integers(-3, 30) | st.floats(width=32) | st.floats(0, 180, width=32)


@settings(max_examples=300)
@given(
    words=st.dictionaries(WORDS, VALUES, max_size=4),
    noise=st.integers(0, 2**16),
    around=st.booleans(),
    compress=st.booleans(),
)
def test_a_changed_header_is_refused_or_gives_a_map_of_what_the_file_holds(
    tmp_path_factory, words, noise, around, compress
):
    file = tmp_path_factory.getbasetemp() / "changed.mrc"
    bits = np.random.default_rng(noise).integers(0, 2**32, SHAPE, dtype=np.uint32)
    data = ccp4_bytes(bits.view(np.float32), words=words)
    file.write_bytes(zlib_gzip(data) if compress else data)
    positions = np.array([[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]]) if around else None
    try:
        map_ = read_map(file, around=positions)
    except MapFileError:
        return
    assert min(map_.values.shape) >= 1
    assert np.isfinite(map_.origin).all()
    assert np.linalg.det(map_.step) > 0
    assert map_.statistics.n <= len(data) - 1024


def zlib_gzip(data):
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()
