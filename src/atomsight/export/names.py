"""Names of the files that results are written to."""

from pathlib import Path

_ENDINGS = (".gz", ".cif", ".mmcif", ".pdb", ".ent", ".map", ".mrc", ".ccp4")


def stem(path: Path) -> str:
    """A file's name without the endings of maps, models and gzip, and without control characters.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
    """
    name = path.name
    while (ending := Path(name).suffix) and ending.lower() in _ENDINGS:
        name = name[: -len(ending)]
    # line ends and terminal codes are allowed in a file's name, but have no place in ours
    return "".join(c if c.isprintable() else "_" for c in name)


def annotated_name(model: Path, map_: Path | None, what: str = "Q") -> str:
    """Name of the model with scores, without its ending.

    Parameters
    ----------
    model : Path
    map_ : Path or None
    what : str
        What the file holds.

    Returns
    -------
    str
        As in ``5ni1__Q__emd_3488``, MapQ's habit.
    """
    return f"{stem(model)}__{what}__{'map' if map_ is None else stem(map_)}"
