"""PDB and mmCIF text made from the formats' descriptions, not from the code under test."""

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

CIF_COLUMNS = (
    *("group_PDB", "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id"),
    *("label_asym_id", "label_entity_id", "label_seq_id", "pdbx_PDB_ins_code"),
    *("Cartn_x", "Cartn_y", "Cartn_z", "occupancy", "B_iso_or_equiv"),
    *("auth_seq_id", "auth_comp_id", "auth_asym_id", "auth_atom_id", "pdbx_PDB_model_num"),
)


@dataclass(frozen=True)
class Atom:
    """One atom record, of either format."""

    name: str = "CA"
    residue: str = "ALA"
    chain: str = "A"
    number: int | None = 1
    element: str = "C"
    xyz: tuple[float, float, float] | None = (1.0, 2.0, 3.0)
    icode: str = ""
    altloc: str = ""
    occupancy: float = 1.0
    b_iso: float = 20.0
    record: str = "ATOM"
    serial: int | str = 1
    model: int = 1
    label_asym: str = ""
    entity: str = "?"


def as_pdb(atom: Atom) -> str:
    """The 80 columns of an ATOM or HETATM record."""
    name = (
        f" {atom.name:<3}" if len(atom.element) == 1 and len(atom.name) < 4 else f"{atom.name:<4}"
    )
    number = "    " if atom.number is None else f"{atom.number:4d}"
    place = " " * 24 if atom.xyz is None else "".join(f"{v:8.3f}" for v in atom.xyz)
    return (
        f"{atom.record:<6}{atom.serial:>5} {name}{atom.altloc or ' '}{atom.residue:>3} "
        f"{atom.chain:1}{number}{atom.icode or ' '}   {place}{atom.occupancy:6.2f}"
        f"{atom.b_iso:6.2f}          {atom.element:>2}  "
    )


def as_cif(atom: Atom, columns: Sequence[str] = CIF_COLUMNS) -> str:
    """One row of _atom_site."""
    place = ("?", "?", "?") if atom.xyz is None else [f"{v:.3f}" for v in atom.xyz]
    number = "?" if atom.number is None else str(atom.number)
    fields = dict(
        zip(
            CIF_COLUMNS,
            (
                atom.record,
                str(atom.serial),
                atom.element,
                f'"{atom.name}"',
                atom.altloc or ".",
                atom.residue,
                atom.label_asym or atom.chain,
                atom.entity,
                number if atom.record == "ATOM" else ".",
                atom.icode or "?",
                *place,
                f"{atom.occupancy:.2f}",
                f"{atom.b_iso:.2f}",
                number,
                atom.residue,
                atom.chain,
                f'"{atom.name}"',
                str(atom.model),
            ),
            strict=True,
        )
    )
    return " ".join(fields[column] for column in columns)


def pdb_text(atoms: Iterable[Atom], before: str = "") -> str:
    """A PDB file; atoms of several models stand between MODEL and ENDMDL."""
    atoms = list(atoms)
    several = len({atom.model for atom in atoms}) > 1
    lines: list[str] = []
    open_model = None
    for atom in atoms:
        if several and atom.model != open_model:
            lines += ["ENDMDL"] * (open_model is not None) + [f"MODEL     {atom.model:4d}"]
            open_model = atom.model
        lines.append(as_pdb(atom))
    return before + "\n".join([*lines, *["ENDMDL"] * several, "END"]) + "\n"


def cif_text(
    atoms: Iterable[Atom], before: str = "", columns: Sequence[str] = CIF_COLUMNS, name: str = "x"
) -> str:
    """An mmCIF file with one block; `before` stands between its name and _atom_site."""
    tags = "".join(f"_atom_site.{column}\n" for column in columns)
    rows = "\n".join(as_cif(atom, columns) for atom in atoms)
    return f"data_{name}\n{before}loop_\n{tags}{rows}\n#\n"


def write_model(path: Path, content: str | bytes, *, compress: bool = False) -> Path:
    """Write text or bytes, gzipped on request whatever the file is called."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data, 1, mtime=0) if compress else data)
    return path


def residue(name: str, atoms: str, **common) -> list[Atom]:
    """Atoms of one residue from their names; the element is the name's first letter."""
    element = common.pop("element", "")
    number = common.get("number") or 0
    return [
        Atom(
            name=atom,
            residue=name,
            element=element or atom[0],
            xyz=(1.5 * i, 3.8 * number, float(ord(common.get("chain", "A")[0]))),
            **common,
        )
        for i, atom in enumerate(atoms.split())
    ]


def peptide(names: str, *, first: int = 1, **common) -> list[Atom]:
    """Backbone atoms of a peptide with the residue names given."""
    return [
        atom
        for number, name in enumerate(names.split(), first)
        for atom in residue(name, "N CA C O", number=number, **common)
    ]


def nucleic(names: str, *, first: int = 1, **common) -> list[Atom]:
    """A few atoms of each nucleotide, enough to tell what it is."""
    return [
        atom
        for number, name in enumerate(names.split(), first)
        for atom in residue(name, "P O5' C5' C4' C3' O3' C1'", number=number, **common)
    ]
