"""Opening files with limits, and writing them whole or not at all."""

import gzip
import hashlib
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from atomsight.errors import InputError, OutputError
from atomsight.typing import PathLikeStr

GZIP_MAGIC = b"\x1f\x8b"
DEFLATE_LIMIT = 1032
"""The largest ratio that deflate can reach: a file that promises more is broken."""

_TEXT_FLOOR = 64 * 2**20
_TEXT_RATIO = 200
_PIECE_BYTES = 4 * 2**20


def require_file(path: PathLikeStr, what: str, error: type[InputError]) -> Path:
    """Check that a path is a readable file, before anything is done with it.

    Parameters
    ----------
    path : path
    what : str
        What the file is to the user, e.g. ``"map"``.
    error : type
        The exception to raise.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        Of the type given, when the path is missing, a folder, empty or not readable.
    """
    file = Path(path)
    try:
        if file.is_dir():
            raise error(f"{file}: this is a folder, not a {what} file")
        size = file.stat().st_size
    except FileNotFoundError:
        raise error(f"{file}: no such {what} file") from None
    except (OSError, ValueError) as exc:
        raise error(f"{file}: cannot open this {what} file ({reason_of(exc)})") from None
    if not os.access(file, os.R_OK):
        raise error(f"{file}: no permission to read this {what} file")
    if size == 0:
        raise error(f"{file}: this {what} file is empty")
    return file


def is_gzip(path: Path) -> bool:
    """Whether a file starts with gzip's magic bytes, whatever its name.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
    """
    with path.open("rb") as handle:
        return handle.read(2) == GZIP_MAGIC


@contextmanager
def open_binary(path: Path, what: str, error: type[InputError]) -> Iterator[BinaryIO]:
    """Open a plain or gzipped file for reading; read errors become `error`.

    Parameters
    ----------
    path : Path
    what : str
        What the file is to the user.
    error : type
        The exception to raise when reading fails.

    Yields
    ------
    binary file
    """
    try:
        if is_gzip(path):
            with gzip.open(path, "rb") as handle:
                yield cast(BinaryIO, handle)
        else:
            with path.open("rb") as plain:
                yield plain
    except (OSError, EOFError, zlib.error) as exc:
        raise error(
            f"{path}: this {what} file breaks off or is damaged ({reason_of(exc)})"
        ) from None


def read_text_bytes(path: Path, what: str, error: type[InputError]) -> bytes:
    """Whole content of a plain or gzipped text file, with a limit on what gzip may expand to.

    Parameters
    ----------
    path : Path
    what : str
        What the file is to the user.
    error : type
        The exception to raise.

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        Of the type given, when the file cannot be read or expands beyond 64 MiB and
        200 times its compressed size (real coordinate files reach about 30).
    """
    if not is_gzip(path):
        with open_binary(path, what, error) as handle:
            return handle.read()
    limit = max(_TEXT_FLOOR, _TEXT_RATIO * path.stat().st_size)
    with open_binary(path, what, error) as handle:
        data = read_up_to(handle, limit + 1)
    if len(data) > limit:
        raise error(
            f"{path}: expands to more than {limit // 2**20} MiB, which no {what} file of this "
            "size does; unpack it yourself if you trust it"
        )
    return data


def read_up_to(handle: BinaryIO, count: int) -> bytes:
    """Read in pieces, so that memory grows with what is there and not with what is promised.

    Parameters
    ----------
    handle : binary file
    count : int
        Bytes wanted.

    Returns
    -------
    bytes
        Shorter than `count` only where the file ends.
    """
    pieces: list[bytes] = []
    while count > 0 and (piece := handle.read(min(count, _PIECE_BYTES))):
        pieces.append(piece)
        count -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes as they are on disk, in hexadecimal.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
    """
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def make_folder(path: PathLikeStr, *, option: str = "-o") -> Path:
    """Make an output folder and check that it can be written to.

    Parameters
    ----------
    path : path
    option : str
        How the user chooses another.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.
    """
    folder = Path(path)
    try:
        if folder.is_file():
            raise OutputError(
                f"{folder}: this is a file, not a folder; choose another with {option}"
            )
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as exc:
        raise OutputError(
            f"{folder}: cannot write to this output folder ({reason_of(exc)}); choose another with "
            f"{option}"
        ) from None
    return folder


def require_parent(path: PathLikeStr) -> Path:
    """Check that a file can be written where it is wanted, before anything is computed.

    Parameters
    ----------
    path : path

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If its folder cannot be made or written to, or the path is a folder.
    """
    target = Path(path)
    if target.is_dir():
        raise OutputError(f"{target}: this is a folder; name a file with -o")
    make_folder(target.parent)
    return target


@contextmanager
def whole_file(path: PathLikeStr) -> Iterator[Path]:
    """Give a temporary path to write to, which takes its real name only on success.

    Parameters
    ----------
    path : path
        The file to appear whole or not at all.

    Yields
    ------
    Path
        A path in the same folder, with the same ending.

    Raises
    ------
    OutputError
        If the file cannot be written; nothing is left behind then.
    """
    target = Path(path)
    temporary = target.parent / f".{os.getpid()}.partial.{target.name}"
    try:
        yield temporary
        temporary.replace(target)
    except OSError as exc:
        raise OutputError(f"{target}: cannot write this file ({reason_of(exc)})") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: PathLikeStr, text: str) -> Path:
    """Write a UTF-8 text file whole or not at all.

    Parameters
    ----------
    path : path
    text : str

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with whole_file(path) as temporary:
        # a file name need not be UTF-8; JSON and ChimeraX read such an escape back
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    return Path(path)


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Give a folder inside the target, whose files move there when all of them are written.

    Parameters
    ----------
    target : Path
        A folder; files of the same names are replaced, others stay.

    Yields
    ------
    Path

    Raises
    ------
    OutputError
        If a file cannot be written; then everything is as before.
    """
    try:
        stage = Path(tempfile.mkdtemp(prefix=".partial-", dir=target))
    except OSError as exc:
        raise OutputError(f"{target}: cannot write here ({exc.strerror})") from None
    try:
        yield stage
        _move_files(stage, target)
    except OutputError as exc:
        raise OutputError(str(exc).replace(str(stage), str(target))) from None
    except OSError as exc:
        raise OutputError(f"{target}: cannot write results here ({exc.strerror})") from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _move_files(stage: Path, target: Path) -> None:
    """Move all files to the target; if one of them cannot go there, everything is as before."""
    names = sorted(p.relative_to(stage) for p in stage.rglob("*") if p.is_file())
    for name in names:
        if (target / name).is_dir():
            raise OutputError(f"{target / name}: cannot write this file (there is such a folder)")
    earlier = Path(tempfile.mkdtemp(dir=stage))
    with ExitStack() as undo:
        for name in names:
            final, kept = target / name, earlier / name
            if not final.parent.is_dir():
                final.parent.mkdir()
                undo.callback(final.parent.rmdir)
            if final.exists() or final.is_symlink():
                kept.parent.mkdir(exist_ok=True)
                final.replace(kept)
                undo.callback(kept.replace, final)
            (stage / name).replace(final)
            undo.callback(final.unlink)
        undo.pop_all()


def reason_of(exc: BaseException) -> str:
    """The part of an operating system's message that a user can act on.

    Parameters
    ----------
    exc : BaseException

    Returns
    -------
    str
    """
    return getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
