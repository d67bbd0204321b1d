from dataclasses import replace

import pytest

from atomsight.evidence.hydrogens import parents
from atomsight.evidence.q_score import q_score
from atomsight.findings.finding import Evidence
from atomsight.io.maps import read_map
from atomsight.io.models import read_model
from tests.support.cases import write_case


@pytest.fixture(scope="session")
def evidence(tmp_path_factory) -> Evidence:
    """Peptide, ligand, ion and water in the map that shows them, 3.2 Å."""
    model_path, map_path = write_case(tmp_path_factory.mktemp("case"))
    model, map_ = read_model(model_path), read_map(map_path)
    return Evidence(
        model=model,
        parent=parents(model),
        map=map_,
        scores=q_score(map_, model),
        sigma=0.4,
        resolution=3.2,
        contour=float(map_.statistics.mean + 2 * map_.statistics.sd),
    )


@pytest.fixture(scope="session")
def haemoglobin(demo_data) -> Evidence:
    """5NI1 in EMD-3488."""
    model, map_ = read_model(demo_data / "5ni1.cif"), read_map(demo_data / "emd_3488.mrc")
    return Evidence(model, parents(model), map_, q_score(map_, model), 0.4, 3.2)


@pytest.fixture
def without_resolution(evidence) -> Evidence:
    return replace(evidence, resolution=None)
