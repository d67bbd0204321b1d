"""The optional libraries of this room."""

from importlib.util import find_spec

from atomsight.errors import MissingLibraryError


def require_openmm() -> None:
    """Refuse the built-in engine where its libraries are missing.

    Raises
    ------
    MissingLibraryError
        If OpenMM or PDBFixer is not installed.
    """
    absent = [name for name in ("openmm", "pdbfixer") if find_spec(name) is None]
    if absent:
        raise MissingLibraryError(
            f"making models needs {' and '.join(absent)}, not installed here; "
            "run: pip install 'atomsight[ensemble]'"
        )
