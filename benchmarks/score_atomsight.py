"""Score a model with atomsight: ``score_atomsight.py MODEL MAP SIGMA REPEATS Q.npz``.

With 0 repeats it does what a user's script does: read, score once (on one thread), end. With more,
it times the function alone.
"""

import sys
import time
from pathlib import Path

import numpy as np

import atomsight as ats
from meter import measure, memory, report


def main(model_file: str, map_file: str, sigma: float, repeats: int, result: Path) -> None:
    """Read, score, measure, and keep the scores with their positions."""
    score, read_map, read_model = ats.q_score, ats.read_map, ats.read_model  # loads the modules
    report(imported_mb=memory()[0], import_cpu_s=time.process_time())
    model = read_model(model_file)
    map_ = read_map(map_file, around=model.xyz)
    report(loaded_mb=memory()[0], load_cpu_s=time.process_time())
    figures, scores = measure(lambda: score(map_, model, sigma=sigma, threads=1), repeats)
    keep = scores.counted
    report(atoms=int(keep.sum()), mean_q=float(scores.q[keep].mean()), **figures)
    np.savez(result, q=scores.q[keep], xyz=model.xyz[keep])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
