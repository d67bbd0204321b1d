"""Third-party programs that a page carries, out of installed packages."""

import hashlib
import zlib
from base64 import b64encode
from functools import cache
from importlib.resources import files

MOLSTAR_SHA256 = "7fad5561c74bc900930fb57d6ab028d1aafdda82223a901bf932b1098e84f1f3"
"""Of molstar.js in molstar-cli 0.0.1: build/viewer/molstar.js of Mol* 5.11.0, byte by byte."""

_MOLSTAR = ("molstar_cli", "static/molstar")
_PLOTLY = ("plotly", "package_data/plotly.min.js")


@cache
def molstar() -> tuple[str, str, str]:
    """The viewer Mol*: its program and its style, packed, and its licence.

    Returns
    -------
    tuple of str
        Two blocks from `pack`, and text.
    """
    folder = files(_MOLSTAR[0]) / _MOLSTAR[1]
    program = (folder / "molstar.js").read_bytes()
    style = (folder / "molstar.css").read_bytes()
    return pack(program), pack(style), (folder / "LICENSE.molstar").read_text(encoding="utf-8")


@cache
def plotly() -> str:
    """The program plotly.js, packed; its licence stands in its first lines.

    Returns
    -------
    str
    """
    return pack((files(_PLOTLY[0]) / _PLOTLY[1]).read_bytes())


def molstar_checksum() -> str:
    """SHA-256 of the installed viewer, which `MOLSTAR_SHA256` should be.

    Returns
    -------
    str
    """
    program = (files(_MOLSTAR[0]) / _MOLSTAR[1] / "molstar.js").read_bytes()
    return hashlib.sha256(program).hexdigest()


def pack(content: bytes) -> str:
    """Gzip and base64, which every browser takes apart by itself; the same for the same content.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    str
    """
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return b64encode(packer.compress(content) + packer.flush()).decode("ascii")
