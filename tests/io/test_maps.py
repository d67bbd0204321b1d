import gzip
import zlib
from dataclasses import astuple
from itertools import permutations

import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.density.map import array_statistics
from atomsight.density.sampling import trilinear
from atomsight.io.maps import origin_choices, read_header, read_map
from tests.support.maps import ccp4_bytes, ramp, write_ccp4

SHAPE = (4, 3, 5)
ORDERS = list(permutations((1, 2, 3)))
PLACED = {
    "cell": (12.0, 9.0, 10.0, 90.0, 90.0, 90.0),
    "sampling": (8, 6, 5),
    "start": (3, -4, 7),
    "origin": (0.5, -20.0, 31.25),
}
"""Voxels of 1.5 × 1.5 × 2 Å; M differs from N; ORIGIN and NSTART differ."""


@pytest.fixture
def file(tmp_path):
    return tmp_path / "map.mrc"


def said(map_, words):
    return [note for note in map_.notes if words in note]


@pytest.mark.parametrize("mode", [0, 1, 2, 6, 12])
@pytest.mark.parametrize("byte_order", "<>")
def test_every_mode_and_byte_order_gives_the_same_values(file, mode, byte_order):
    values = ramp(SHAPE)
    map_ = read_map(write_ccp4(file, values, mode=mode, byte_order=byte_order))
    np.testing.assert_array_equal(map_.values, values)
    assert map_.values.dtype == np.float32
    assert map_.values.flags.c_contiguous


@pytest.mark.parametrize(
    ("mode", "low", "high"),
    [(0, -128, 127), (1, -32768, 32767), (6, 0, 65535), (12, -65504, 65504)],
)
def test_extreme_values_of_each_mode_survive(file, mode, low, high):
    values = np.full(SHAPE, low, dtype=np.float32)
    values[1, 1, 1] = high
    map_ = read_map(write_ccp4(file, values, mode=mode))
    np.testing.assert_array_equal(map_.values, values)
    assert (map_.statistics.minimum, map_.statistics.maximum) == (low, high)


def test_imod_unsigned_bytes_are_not_negative(file):
    values = ramp(SHAPE) * 2
    data = ccp4_bytes(values.astype(np.uint8).view(np.int8), mode=0, words={39: 1146047817, 40: 0})
    file.write_bytes(data)
    map_ = read_map(file)
    assert map_.values.max() > 127
    np.testing.assert_array_equal(map_.values, values)


@pytest.mark.parametrize("axes", ORDERS)
def test_all_axis_orders_give_the_same_map(file, axes):
    values = ramp(SHAPE)
    map_ = read_map(write_ccp4(file, values, axes=axes, **PLACED))
    np.testing.assert_array_equal(map_.values, values)
    np.testing.assert_allclose(map_.origin, PLACED["origin"])
    np.testing.assert_allclose(map_.step, np.diag([1.5, 1.5, 2.0]))
    assert map_.full_shape == (5, 3, 4)


@pytest.mark.parametrize("axes", ORDERS)
@pytest.mark.parametrize("mode", [0, 1, 2, 6])
def test_gemmi_reads_the_same_values(file, axes, mode):
    write_ccp4(file, ramp(SHAPE), axes=axes, mode=mode)
    theirs = gemmi.read_ccp4_map(str(file), setup=True).grid
    np.testing.assert_array_equal(read_map(file).values, theirs.array.transpose(2, 1, 0))


@pytest.mark.parametrize("axes", ORDERS)
@pytest.mark.parametrize("angles", [(90, 90, 90), (75, 100, 115)])
def test_gemmi_puts_the_voxels_at_the_same_positions(file, axes, angles):
    write_ccp4(file, ramp(SHAPE), axes=axes, cell=(12, 9, 10, *angles), start=(0, 0, 0))
    theirs = gemmi.read_ccp4_map(str(file), setup=True).grid
    ours = read_map(file)
    for index in [(0, 0, 0), (4, 2, 3), (1, 2, 0)]:
        place = ours.origin + ours.step @ index
        assert place == pytest.approx(theirs.get_position(*index).tolist(), abs=1e-5)


