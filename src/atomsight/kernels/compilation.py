"""How kernels are compiled: once, cached on disk, and without fuss where disks are read-only."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def _prepare_cache() -> None:
    """Give numba a folder for its cache where neither the package's nor the user's can be written.

    numba looks in NUMBA_CACHE_DIR, beside the source and in the user's cache folder, and gives up
    with an error when none of them can be written (a container with a read-only home, say).
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    home = os.environ.get("HOME")
    caches = [os.environ.get("XDG_CACHE_HOME"), home and f"{home}/.cache", home]
    for folder in (Path(__file__).parent, *(Path(cache) for cache in caches if cache)):
        if os.access(folder, os.W_OK):
            return
    private = Path(tempfile.gettempdir()) / f"atomsight-kernels-{os.getuid()}"
    try:
        private.mkdir(mode=0o700, exist_ok=True)
        owned = private.stat().st_uid == os.getuid()
    except OSError:
        owned = False
    # a folder that somebody else put there must not feed us compiled code
    os.environ["NUMBA_CACHE_DIR"] = str(private) if owned else tempfile.mkdtemp()


_prepare_cache()

import numba  # noqa: E402  (reads NUMBA_CACHE_DIR when it is imported)
from numba.core import event  # noqa: E402


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function with numba on first use, and keep the result on disk.

    Kernels release the GIL, so that plain threads share the work, and follow IEEE arithmetic to
    the letter (no fast-math): the same input gives the same bits.

    Parameters
    ----------
    function : callable

    Returns
    -------
    callable
    """
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return cast(Callable[P, R], compiled)


class _Notice(event.Listener):
    """Calls back once, when the first kernel is about to be compiled."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell: Callable[[], None] | None = tell

    def on_start(self, event: Any) -> None:  # noqa: ARG002
        if self._tell is not None:
            self._tell()
            self._tell = None

    def on_end(self, event: Any) -> None:
        """Nothing to say."""


@contextmanager
def telling_of_compilation(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` once if a kernel has to be compiled inside this block (not when it is cached).

    Parameters
    ----------
    tell : callable
    """
    notice = _Notice(tell)
    event.register("numba:compile", notice)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        event.unregister("numba:compile", notice)  # type: ignore[no-untyped-call]
