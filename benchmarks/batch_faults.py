"""Break a batch in every way at hand, and count what is lost.

    python benchmarks/batch_faults.py [--entries 200]

Processes that score are killed and stopped at random, the whole run is killed and goes on, its disk
fills up (as root, who may mount a small one), one entry wants all memory, one in twenty is corrupt.
Then every row is counted and compared with a run that nobody disturbed.
"""

import argparse
import contextlib
import gzip
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

import gemmi
import polars as pl
import psutil

from atomsight.batch.dataset import DONE, read_rows
from batch_speed import crops

ATTACKS = 20
_TIMEOUT = "10"
_LIMIT = "2GB"
_GREEDY_ATOMS = 2_000_000


class Attacker(threading.Thread):
    """Sends a signal to a random process that scores, again and again."""

    def __init__(
        self, run: psutil.Process, signals: list[signal.Signals], rng: random.Random
    ) -> None:
        super().__init__(daemon=True)
        self.signals, self._run, self._rng = signals, run, rng

    def run(self) -> None:
        """Until all signals are sent or the run is over."""
        with contextlib.suppress(psutil.NoSuchProcess):
            while self.signals and self._run.is_running():
                time.sleep(self._rng.uniform(0.2, 1.0))
                busy = [p for p in self._run.children(recursive=True) if _scores(p)]
                if busy:
                    self._rng.choice(busy).send_signal(self.signals[-1])
                    self.signals.pop()


def _scores(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        spawned = "spawn_main" in " ".join(process.cmdline())
        return spawned and process.status() != "stopped" and process.cpu_times().user > 1.5
    return False


def batch(manifest: Path, folder: Path, *options: str) -> "subprocess.Popen[str]":
    """Start a run as a user would."""
    command = [sys.executable, "-m", "atomsight", "batch", "run", str(manifest), "-o", str(folder)]
    # a process that was stopped keeps its end of a pipe open for ever; of a file nobody minds
    with _log(manifest).open("w", encoding="utf-8") as log:
        return subprocess.Popen(
            [*command, "--tables", "residues", "--retries", "25", "--timeout", _TIMEOUT, *options],
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )


def ended(run: "subprocess.Popen[str]", manifest: Path) -> None:
    """Wait for a run, and tell how it ended."""
    code = run.wait()
    said = _log(manifest).read_text(encoding="utf-8").strip().splitlines()
    print(f"  exit code {code}: {said[0] if said else ''}", flush=True)


def _log(manifest: Path) -> Path:
    return manifest.with_name("said.txt")


def greedy(folder: Path) -> Path:
    """A model of two million atoms in a very small file: no estimate sees that coming."""
    path = folder / "greedy.cif.gz"
    loop = gemmi.cif.read(str(folder / "crop00000.cif")).sole_block().find_loop("_atom_site.id")
    site = loop.get_loop()
    words = site.values[: site.width()]
    x = site.tags.index("_atom_site.Cartn_x")
    with gzip.open(path, "wt", compresslevel=6, encoding="utf-8") as handle:
        handle.write("data_greedy\nloop_\n" + "\n".join(site.tags) + "\n")
        for i in range(_GREEDY_ATOMS):
            handle.write(" ".join([*words[:x], f"{i % 97}.{i % 7}", *words[x + 1 :]]) + "\n")
    return path


def main() -> None:
    """Run everything and print what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as name, disk(Path(name) / "disk") as small:
        place = Path(name)
        manifest = crops(place, asked.entries, 6.0)
        print("undisturbed:")
        ended(batch(manifest, place / "calm", "--workers", "2"), manifest)
        from tests.support.crops import spoil

        steps = spoil(place, [f"crop{i:05d}" for i in range(7, asked.entries, 20)])
        model = greedy(place / "files")
        with manifest.open("a", encoding="utf-8") as handle:
            handle.write(f"greedy,{model},files/crop00000.mrc,3.2\n")
        options = ("--workers", "2", "--memory", _LIMIT)
        attacks = [signal.SIGKILL] * ATTACKS
        for kills in range(3):
            run = batch(manifest, small.folder, *options, *(["--resume"] if kills else []))
            attacker = Attacker(psutil.Process(run.pid), attacks, rng)
            attacker.start()
            time.sleep(rng.uniform(3, 6))
            run.send_signal(signal.SIGKILL)
            print(f"the whole run killed, {len(attacks)} attacks left:")
            ended(run, manifest)
        small.fill()
        print("the disk is full:")
        ended(batch(manifest, small.folder, *options, "--resume"), manifest)
        small.free()
        attacks.append(signal.SIGSTOP)
        run = batch(manifest, small.folder, *options, "--resume")
        Attacker(psutil.Process(run.pid), attacks, rng).start()
        print("to the end:")
        ended(run, manifest)
        count(read_rows(small.folder), read_rows(place / "calm"), steps, len(attacks))


class disk:  # noqa: N801  (reads as a word where it is used)
    """A small file system, where that may be made; a folder elsewhere."""

    def __init__(self, place: Path) -> None:
        self._place, self._mounted = place, False
        self.folder = place / "set"

    def __enter__(self) -> Self:
        self._place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(self._place)]
        done = os.geteuid() == 0 and subprocess.run(mount, check=False).returncode == 0
        self._mounted = bool(done)
        return self

    def fill(self) -> None:
        """Leave no room."""
        if self._mounted:
            with contextlib.suppress(OSError), (self._place / "filler").open("wb") as handle:
                while True:
                    handle.write(bytes(4096))
                    handle.flush()

    def free(self) -> None:
        """Make room again."""
        (self._place / "filler").unlink(missing_ok=True)

    def __exit__(self, *_exc: object) -> None:
        if self._mounted:
            subprocess.run(["umount", str(self._place)], check=False)


def count(found: pl.DataFrame, calm: pl.DataFrame, steps: dict[str, str], left: int) -> None:
    """Print how many entries are lost, there twice, or not what they should be."""
    columns = [name for name in calm.columns if name not in _OWN]
    good = calm.filter(~pl.col("entry").is_in(list(steps)))
    finished = found.filter(pl.col("status") == DONE)
    both = good.select(columns).join(finished.select(columns), on="entry", suffix="_found")
    same = [
        both[name].equals(both[f"{name}_found"], null_equal=True)
        for name in columns
        if name != "entry"
    ]
    rows: dict[str, str | None] = dict(found.select("entry", "step").iter_rows())
    stopped = [name for name, step in rows.items() if step == "timeout"]
    print(f"attacks: {ATTACKS + 1 - left}")
    kept = set(good["entry"]).intersection(finished["entry"])
    print(f"good entries: {len(good)}; with a row that is done: {len(kept)}")
    print(f"ended by --timeout (stopped processes): {stopped}")
    print(f"columns equal to the undisturbed run: {sum(same)} of {len(same)}")
    print(
        f"corrupt entries: {len(steps)}; with the row expected: "
        f"{sum(rows.get(name) == step for name, step in steps.items())}"
    )
    said = found.filter(pl.col("entry") == "greedy")["message"].to_list()
    print(f"greedy entry: {rows.get('greedy')}: {said}")
    print(f"rows: {len(found)}, names: {found['entry'].n_unique()}")
    print(f"begun most often: {found.select(pl.col('attempts').max()).item()}")


_OWN = {"host", "created", "attempts", "seconds", "peak_memory", "digest"}

if __name__ == "__main__":
    main()