@pytest.mark.parametrize("name", ["map.mrc", "map.map.gz"])
@pytest.mark.parametrize("compress", [True, False])
def test_gzip_is_known_by_content_not_by_name(tmp_path, name, compress):
    file = write_ccp4(tmp_path / name, ramp(SHAPE), compress=compress, **PLACED)
    map_ = read_map(file)
    np.testing.assert_array_equal(map_.values, ramp(SHAPE))
    assert map_.path == file
    assert read_header(file).start == PLACED["start"]


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("size", [80, 1024, 5_000_000])
def test_an_extended_header_is_skipped(file, compress, size):
    write_ccp4(file, ramp(SHAPE), extended=b"\x7f" * size, compress=compress)
    np.testing.assert_array_equal(read_map(file).values, ramp(SHAPE))


@pytest.mark.parametrize("axes", ORDERS)
def test_nstart_places_the_map_where_origin_is_zero(file, axes):
    options = PLACED | {"origin": (0, 0, 0)}
    map_ = read_map(write_ccp4(file, ramp(SHAPE), axes=axes, **options))
    np.testing.assert_allclose(map_.origin, [3 * 1.5, -4 * 1.5, 7 * 2.0])
    assert map_.notes == ()


def test_origin_that_differs_from_nstart_is_used_and_said(file):
    map_ = read_map(write_ccp4(file, ramp(SHAPE), **PLACED))
    np.testing.assert_allclose(map_.origin, PLACED["origin"])
    assert map_.notes == (
        "ORIGIN (0.5, -20, 31.25 Å) and NSTART (4.5, -6, 14 Å) differ: ORIGIN used",
    )


def test_origin_that_agrees_with_nstart_needs_no_note(file):
    map_ = read_map(write_ccp4(file, ramp(SHAPE), **PLACED | {"origin": (4.5, -6.0, 14.0)}))
    np.testing.assert_allclose(map_.origin, [4.5, -6.0, 14.0])
    assert map_.notes == ()


@pytest.mark.parametrize(
    ("rule", "place"),
    [("origin", (0.5, -20.0, 31.25)), ("nstart", (4.5, -6.0, 14.0)), ("zero", (0.0, 0.0, 0.0))],
)
def test_the_rule_for_the_origin_can_be_chosen(file, rule, place):
    map_ = read_map(write_ccp4(file, ramp(SHAPE), **PLACED), origin=rule)
    np.testing.assert_allclose(map_.origin, place)
    assert said(map_, "on request")


def test_origin_words_that_are_no_numbers_give_way_to_nstart(file):
    write_ccp4(file, ramp(SHAPE), **PLACED | {"origin": (0.5, float("nan"), 0.0)})
    map_ = read_map(file)
    np.testing.assert_allclose(map_.origin, [4.5, -6.0, 14.0])
    assert said(map_, "ORIGIN words are not numbers")


def test_origin_choices_name_each_place_once(file):
    write_ccp4(file, ramp(SHAPE), **PLACED)
    choices = origin_choices(file)
    assert list(choices) == ["origin", "nstart", "zero"]
    np.testing.assert_allclose(choices["nstart"], [4.5, -6.0, 14.0])
    write_ccp4(file, ramp(SHAPE))
    assert list(origin_choices(file)) == ["origin"]


def test_origin_choices_leave_out_words_that_are_no_numbers(file):
    write_ccp4(file, ramp(SHAPE), **PLACED | {"origin": (float("inf"), 0.0, 0.0)})
    assert list(origin_choices(file)) == ["nstart", "zero"]


@pytest.mark.parametrize("axes", ORDERS)
@pytest.mark.parametrize("compress", [True, False])
def test_a_box_equals_the_same_part_of_the_whole_map(file, axes, compress):
    values = np.random.default_rng(5).normal(size=(21, 17, 19)).astype(np.float32)
    options = {"cell": (38, 34, 42, 90, 90, 90), "origin": (-10, 5, 2.5)}
    write_ccp4(file, values, axes=axes, compress=compress, **options)
    around = np.array([[2.0, 20.0, 20.0], [6.0, 22.0, 25.0]])
    whole, box = read_map(file), read_map(file, around=around, margin=3.0)
    x, y, z = box.start
    nz, ny, nx = box.values.shape
    np.testing.assert_array_equal(box.values, whole.values[z : z + nz, y : y + ny, x : x + nx])
    np.testing.assert_allclose(box.origin, whole.origin + 2.0 * np.array(box.start))
    np.testing.assert_allclose(box.full_origin, whole.origin)
    assert box.full_shape == whole.full_shape == (19, 17, 21)
    assert box.values.size < whole.values.size / 8
    far = box.origin + 2.0 * (np.array([nx, ny, nz]) - 1)
    assert (box.origin <= around.min(axis=0) - 3.0).all()
    assert (far >= around.max(axis=0) + 3.0).all()


