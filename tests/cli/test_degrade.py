import numpy as np
import polars as pl
import pytest

from atomsight import read_map, write_map
from tests.density.test_degrade import BLOBS, FIRST, SECOND
from tests.support.cases import files_below


@pytest.fixture
def files(tmp_path):
    """One map and two half maps."""
    return [
        write_map(map_.values, map_, tmp_path / f"{name}.mrc")
        for name, map_ in (("whole", BLOBS), ("one", FIRST), ("two", SECOND))
    ]


def test_a_series_goes_into_a_folder(atomsight, files, tmp_path):
    out = tmp_path / "out"
    done = atomsight("degrade", files[0], "--to", "3,4", "--resolution", 2.2, "-o", out)
    assert (done.code, done.err) == (0, "")
    assert files_below(out) == ["resolution_series.csv", "whole_3A.mrc", "whole_4A.mrc"]
    assert [line.split(": ")[0] for line in done.out.splitlines()] == [
        str(out / "whole_3A.mrc"),
        str(out / "whole_4A.mrc"),
    ]
    table = pl.read_csv(out / "resolution_series.csv")
    np.testing.assert_allclose(table["resolution"], [3.0, 4.0], atol=0.15)
    before, after = read_map(files[0]), read_map(out / "whole_4A.mrc")
    np.testing.assert_array_equal(after.origin, before.origin)
    np.testing.assert_array_equal(after.step, before.step)


def test_one_map_may_be_one_file(atomsight, files, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        done = atomsight(
            "degrade", files[0], "--to", 4, "--resolution", 2.2, "--seed", seed,
            "-o", tmp_path / "maps" / f"{name}.mrc",
        )  # fmt: skip
        assert done.code == 0
    assert files_below(tmp_path / "maps") == ["a.mrc", "b.mrc", "c.mrc"]
    a, b, c = ((tmp_path / "maps" / f"{n}.mrc").read_bytes() for n in "abc")
    assert a == b != c


def test_half_maps_stay_half_maps(atomsight, files, tmp_path):
    out = tmp_path / "out"
    done = atomsight("degrade", "--half-maps", *files[1:], "--to", 5, "-o", out)
    assert (done.code, done.err) == (0, "")
    names = ["one_5A.mrc", "one_5A_half1.mrc", "one_5A_half2.mrc", "resolution_series.csv"]
    assert files_below(out) == names


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--to", "4"), "whole.mrc: a map does not tell its resolution; give --resolution"),
        (("--to", "4,x", "--resolution", 3), "--to x: not a number; several look like 3,4,5"),
        (("--to", "3", "--resolution", 4), "a map of 4.00 Å cannot be degraded to 3 Å"),
        (("--to", "1", "--resolution", 0.8), "its voxels hold nothing finer than 2.00 Å"),
        (("--to", "4", "--resolution", 3, "--mask", "m.mrc"), "means nothing without --half-maps"),
        (("--to", "4", "--half-maps", "a", "b"), "give one map, or two half maps"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_left(atomsight, files, tmp_path, options, message):
    done = atomsight("degrade", files[0], *options, "-o", tmp_path / "out")
    assert message in done.error
    assert not (tmp_path / "out").exists()


def test_one_file_holds_one_map(atomsight, files, tmp_path):
    done = atomsight(
        "degrade", files[0], "--to", "3,4", "--resolution", 2.2, "-o", tmp_path / "x.mrc"
    )
    assert "one file cannot hold 2 maps; name a folder" in done.error


def test_half_maps_tell_their_own_resolution(atomsight, files, tmp_path):
    done = atomsight(
        "degrade", "--half-maps", *files[1:], "--to", 5, "--resolution", 3, "-o", tmp_path / "x"
    )
    assert "half maps tell both themselves" in done.error
    assert atomsight("degrade", "--to", 5, "-o", tmp_path / "x").error.startswith("give one map")


def test_a_mask_on_another_grid_is_refused(atomsight, files, tmp_path):
    small = write_map(BLOBS.values[:20], BLOBS, tmp_path / "small.mrc")
    done = atomsight(
        "degrade", "--half-maps", *files[1:], "--to", 5, "--mask", small, "-o", tmp_path / "x"
    )
    assert "small.mrc" in done.error
