"""The cells of one row, read as numbers, words and answers; an empty one is None."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TypeVar

from atomsight.errors import ManifestError

_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}

Word = TypeVar("Word", bound=str)


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of a row.

    Attributes
    ----------
    cells : mapping
        Column → text.
    place : str
        Where they stand, for messages.
    """

    cells: Mapping[str, str]
    place: str

    def __contains__(self, column: str) -> bool:
        return column in self.cells

    def text(self, column: str) -> str | None:
        """Text of a cell.

        Parameters
        ----------
        column : str

        Returns
        -------
        str or None
        """
        return self.cells.get(column)

    def number(self, column: str) -> float | None:
        """Number in a cell.

        Parameters
        ----------
        column : str

        Returns
        -------
        float or None

        Raises
        ------
        ManifestError
            If it is no finite number.
        """
        text = self.cells.get(column)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not isfinite(value) or "_" in text:
            raise ManifestError(f"{self.place}: {column} is {text!r}, not a number")
        return value

    def whole(self, column: str) -> int | None:
        """Whole number in a cell.

        Parameters
        ----------
        column : str

        Returns
        -------
        int or None

        Raises
        ------
        ManifestError
            If it is no whole number.
        """
        value = self.number(column)
        if value is not None and not value.is_integer():
            raise ManifestError(f"{self.place}: {column} is {value:g}, not a whole number")
        return None if value is None else int(value)

    def choice(self, column: str, words: tuple[Word, ...]) -> Word | None:
        """One of several words.

        Parameters
        ----------
        column : str
        words : tuple of str

        Returns
        -------
        str or None

        Raises
        ------
        ManifestError
            If it is none of them.
        """
        text = self.cells.get(column)
        if text is None:
            return None
        for word in words:
            if text.lower() == word:
                return word
        raise ManifestError(f"{self.place}: {column} is {text!r}; it may be {', '.join(words)}")

    def answer(self, column: str) -> bool | None:
        """Yes or no.

        Parameters
        ----------
        column : str

        Returns
        -------
        bool or None

        Raises
        ------
        ManifestError
            If it is neither.
        """
        text = self.cells.get(column)
        if text is None:
            return None
        if text.lower() not in _YES:
            raise ManifestError(f"{self.place}: {column} is {text!r}; write yes or no")
        return _YES[text.lower()]