def test_statistics_are_of_the_whole_file_whatever_is_kept(file):
    values = np.random.default_rng(6).normal(3.0, 2.0, size=(30, 20, 20)).astype(np.float32)
    write_ccp4(file, values)
    box = read_map(file, around=np.array([[3.0, 3.0, 3.0]]), margin=1.0)
    assert box.values.size < 100
    assert box.statistics == read_map(file).statistics
    assert box.statistics.n == 12000
    assert box.statistics.mean == pytest.approx(values.astype(float).mean(), rel=1e-12)
    assert box.statistics.sd == pytest.approx(values.astype(float).std(), rel=1e-12)


def test_statistics_add_up_over_a_file_read_in_several_pieces(file):
    values = np.random.default_rng(7).normal(1e4, 1.0, size=(130, 100, 100)).astype(np.float32)
    values[64:] += 50
    statistics = read_map(write_ccp4(file, values)).statistics
    assert statistics.mean == pytest.approx(values.astype(float).mean(), rel=1e-12)
    assert statistics.sd == pytest.approx(values.astype(float).std(), rel=1e-9)
    assert statistics.maximum == values.max()
    assert statistics.n == values.size


@pytest.mark.parametrize("absent", [float("nan"), float("inf"), -float("inf")])
def test_voxels_that_are_no_numbers_are_counted_and_left_out(file, absent):
    values = ramp(SHAPE)
    values[0, 0, :2] = absent
    map_ = read_map(write_ccp4(file, values))
    assert map_.statistics.n == 60
    assert map_.statistics.n_not_finite == 2
    expected = array_statistics(values)
    assert map_.statistics.mean == pytest.approx(expected.mean)
    assert map_.statistics.sd == pytest.approx(expected.sd)
    assert (map_.statistics.minimum, map_.statistics.maximum) == (2.0, ramp(SHAPE).max())
    np.testing.assert_array_equal(map_.values, values)


def test_a_map_without_any_number_has_no_statistics(file):
    statistics = read_map(write_ccp4(file, np.full(SHAPE, np.nan))).statistics
    assert statistics.n_not_finite == statistics.n == 60
    assert np.isnan([statistics.mean, statistics.sd, statistics.minimum]).all()


@pytest.mark.parametrize("place", [-1e4, 1e4, 1e300, -1e300])
def test_positions_far_from_the_map_give_a_small_box_inside_it(file, place):
    box = read_map(write_ccp4(file, ramp(SHAPE)), around=np.array([[place, 0.0, 0.0]]))
    assert box.values.shape[2] == 2
    assert 0 <= box.start[0] <= 3


def test_positions_that_are_no_numbers_are_ignored_in_choosing_the_box(file):
    values = np.zeros((30, 30, 30), dtype=np.float32)
    known = np.array([[15.0, 15.0, 15.0]])
    write_ccp4(file, values)
    nowhere = np.full((1, 3), np.nan)
    box = read_map(file, around=np.vstack([nowhere, known]), margin=2.0)
    assert box.start == read_map(file, around=known, margin=2.0).start == (13, 13, 13)


def test_bytes_after_the_last_voxel_are_noted(file):
    write_ccp4(file, ramp(SHAPE))
    file.write_bytes(file.read_bytes() + b"\0")
    assert said(read_map(file), "bytes after the last voxel")


def test_gzip_that_goes_on_after_the_map_is_read_no_further(file):
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    packed = packer.compress(ccp4_bytes(ramp(SHAPE)))
    packed += b"".join(packer.compress(zeros) for _ in range(200))
    file.write_bytes(packed + packer.flush(zlib.Z_SYNC_FLUSH))
    map_ = read_map(file)
    np.testing.assert_array_equal(map_.values, ramp(SHAPE))
    assert said(map_, "bytes after the last voxel")


