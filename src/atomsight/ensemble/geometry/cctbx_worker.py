"""Backbone geometry by cctbx, in a process of its own: JSON on stdin, JSON on stdout.

gemmi and cctbx in one process crash, so nothing here may import gemmi, nor a module that does.
Run as ``python -m atomsight.ensemble.geometry.cctbx_worker``.
"""

import json
import sys
from typing import Any, TextIO


def hierarchy(atoms: dict[str, list[Any]]) -> Any:
    """Build a cctbx hierarchy whose residue numbers are rows of the caller's residue table.

    cctbx finds neighbours along the chain by the length of the peptide bond, not by number.

    Parameters
    ----------
    atoms : dict
        Columns ``row`` (of the residue), ``chain``, ``name`` (of the residue), ``atom``,
        ``element`` and ``xyz``; all atoms of a residue stand together.

    Returns
    -------
    iotbx.pdb.hierarchy.root
    """
    from iotbx.pdb import hierarchy as pdb  # noqa: PLC0415  (only this process has cctbx)

    root, model = pdb.root(), pdb.model(id="1")
    root.append_model(model)
    chain: Any = None
    group: Any = None
    last_chain, last_row = None, None
    columns = ("row", "chain", "name", "atom", "element", "xyz")
    for row, chain_name, name, atom_name, element, xyz in zip(
        *(atoms[key] for key in columns), strict=True
    ):
        if chain is None or chain_name != last_chain:
            chain, last_chain, last_row = pdb.chain(id=chain_name), chain_name, None
            model.append_chain(chain)
        if row != last_row:
            residue = pdb.residue_group(resseq=f"{row:4d}" if row < 10_000 else _wide(row))
            group, last_row = pdb.atom_group(altloc="", resname=name), row
            residue.append_atom_group(group)
            chain.append_residue_group(residue)
        atom = pdb.atom()
        atom.name = f" {atom_name:<3}"
        atom.element = f"{element:>2}"
        atom.xyz = tuple(xyz)
        atom.occ = 1.0
        atom.b = 0.0
        group.append_atom(atom)
    root.atoms().reset_i_seq()
    return root


def _wide(row: int) -> str:
    from iotbx.pdb import resseq_encode  # noqa: PLC0415

    return str(resseq_encode(row))


def backbone(root: Any) -> dict[str, list[list[float]]]:
    """Ramachandran, Cβ and omega of a hierarchy.

    Parameters
    ----------
    root : iotbx.pdb.hierarchy.root
        From `hierarchy`.

    Returns
    -------
    dict
        ``ramachandran``: row, region, score, phi, psi; ``c_beta``: row, deviation; ``omega``:
        row, omega, kind. One list a residue.
    """
    from mmtbx.validation.cbetadev import cbetadev  # noqa: PLC0415
    from mmtbx.validation.omegalyze import omegalyze  # noqa: PLC0415
    from mmtbx.validation.ramalyze import ramalyze  # noqa: PLC0415

    rama = ramalyze(pdb_hierarchy=root, outliers_only=False)
    c_beta = cbetadev(pdb_hierarchy=root, outliers_only=False, quiet=True)
    omega = omegalyze(pdb_hierarchy=root, nontrans_only=False, quiet=True)
    return {
        "ramachandran": [
            [r.resseq_as_int(), r.rama_type, r.score, r.phi, r.psi] for r in rama.results
        ],
        "c_beta": [[r.resseq_as_int(), r.deviation] for r in c_beta.results],
        "omega": [[r.resseq_as_int(), r.omega, r.omega_type] for r in omega.results],
    }


def main(source: TextIO, target: TextIO) -> None:
    """Answer one request: a list of models in, a list of results out.

    Parameters
    ----------
    source, target : file
        Text, JSON.
    """
    results = [backbone(hierarchy(atoms)) for atoms in json.load(source)]
    json.dump(results, target)


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
