"""Files that were fetched, each with a record of where it comes from; one process fetches it."""

import fcntl
import json
import os
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from atomsight.errors import FetchError, InputError, OutputError
from atomsight.io.download import BytesProgress, Origin, discard, download
from atomsight.io.files import make_folder, sha256, write_text
from atomsight.io.web import PATIENCE, NotThereError, Patience, ServerError

_HOST = re.sub(r"\W", "-", platform.node(), flags=re.ASCII) or "here"


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A file of an entry, as it lies in the cache.

    Attributes
    ----------
    path : Path
    url : str
        Where it was got.
    size : int
        Bytes.
    sha256 : str
    etag, last_modified : str
        Marks of its version on the server; empty where it gave none.
    fetched : str
        When, UTC.
    """

    path: Path
    url: str
    size: int
    sha256: str
    etag: str
    last_modified: str
    fetched: str


def fetch_file(
    folder: Path,
    name: str,
    urls: Sequence[str],
    *,
    what: str,
    limit: int,
    check: Callable[[Path], object],
    verify: bool = False,
    refresh: bool = False,
    patience: Patience = PATIENCE,
    progress: BytesProgress | None = None,
) -> FetchedFile:
    """Take a file from the cache, or from the first server that gives it.

    Parameters
    ----------
    folder : Path
        In the cache; made where it is missing.
    name : str
        Plain name of the file there.
    urls : sequence of str
        In the order in which they are tried.
    what : str
        What the file is to the user.
    limit : int
        Most bytes that it may have.
    check : callable
        Called with the path of what came; raises an `InputError` where it is something else.
    verify : bool
        Compare the SHA-256 of a file in the cache, too; else only where its size or time changed.
    refresh : bool
        Fetch it again in any case.
    patience : Patience
    progress : callable, optional
        Called with (bytes got, bytes in all).

    Returns
    -------
    FetchedFile

    Raises
    ------
    FetchError
        If no server gives the file. `NotThereError` if all say that there is none.
    OutputError
        If the cache cannot be written to.
    """
    target = folder / name
    if not refresh and (known := _known(target, verify=verify)):
        return known
    make_folder(folder, option="--cache or ATOMSIGHT_CACHE")
    with _alone(target) as mark:
        # somebody else may have fetched it meanwhile
        if not refresh and (known := _known(target, verify=verify)):
            return known
        part = folder / f".{name}.{mark}.part"
        failures: list[tuple[str, ServerError]] = []
        for url in urls:
            try:
                origin = download(url, part, limit=limit, patience=patience, progress=progress)
                _require_right(part, check, what)
            except ServerError as exc:
                failures.append((url, exc))
            else:
                return _keep(part, target, origin)
    said = "; ".join(f"{url}: {exc}" for url, exc in failures)
    absent = failures and all(isinstance(exc, NotThereError) for _, exc in failures)
    raise (NotThereError if absent else FetchError)(f"cannot fetch the {what}: {said}")


def _require_right(part: Path, check: Callable[[Path], object], what: str) -> None:
    """Refuse an error page or another file in place of the one that was asked for."""
    try:
        check(part)
    except InputError as exc:
        with part.open("rb") as handle:
            begin = ascii(handle.read(16).decode("latin-1"))
        discard(part)
        why = str(exc).replace(f"{part}: ", "")
        raise ServerError(f"what it sends is no such {what} (begins with {begin}): {why}") from None


def _keep(part: Path, target: Path, origin: Origin) -> FetchedFile:
    """Give a whole file its name, and write its record."""
    try:
        record = {
            **asdict(origin),
            "size": part.stat().st_size,
            "sha256": sha256(part),
            "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
            "mtime_ns": part.stat().st_mtime_ns,
        }
        part.replace(target)
    except OSError as exc:
        raise OutputError(f"{target}: cannot keep this file ({exc.strerror})") from None
    discard(part)
    write_text(_record(target), json.dumps(record, indent=1) + "\n")
    return _fetched(target, record)


def _known(target: Path, *, verify: bool) -> FetchedFile | None:
    """The file in the cache, if it is the one that its record describes."""
    try:
        record = json.loads(_record(target).read_text(encoding="utf-8"))
        found = target.stat()
        if found.st_size != record["size"]:
            return None
        if (verify or found.st_mtime_ns != record["mtime_ns"]) and (
            sha256(target) != record["sha256"]
        ):
            return None
        return _fetched(target, record)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _fetched(target: Path, record: dict[str, Any]) -> FetchedFile:
    return FetchedFile(
        path=target,
        url=record["url"],
        size=record["size"],
        sha256=record["sha256"],
        etag=record["etag"],
        last_modified=record["last_modified"],
        fetched=record["fetched"],
    )


def _record(target: Path) -> Path:
    return target.with_name(f"{target.name}.json")


@contextmanager
def _alone(target: Path) -> Iterator[str]:
    """Keep other processes from fetching the same file; yields a mark for the part's name.

    Locks of some network file systems hold on one machine only, or not at all: so the mark is the
    machine's name under a lock, and the process's too where there is none.
    """
    path = target.with_name(f".{target.name}.{_HOST}.lock")
    handle = None
    try:
        handle = _locked(path)
    except OSError:
        yield f"{_HOST}.{os.getpid()}"
        return
    try:
        yield _HOST
    finally:
        with suppress(OSError):
            path.unlink()
        handle.close()


def _locked(path: Path) -> IO[bytes]:
    """Open a file and lock it; again where its last holder has just removed it."""
    while True:
        handle = path.open("ab")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(handle.fileno()), path.stat()):
                return handle
        except FileNotFoundError:
            pass
        except OSError:
            handle.close()
            raise
        handle.close()
