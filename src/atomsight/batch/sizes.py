"""Sizes of memory as people write them."""

import re

from atomsight.errors import ParameterError

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def bytes_of(text: str, option: str) -> int:
    """Bytes of ``12GB``, ``800MiB``, or a plain number.

    Parameters
    ----------
    text : str
    option : str
        Where it was written, for the message.

    Returns
    -------
    int
        1000 to the step; 1024 with an i, as in GiB.

    Raises
    ------
    ParameterError
        If it is no size above 0.
    """
    found = _SIZE.fullmatch(text)
    size = 0
    if found:
        number, unit, binary = found.groups()
        size = int(float(number) * (1024 if binary else 1000) ** _POWERS[unit.lower()])
    if size <= 0:
        raise ParameterError(f"{option} is {text!r}, not a size of memory such as 12GB or 800MiB")
    return size


def size_of(count: float) -> str:
    """Bytes for people.

    Parameters
    ----------
    count : float

    Returns
    -------
    str
        In MiB or GiB.
    """
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
