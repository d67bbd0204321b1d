"""Get the demo's map and model: EMD-3488 and 5NI1, out of a pinned wheel on PyPI.

The wheel is downloaded with pip, checked against the SHA-256 in requirements.txt, unpacked and
never installed. What is there already is not fetched again.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = "ccpem_utils_tests/test_data/"
FILES = {
    "emd_3488.mrc": "emd_3488.mrc",
    "5ni1_updated.cif": "5ni1.cif",
    "5me2.pdb": "5me2.pdb",
    "modelangelo_5ni1.cif": "modelangelo_5ni1.cif",
    "emd_21457_seg.mrc": "emd_21457_seg.mrc",
    "emd_21457_seg_nstart.mrc": "emd_21457_seg_nstart.mrc",
    "emd_21457_seg_orig0.mrc": "emd_21457_seg_orig0.mrc",
    "6vyb_Ndom.pdb": "6vyb_Ndom.pdb",
}


def main(target: Path) -> None:
    """Put the files into `target`.

    Parameters
    ----------
    target : Path
        A folder; made if it is missing.
    """
    if all((target / name).is_file() for name in FILES.values()):
        return
    target.mkdir(parents=True, exist_ok=True)
    sys.stdout.write("getting EMD-3488 and 5NI1 (54 MiB, once)\n")
    sys.stdout.flush()
    command = [sys.executable, "-m", "pip", "--quiet", "download", "--no-deps", "--require-hashes"]
    subprocess.run(
        [*command, "--requirement", str(HERE / "requirements.txt"), "--dest", str(target)],
        check=True,
    )
    (wheel,) = target.glob("ccpem_utils-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for inside, outside in FILES.items():
            partial = target / f".partial.{outside}"
            partial.write_bytes(archive.read(FOLDER + inside))
            partial.replace(target / outside)
    wheel.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
