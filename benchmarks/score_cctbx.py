"""Score a model with cctbx-base: ``score_cctbx.py MODEL MAP PROBES REPEATS Q.npz``.

It runs in the environment of cctbx-base, the way of cctbx's own program
(cctbx/programs/qscore.py): a data manager reads the files, `calc_qscore` scores, sigma is 0.6 Å,
20 shells from 0.1 to 2.0 Å. That program itself cannot be timed: after scoring it averages columns
of text, which pandas 2 and later refuse, and stops.
"""

import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np

from meter import measure, memory, report


def main(model_file: str, map_file: str, probes: int, repeats: int, result: Path) -> None:
    """Read, score, measure, and keep the scores with their positions."""
    calc_qscore = import_module("cctbx.maptbx.qscore").calc_qscore
    data_manager = import_module("iotbx.data_manager").DataManager()
    report(imported_mb=memory()[0], import_cpu_s=time.process_time())
    data_manager.process_real_map_file(map_file)
    data_manager.process_model_file(model_file)
    both = data_manager.get_map_model_manager()
    report(loaded_mb=memory()[0], load_cpu_s=time.process_time())
    shells = list(np.linspace(0.1, 2.0, 20))
    figures, scores = measure(lambda: calc_qscore(both, shells=shells, n_probes=probes), repeats)
    q = scores["qscore_per_atom"].as_numpy_array()
    keep = np.isfinite(q)
    report(atoms=int(keep.sum()), mean_q=float(q[keep].mean()), **figures)
    np.savez(result, q=q[keep], xyz=both.model().get_sites_cart().as_numpy_array()[keep])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
