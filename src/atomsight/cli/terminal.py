"""Text on its way to a terminal."""

import sys
from io import TextIOWrapper


def printable(text: str) -> str:
    """Text in which control characters and broken bytes are escapes.

    Names of files may hold line ends and codes that steer a terminal.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        One line.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def accept_any_letter() -> None:
    """Show "?" for letters, like Å and σ, that the encoding of standard output lacks."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