def test_gzip_in_several_members_is_one_map(file):
    data = ccp4_bytes(ramp(SHAPE))
    file.write_bytes(gzip.compress(data[:1100]) + gzip.compress(data[1100:]))
    np.testing.assert_array_equal(read_map(file).values, ramp(SHAPE))


shapes = st.tuples(*[st.integers(2, 6)] * 3)
places = st.tuples(*[st.floats(-500, 500, width=32)] * 3)
starts = st.tuples(*[st.integers(-300, 300)] * 3)


@given(
    shape=shapes,
    axes=st.sampled_from(ORDERS),
    mode=st.sampled_from([0, 1, 2, 6, 12]),
    byte_order=st.sampled_from("<>"),
    start=starts,
    origin=places,
    compress=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_what_is_written_is_read(tmp_path_factory, shape, origin, start, compress, seed, **options):
    file = tmp_path_factory.getbasetemp() / "round-trip.mrc"
    values = np.random.default_rng(seed).integers(0, 128, shape).astype(np.float32)
    write_ccp4(file, values, start=start, origin=origin, compress=compress, **options)
    map_ = read_map(file)
    np.testing.assert_array_equal(map_.values, values)
    np.testing.assert_allclose(map_.origin, origin if any(origin) else start)
    assert astuple(map_.statistics) == pytest.approx(astuple(array_statistics(values)))


class TestRealMaps:
    """Cut-outs of EMD-21457 from ccpem-utils 0.0.1.dev35: one map, placed in three ways."""

    PLACE = (155 * 1.05, 220 * 1.05, 195 * 1.05)
    """NSTART of emd_21457_seg_nstart.mrc times its voxel size."""

    @pytest.mark.parametrize(
        ("name", "place"),
        [
            ("emd_21457_seg.mrc", PLACE),
            ("emd_21457_seg_nstart.mrc", PLACE),
            ("emd_21457_seg_orig0.mrc", (0.0, 0.0, 0.0)),
        ],
    )
    def test_origin_words_and_nstart_put_the_map_at_the_same_place(self, demo_data, name, place):
        map_ = read_map(demo_data / name)
        assert map_.origin == pytest.approx(place, abs=1e-4)
        assert map_.voxel_size == pytest.approx((1.05, 1.05, 1.05), abs=1e-6)
        assert map_.full_shape == (48, 40, 47)
        assert map_.notes == ()

    def test_the_domain_fitted_to_that_map_lies_in_density(self, demo_data):
        atoms = gemmi.read_structure(str(demo_data / "6vyb_Ndom.pdb"))[0].all()
        xyz = np.array([site.atom.pos.tolist() for site in atoms])
        map_ = read_map(demo_data / "emd_21457_seg_nstart.mrc")
        at_atoms = trilinear(map_, xyz)
        assert np.isfinite(at_atoms).mean() > 0.95
        for shift in 4.0 * np.vstack([np.eye(3), -np.eye(3)]):
            assert np.nanmean(at_atoms) > 1.5 * np.nanmean(trilinear(map_, xyz + shift))

    def test_the_header_of_emd_3488_agrees_with_its_values(self, demo_data):
        file = demo_data / "emd_3488.mrc"
        written = gemmi.read_ccp4_map(str(file))
        statistics = read_map(file).statistics
        for number, ours in ((20, statistics.minimum), (21, statistics.maximum)):
            assert ours == pytest.approx(written.header_float(number), rel=1e-6)
        assert statistics.mean == pytest.approx(written.header_float(22), rel=1e-5)
        assert statistics.sd == pytest.approx(written.header_float(55), rel=1e-5)

    def test_a_map_with_axes_3_2_1_is_the_one_that_gemmi_reads(self, extra_data):
        file = extra_data / "emd_11007_rdrp" / "map.map.gz"
        assert read_header(file).file_axes == (0, 1, 2)
        theirs = gemmi.read_ccp4_map(str(file), setup=True).grid
        ours = read_map(file, around=np.array([[100.0, 90.0, 80.0]]), margin=10.0)
        x, y, z = ours.start
        nz, ny, nx = ours.values.shape
        part = theirs.array[x : x + nx, y : y + ny, z : z + nz]
        np.testing.assert_array_equal(ours.values, part.transpose(2, 1, 0))
