import gzip
import os
import tracemalloc
import zlib
from pathlib import Path

import pytest

from atomsight.errors import MapFileError, ModelFileError, OutputError
from atomsight.io.files import (
    is_gzip,
    make_folder,
    open_binary,
    read_text_bytes,
    read_up_to,
    require_file,
    sha256,
    staged,
    whole_file,
    write_text,
)

not_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")
MIB = 2**20


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(b"content\n" * 100)
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", [str, Path])
def test_a_readable_file_is_given_back_as_a_path(file, kind):
    assert require_file(kind(file), "map", MapFileError) == file


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("none.mrc", "no such mask file"),
        (".", "this is a folder, not a mask file"),
        ("empty", "this mask file is empty"),
        ("file.txt/inside", "cannot open this mask file"),
        ("dangling", "no such mask file"),
        ("loop", "cannot open this mask file"),
        ("y" * 300, "cannot open this mask file"),
    ],
)
def test_what_is_no_readable_file_is_refused_by_name(file, name, complaint):
    folder = file.parent
    (folder / "empty").touch()
    (folder / "dangling").symlink_to(folder / "nowhere")
    (folder / "loop").symlink_to(folder / "loop")
    with pytest.raises(ModelFileError, match=complaint) as caught:
        require_file(folder / name, "mask", ModelFileError)
    assert str(folder / name) in str(caught.value)


@not_root
def test_a_file_without_permission_is_refused(file):
    file.chmod(0)
    with pytest.raises(MapFileError, match="no permission to read this map file"):
        require_file(file, "map", MapFileError)


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (gzip.compress(b"x", mtime=0), True),
        (b"\x1f\x8b", True),
        (b"\x1f", False),
        (b"data_x", False),
    ],
)
def test_gzip_is_known_by_its_first_two_bytes(file, content, answer):
    file.write_bytes(content)
    assert is_gzip(file) is answer


@pytest.mark.parametrize("compress", [True, False])
def test_plain_and_gzipped_files_open_alike(file, compress):
    if compress:
        file.write_bytes(gzip.compress(b"content\n" * 100))
    with open_binary(file, "map", MapFileError) as handle:
        assert handle.read() == b"content\n" * 100
    assert read_text_bytes(file, "model", ModelFileError) == b"content\n" * 100


@pytest.mark.parametrize("damage", ["cut", "check sum", "middle"])
def test_a_damaged_gzip_becomes_the_error_asked_for(file, damage):
    packed = bytearray(gzip.compress(os.urandom(5000)))
    if damage == "cut":
        del packed[-100:]
    else:
        packed[-6 if damage == "check sum" else 2000] ^= 0xFF
    file.write_bytes(packed)
    with pytest.raises(ModelFileError, match="this model file breaks off or is damaged"):
        read_text_bytes(file, "model", ModelFileError)


def test_errors_of_the_reader_itself_pass_through(file):
    with pytest.raises(KeyError), open_binary(file, "map", MapFileError):
        raise KeyError("mine")


def zeros_gzip(mebibytes):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(MIB)
    return b"".join(packer.compress(zeros) for _ in range(mebibytes)) + packer.flush()


def test_a_small_gzip_may_expand_to_64_mebibytes(file):
    file.write_bytes(zeros_gzip(64))
    assert len(read_text_bytes(file, "model", ModelFileError)) == 64 * MIB


def test_a_gzip_bomb_is_refused_before_it_fills_the_memory(file):
    file.write_bytes(zeros_gzip(300))
    tracemalloc.start()
    with pytest.raises(ModelFileError, match="expands to more than 64 MiB"):
        read_text_bytes(file, "model", ModelFileError)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 * MIB


@pytest.mark.parametrize(
    ("wanted", "length"), [(0, 0), (1, 1), (799, 799), (800, 800), (801, 800), (10**15, 800)]
)
def test_reading_up_to_a_count_stops_where_the_file_does(file, wanted, length):
    with file.open("rb") as handle:
        assert read_up_to(handle, wanted) == (b"content\n" * 100)[:length]


def test_reading_up_to_a_count_puts_pieces_together_in_order(file):
    content = os.urandom(9 * MIB)
    file.write_bytes(content)
    with file.open("rb") as handle:
        assert read_up_to(handle, 8 * MIB + 5) == content[: 8 * MIB + 5]


def test_sha256_is_of_the_bytes_on_disk(file):
    file.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert sha256(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_folder_is_made_with_its_parents_and_left_as_it_was(tmp_path):
    folder = make_folder(tmp_path / "a" / "b")
    (folder / "kept").touch()
    assert make_folder(str(folder)) == folder
    assert names(folder) == ["kept"]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("file.txt", "this is a file, not a folder; choose another with -o"),
        ("file.txt/below", "cannot write to this output folder"),
        ("a\0b", "cannot write to this output folder"),
        ("z" * 300, "cannot write to this output folder"),
    ],
)
def test_a_folder_that_cannot_be_made_is_an_output_error(file, name, complaint):
    with pytest.raises(OutputError, match=complaint):
        make_folder(file.parent / name)


@not_root
def test_a_folder_that_cannot_be_written_to_is_an_output_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="choose another with -o"):
        make_folder(tmp_path)


def test_a_whole_file_appears_only_at_the_end(tmp_path):
    target = tmp_path / "result.csv"
    with whole_file(target) as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".csv"
        assert temporary.parent == tmp_path
        assert not target.exists()
    assert target.read_text() == "new"
    assert names(tmp_path) == ["result.csv"]


def fail_halfway(target, error):
    with whole_file(target) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize(
    ("error", "becomes"),
    [(ZeroDivisionError(), ZeroDivisionError), (OSError(28, "No space left"), OutputError)],
)
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error, becomes):
    target = tmp_path / "result.csv"
    target.write_text("old")
    with pytest.raises(becomes):
        fail_halfway(target, error)
    assert target.read_text() == "old"
    assert names(tmp_path) == ["result.csv"]


@pytest.mark.parametrize("name", ["folder", "none/result.txt", "file/result.txt", "q" * 300, "."])
def test_a_file_that_cannot_be_written_is_an_output_error(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write this file") as caught:
        write_text(tmp_path / name, "text")
    assert str(tmp_path / name) in str(caught.value)
    assert names(tmp_path) == ["file", "folder"]
    assert names(tmp_path / "folder") == []


@pytest.mark.parametrize("name", ["", ".", "/", ".."])
def test_a_name_that_names_no_file_is_an_output_error(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="cannot write this file"):
        write_text(name, "text")


def test_text_is_written_as_utf_8_with_plain_line_ends(tmp_path):
    assert write_text(str(tmp_path / "å.txt"), "3 Å\n4 Å\n") == tmp_path / "å.txt"
    assert (tmp_path / "å.txt").read_bytes() == b"3 \xc3\x85\n4 \xc3\x85\n"


def test_staged_files_come_together_and_leave_others_alone(tmp_path):
    (tmp_path / "other.txt").write_text("stays")
    (tmp_path / "a.txt").write_text("old")
    with staged(tmp_path) as stage:
        (stage / "a.txt").write_text("new")
        (stage / "folder").mkdir()
        (stage / "folder" / "b.txt").write_text("b")
        assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt", "folder", "other.txt"]
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError("no"), OSError(28, "No space left on device")])
def test_a_stage_that_fails_leaves_everything_as_it_was(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")
    becomes = OutputError if isinstance(error, OSError) else ValueError

    def write():
        with staged(tmp_path) as stage:
            (stage / "a.txt").write_text("new")
            raise error

    with pytest.raises(becomes):
        write()
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"
