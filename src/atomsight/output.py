"""Writing the results of a validation: all files, or none."""

from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from atomsight.export.chimerax import Q_PALETTE, write_defattr, write_residue_csv, write_script
from atomsight.export.columns import atom_keys, residue_keys
from atomsight.export.emdb_json import write_emdb_json
from atomsight.export.half_maps import (
    write_fsc_q_chimerax,
    write_half_map_files,
    write_verdict_chimerax,
)
from atomsight.export.mmcif import write_b_factors, write_mmcif
from atomsight.export.names import annotated_name, stem
from atomsight.export.pdb import NO_OCCUPANCY, NOT_COMPUTED, why_not_pdb, write_pdb
from atomsight.export.summary_json import summary, write_summary
from atomsight.export.tables import Table, frame, write_csv, write_parquet
from atomsight.export.wwpdb import write_wwpdb
from atomsight.io.files import make_folder, staged
from atomsight.report.page import FIGURES, PAGE, write_page
from atomsight.report.results import results_of
from atomsight.report.static import FigureKind, write_figures
from atomsight.typing import PathLikeStr
from atomsight.validation import Validation

_CIF_COLUMNS = {
    "Q-score": "q",
    "FSC-Q": "fsc_q",
    "FSC-Q_R": "fsc_q_r",
    "local_resolution_half": "local_resolution_half",
    "local_resolution_model": "local_resolution_model",
}


def write_results(
    result: Validation,
    folder: PathLikeStr,
    *,
    everything: bool = True,
    figures: FigureKind | None = None,
) -> list[Path]:
    """Write tables, annotated models, a summary, a page, files for ChimeraX and for the archives.

    Parameters
    ----------
    result : Validation
    folder : path
        Made if it is missing. Files of the same names are replaced, others stay.
    everything : bool
        False: only atoms.csv, residues.csv, the annotated models and summary.json.
    figures : {"svg", "png", "pdf"}, optional
        Also write the figures of the page, one file each.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    OutputError
        If a file cannot be written; then none is.
    """
    target = make_folder(folder)
    name = annotated_name(result.model.path, result.map.path)
    with_b = annotated_name(result.model.path, result.map.path, "B_from_Q") + ".cif"
    with staged(target) as stage:
        atoms = frame({**atom_keys(result.model), **result.atoms})
        residues = frame({**residue_keys(result.model), **result.residues})
        write_csv(atoms, stage / "atoms.csv")
        write_csv(residues, stage / "residues.csv")
        measures = {
            tag: result.atoms[key] for tag, key in _CIF_COLUMNS.items() if key in result.atoms
        }
        write_mmcif(result.model, measures, stage / f"{name}.cif")
        no_pdb = why_not_pdb(result.model)
        if not no_pdb:
            write_pdb(
                result.model,
                result.atoms["q"],
                _remarks(result),
                stage / f"{name}.pdb",
                occupancy=result.atoms.get("fsc_q"),
            )
        write_summary(summary(result, no_pdb), stage / "summary.json")
        b_iso = result.atoms.get("b_from_q")
        if b_iso is not None:
            write_b_factors(result.model, b_iso, stage / with_b)
        for finding in result.findings:
            for table, columns in finding.tables.items():
                write_csv(frame(columns), make_folder(stage / "curves") / f"{table}.csv")
        if result.half_maps is not None:
            write_half_map_files(result.half_maps, result.model, residues, stage)
        if everything:
            write_parquet(atoms, stage / "atoms.parquet")
            write_parquet(residues, stage / "residues.parquet")
            _write_chimerax(result, residues, f"../{name}.cif", make_folder(stage / "chimerax"))
            write_emdb_json(result, make_folder(stage / "archive") / "emdb_va.json")
            write_wwpdb(result, stage / "archive" / "wwpdb_validation.cif")
            write_page(results_of(result), stage / PAGE)
        if figures is not None:
            write_figures(results_of(result), make_folder(stage / FIGURES), figures)
        written = sorted(p.relative_to(stage) for p in stage.rglob("*") if p.is_file())
    # one of an earlier run would pass for this one's
    for absent, path in ((no_pdb, f"{name}.pdb"), (b_iso is None, with_b)):
        if absent:
            with suppress(OSError):
                (target / path).unlink(missing_ok=True)
    return [target / path for path in written]


def _write_chimerax(result: Validation, residues: Table, model_path: str, folder: Path) -> None:
    write_defattr(result.model, "qscore", result.atoms["q"], folder / "qscore.defattr")
    write_residue_csv(residues, folder / "residues_chimerax.csv")
    map_path = result.map.path
    if map_path is None:
        return
    write_script(
        folder / "qscore.cxc",
        map_path=map_path,
        model_path=model_path,
        defattr="qscore.defattr",
        attribute="qscore",
        palette=Q_PALETTE,
    )
    if result.half_maps is not None:
        write_fsc_q_chimerax(result.model, result.atoms["fsc_q"], map_path, model_path, folder)
    if "verdict" in result.residues:
        write_verdict_chimerax(
            result.model, result.residues["verdict"], map_path, model_path, folder
        )


def _remarks(result: Validation) -> list[str]:
    sigma = result.options.q.sigma
    map_name = "map" if result.map.path is None else stem(result.map.path)
    occupancy = (
        []
        if result.half_maps is None
        else [f"OCCUPANCY COLUMN HOLDS FSC-Q IN A; {NO_OCCUPANCY} MARKS ATOMS WITHOUT ONE"]
    )
    return [
        f"ATOMSIGHT {version('atomsight')}: B-FACTOR COLUMN HOLDS THE Q-SCORE, SIGMA {sigma:g} A",
        "(PINTILIE ET AL. 2020, COMPUTED AS BY MAPQ 2.9.7), TWO DECIMALS;",
        f"{NOT_COMPUTED} MARKS ATOMS WITHOUT ONE. MAP: {map_name}",
        *occupancy,
    ]
