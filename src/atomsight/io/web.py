"""Asking servers: addresses that are allowed, patience, redirects."""

import os
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError
from urllib3.exceptions import TimeoutError as SlowError
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry
from urllib3.util.timeout import Timeout

from atomsight.errors import FetchError, ParameterError

HTTP_VARIABLE = "ATOMSIGHT_ALLOW_HTTP"
"""Set to 1, it allows addresses without encryption on other machines than this one."""

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_TRY_AGAIN = (429, 500, 502, 503, 504)


class ServerError(FetchError):
    """One server does not give one file; another may."""


class NotThereError(ServerError):
    """The server says that there is no such file."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server, and how often to ask again.

    Attributes
    ----------
    connect, read : float
        Seconds without a connection, or without a byte.
    attempts : int
        How often a file is asked for, where the server fails or breaks off.
    backoff : float
        Seconds before the second time of asking again; doubled each time.
    longest : float
        The longest that a server may ask to wait (Retry-After), in seconds.
    """

    connect: float = 15.0
    read: float = 60.0
    attempts: int = 5
    backoff: float = 0.5
    longest: float = 120.0


PATIENCE = Patience()


class _PoliteRetry(Retry):
    """Waits as long as a server asks, but gives up where that is too long."""

    longest = PATIENCE.longest

    def new(self, **kw: Any) -> "_PoliteRetry":
        """Keep the limit."""
        again = super().new(**kw)
        again.longest = self.longest
        return again

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Seconds to wait, or None where the server names none that can be read."""
        try:
            seconds = super().get_retry_after(response)
        except HTTPError:
            return None
        if seconds is not None and seconds > self.longest:
            raise ServerError(f"the server asks to come back in {seconds:.0f} s")
        return seconds


def require_address(url: str) -> str:
    """Check that an address may be asked: https, or http where that is allowed.

    Parameters
    ----------
    url : str

    Returns
    -------
    str
        The address.

    Raises
    ------
    ParameterError
        If the address is no http or https address, holds a password, or would send data in the
        clear to another machine.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or parts.scheme not in ("http", "https") or "@" in parts.netloc:
        raise ParameterError(f"{url}: not an address that can be asked; it begins with https://")
    if parts.scheme == "http" and not _is_here(host) and os.environ.get(HTTP_VARIABLE) != "1":
        raise ParameterError(
            f"{url}: http can be read and changed on its way; use https, "
            f"or set {HTTP_VARIABLE}=1 if you trust the network"
        )
    return url


def ask(url: str, headers: dict[str, str], patience: Patience = PATIENCE) -> BaseHTTPResponse:
    """Ask for a file, and follow redirects.

    Parameters
    ----------
    url : str
    headers : dict
    patience : Patience

    Returns
    -------
    BaseHTTPResponse
        Its body is not read yet, and not decoded.

    Raises
    ------
    ServerError
        If no answer can be had.
    """
    for _ in range(_MOST_REDIRECTS + 1):
        answer = _ask_once(require_address(url), headers, patience)
        if answer.status not in _REDIRECTS:
            return answer
        target = urljoin(url, answer.headers.get("Location", ""))
        answer.close()
        if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
            raise ServerError(f"the server sends on from https to {target}, which is not safe")
        try:
            url = require_address(target)
        except ParameterError as exc:
            raise ServerError(f"the server sends on to another address: {exc}") from None
    raise ServerError(f"the server sends on more than {_MOST_REDIRECTS} times")


def _ask_once(url: str, headers: dict[str, str], patience: Patience) -> BaseHTTPResponse:
    retries = _PoliteRetry(
        total=patience.attempts - 1,
        connect=1,
        read=1,
        status_forcelist=_TRY_AGAIN,
        backoff_factor=patience.backoff,
        raise_on_status=False,
    )
    retries.longest = patience.longest
    agent = f"atomsight/{version('atomsight')} (python-urllib3/{version('urllib3')})"
    try:
        return _pool(_proxy(url), os.getpid()).request(
            "GET",
            url,
            headers={"User-Agent": agent, **headers},
            preload_content=False,
            redirect=False,
            retries=retries,
            timeout=Timeout(connect=patience.connect, read=patience.read),
        )
    except HTTPError as exc:
        raise ServerError(reason(exc)) from None


def reason(exc: BaseException) -> str:
    """Take the part of a failure on the way that a user can act on.

    Parameters
    ----------
    exc : exception

    Returns
    -------
    str
    """
    cause = exc.reason if isinstance(exc, MaxRetryError) and exc.reason else exc
    if isinstance(cause, NewConnectionError):
        return f"the server cannot be reached ({str(cause).rpartition(': ')[2]})"
    if isinstance(cause, SlowError):
        return "the server does not answer in time"
    return f"the connection fails ({str(cause).rpartition(': ')[2] or type(cause).__name__})"


def _is_here(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for an address."""
    parts = urlsplit(url)
    if _is_here(parts.hostname or "") or proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


@cache
def _pool(proxy: str | None, process: int) -> urllib3.PoolManager:  # noqa: ARG001  (connections
    # must not be shared with a process that was forked)
    if proxy is None:
        return urllib3.PoolManager()
    return urllib3.ProxyManager(proxy)
