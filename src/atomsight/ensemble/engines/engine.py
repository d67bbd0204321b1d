"""What every engine offers, and what all of them record."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from atomsight.ensemble.records import Generated


class Engine(Protocol):
    """Makes models of one prepared model in one map, one a seed."""

    name: str

    def protocol(self) -> Mapping[str, Any]:
        """Everything that changes a model: parameters and versions.

        Returns
        -------
        mapping
            Ready for JSON.
        """

    def generate(self, seed: int, folder: Path) -> Generated:
        """Make the model of one seed; its record is not written yet.

        Parameters
        ----------
        seed : int
        folder : Path

        Returns
        -------
        Generated
        """


def hash_of(protocol: Mapping[str, Any]) -> str:
    """First 12 hexadecimal digits of the SHA-256 of the canonical JSON.

    Parameters
    ----------
    protocol : mapping

    Returns
    -------
    str
    """
    text = json.dumps(protocol, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode()).hexdigest()[:12]
