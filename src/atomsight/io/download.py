"""One file from one address: resumed where it broke off, never longer than it may be."""

import json
import re
import shutil
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from atomsight.errors import OutputError
from atomsight.io.web import PATIENCE, NotThereError, Patience, ServerError, ask, reason

BytesProgress = Callable[[int, int], None]
"""Called with (bytes got, bytes in all)."""

_PIECE = 1 << 15
"""Bytes that are lost at most, where the process is killed."""
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_RESERVE = 16 << 20
"""Bytes that stay free on the disk."""


class _BrokenOffError(ServerError):
    """The connection failed in the middle; the rest may be asked for."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where bytes come from, and the marks by which the server knows their version.

    Attributes
    ----------
    url : str
    etag, last_modified : str
        As the server gives them; empty where it gives none.
    """

    url: str
    etag: str = ""
    last_modified: str = ""

    @property
    def validator(self) -> str:
        """What tells that the rest belongs to what is here; empty where nothing does."""
        weak = self.etag.startswith("W/")
        return self.last_modified if weak or not self.etag else self.etag


def download(
    url: str,
    part: Path,
    *,
    limit: int,
    patience: Patience = PATIENCE,
    progress: BytesProgress | None = None,
) -> Origin:
    """Get a file, or the rest of what an earlier attempt left.

    Parameters
    ----------
    url : str
    part : Path
        Where the bytes go. What is there is used if the server still has the same version.
        Beside it, ``<part>.json`` says where they come from.
    limit : int
        Most bytes that the file may have.
    patience : Patience
    progress : callable, optional

    Returns
    -------
    Origin

    Raises
    ------
    ServerError
        If the server does not give the file, or more than `limit` bytes.
    OutputError
        If it cannot be written.
    """
    attempt = 1
    while True:
        try:
            return _receive(url, part, limit, patience, progress)
        except _BrokenOffError:
            if attempt >= patience.attempts:
                raise
            time.sleep(patience.backoff * 2 ** (attempt - 1))
            attempt += 1


def discard(part: Path) -> None:
    """Remove a part, and what is known about it.

    Parameters
    ----------
    part : Path
    """
    for path in (part, _beside(part)):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _receive(
    url: str, part: Path, limit: int, patience: Patience, progress: BytesProgress | None
) -> Origin:
    kept, known = _kept(part, url)
    wanted = {"Range": f"bytes={kept}-", "If-Range": known.validator} if kept else {}
    with closing(ask(url, wanted, patience)) as answer:
        origin = Origin(
            url, answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
        )
        # some servers give a part of another version, whatever If-Range says
        same = origin.validator == known.validator
        start, total = _extent(answer, kept, part, same=same)
        if total is not None and total > limit:
            raise ServerError(f"{total} bytes, more than the {limit} that such a file may have")
        try:
            _require_space(part, (total or 0) - start)
            if not start:
                discard(part)
            if start and start == total:
                return known
            _beside(part).write_text(json.dumps(asdict(origin)), encoding="utf-8")
            size = _append(answer, part, start, total, limit, progress)
        except OSError as exc:
            discard(part)  # a full disk is not helped by half a file
            why = exc.strerror or str(exc)
            raise OutputError(f"{part.parent}: cannot keep what is fetched here ({why})") from None
    if total is not None and size < total:
        raise _BrokenOffError(f"the connection ends after {size} of {total} bytes")
    return origin


def _kept(part: Path, url: str) -> tuple[int, Origin]:
    """Bytes of an earlier attempt that the same server can go on from."""
    try:
        known = json.loads(_beside(part).read_text(encoding="utf-8"))
        origin = Origin(known["url"], known["etag"], known["last_modified"])
        size = part.stat().st_size
    except (OSError, ValueError, KeyError, TypeError):
        return 0, Origin(url)
    usable = origin.url == url and origin.validator
    return (size, origin) if usable else (0, Origin(url))


def _extent(
    answer: BaseHTTPResponse, kept: int, part: Path, *, same: bool
) -> tuple[int, int | None]:
    """Where the body belongs, and how long the whole file is, if the server says."""
    status = answer.status
    if status == 206 and same:
        match = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
        if kept and match and int(match[1]) == kept and int(match[2]) == int(match[3]) - 1:
            return kept, int(match[3])
    if status == 416 and kept and answer.headers.get("Content-Range", "") == f"bytes */{kept}":
        return kept, kept  # all of it is here already
    if status in (206, 416):
        discard(part)
        raise _BrokenOffError("the server gives another part than the one that is missing")
    if status in (404, 410):
        raise NotThereError(f"there is no such file (HTTP {status})")
    if status != 200:
        raise ServerError(f"the server refuses or fails (HTTP {status})")
    length = answer.headers.get("Content-Length", "").strip()
    if length.isdigit():
        return 0, int(length)
    if "chunked" not in answer.headers.get("Transfer-Encoding", "").lower():
        raise ServerError("the server does not say how long the file is")
    return 0, None


def _append(
    answer: BaseHTTPResponse,
    part: Path,
    start: int,
    total: int | None,
    limit: int,
    progress: BytesProgress | None,
) -> int:
    """Write the body behind what is there; returns the size of the file."""
    size = start
    with part.open("ab") as handle:
        try:
            for piece in answer.stream(_PIECE, decode_content=False):
                size += len(piece)
                if size > limit:
                    discard(part)
                    raise ServerError(f"sends more than the {limit} bytes that it may have")
                handle.write(piece)
                handle.flush()
                if progress is not None:
                    progress(size, total or size)
        except HTTPError as exc:
            raise _BrokenOffError(f"{reason(exc)}, after {size} of {total or '?'} bytes") from None
    return size


def _require_space(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed + _RESERVE > free:
        raise OSError(0, f"no space for {needed} bytes, {free} are free")


def _beside(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")
