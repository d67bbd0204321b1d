"""Make the archive that comes with atomsight out of the PyPI wheel ``va``.

The wheel (EMDB's validation analysis, Apache-2.0) holds the scores of EMDB's entries in the file
va/qscores.csv. Ids, resolution, Q-score, atom inclusion, SMOC and CCC are kept; the names of the
models' files and EMDB's own percentiles are not::

    pip download --no-deps va==0.0.1.dev134
    python studies/reference_table.py va-0.0.1.dev134-py3-none-any.whl -o src/atomsight/archive/data
"""

import argparse
import re
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import atomsight as ats

TABLE, VERSIONS = "va/qscores.csv", "va/version.py"
LEFT_OUT = ("q_whole", "q_relative")


def build(wheel: Path) -> ats.Archive:
    """An archive of the table in the wheel, named after EMDB's version of the statistics.

    Parameters
    ----------
    wheel : Path

    Returns
    -------
    Archive
    """
    with zipfile.ZipFile(wheel) as packed, tempfile.TemporaryDirectory() as folder:
        text = packed.read(VERSIONS).decode()
        table = packed.extract(TABLE, folder)
        statistics = found(r'__em_statistics_version__ = "(\S+)"', text)
        archive = ats.build_archive(
            table, name=f"EMDB {statistics}", date=f"{statistics[:4]}-{statistics[4:6]}"
        )
    measures = {n: v for n, v in archive.entries.measures.items() if n not in LEFT_OUT}
    package = found(r'__version__ = "(\S+)"', text)
    return replace(
        archive,
        entries=replace(archive.entries, measures=measures),
        table=f"{TABLE} of va {package}",
    )


def found(pattern: str, text: str) -> str:
    """What stands in the first group, where either kind of quotes will do."""
    match = re.search(pattern, text.replace("'", '"'))
    if match is None:
        raise SystemExit(f"no {pattern} in {VERSIONS}")
    return match.group(1)


def main() -> None:
    """Read the command line and write the archive."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    options = parser.parse_args()
    archive = build(options.wheel)
    statistics = archive.name.removeprefix("EMDB ").partition(".")[0]
    print(ats.write_archive(archive, options.output / f"emdb-{statistics}.parquet"), archive.label)


if __name__ == "__main__":
    main()
