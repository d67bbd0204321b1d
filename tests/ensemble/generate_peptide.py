"""A run of its own process, to be killed: python -m tests.ensemble.generate_peptide FOLDER N."""

import pickle
import sys
from pathlib import Path

from atomsight.ensemble.engines.protocol import OpenMMProtocol
from atomsight.ensemble.generation import GenerationOptions, generate
from atomsight.ensemble.preparation import prepare
from atomsight.io.models import read_model
from tests.ensemble.peptides import map_around, peptide, write

NAMES = ["ALA", "SER", "GLY", "VAL"]
SHORT = OpenMMProtocol(
    force_field=("amber19/protein.ff19SB.xml",),
    relax_iterations=5,
    hot_time=0.04,
    anneal_time=0.08,
    anneal_stages=4,
    final_iterations=5,
)


def inputs(folder: Path):
    model = read_model(write(peptide(NAMES), folder / "in.cif"))
    return prepare(model), map_around(model.xyz)


def save_inputs(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "inputs.pickle").write_bytes(pickle.dumps(inputs(folder)))


def options(models: int = 2, workers: int = 1) -> GenerationOptions:
    return GenerationOptions(resolution=3.0, models=models, workers=workers, protocol=SHORT)


def main(folder: Path, models: int, workers: int) -> None:
    # prepared once: what is killed is the making of models
    prepared, map_ = pickle.loads((folder / "inputs.pickle").read_bytes())
    generate(prepared, map_, options(models, workers), folder / "results")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
