"""What all pages are put together with: templates, scripts, data, and what a page may do."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2

_ASSETS = Path(__file__).parent / "assets"


def policy(*, evaluates: bool = False) -> str:
    """Content security policy of a page that holds everything: nothing may be fetched.

    Parameters
    ----------
    evaluates : bool
        Whether a program in it makes functions out of text.

    Returns
    -------
    str
    """
    scripts = "'unsafe-inline' 'unsafe-eval'" if evaluates else "'unsafe-inline'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; media-src data: blob:; connect-src data: blob:; "
        "worker-src blob:"
    )


def template(name: str) -> jinja2.Template:
    """A template, in which every value is escaped.

    Parameters
    ----------
    name : str
        Of its file.

    Returns
    -------
    jinja2.Template
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_ASSETS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name)


def asset(name: str) -> str:
    """Text of a file that pages carry.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    return (_ASSETS / name).read_text(encoding="utf-8")


def script(names: Iterable[str]) -> str:
    """Scripts of a page as one.

    Parameters
    ----------
    names : iterable of str
        Without their ending.

    Returns
    -------
    str
    """
    return "\n".join(asset(f"{name}.js") for name in names)


def json_bytes(data: Any) -> bytes:
    """Data for a page's scripts, short.

    Parameters
    ----------
    data : Any
        What JSON knows.

    Returns
    -------
    bytes
    """
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
        # a file name need not be UTF-8
        errors="backslashreplace"
    )
