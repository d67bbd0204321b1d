"""A cluster of Dask out of processes on this machine, to kill and start again."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from distributed import Client

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind((HOST, 0))
        return one.getsockname()[1]


class DaskProcesses:
    """A scheduler and its workers; all of them end with the block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"tcp://{HOST}:{self.port}"
        self.scheduler: subprocess.Popen | None = None
        self.workers: list[subprocess.Popen] = []
        self._started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        for one in (*self.workers, self.scheduler):
            if one is not None:
                kill(one)

    def start_scheduler(self) -> None:
        options = ["--host", HOST, "--port", self.port, "--no-dashboard", "--no-show"]
        # it ends by itself where the tests are killed
        options += ["--idle-timeout", "5 minutes"]
        self.scheduler = self._start("scheduler", *options)

    def start_worker(self, *options: object, threads: int = 2, memory: int = 4 * 2**30) -> None:
        """A worker, under a nanny unless the options say otherwise; memory 0: says of none."""
        resources = ["--resources", f"memory={memory}"] if memory else []
        common = ["--nthreads", threads, "--no-dashboard", "--death-timeout", 60]
        self.workers.append(self._start("worker", self.address, *common, *resources, *options))

    def kill_scheduler(self) -> None:
        assert self.scheduler is not None
        kill(self.scheduler)

    def kill_worker(self, number: int = 0) -> None:
        """End a worker and its nanny in the way that a machine goes that loses its power."""
        kill(self.workers.pop(number))

    def wait(self, workers: int = 1, seconds: float = 60) -> None:
        with Client(self.address, timeout=seconds, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=seconds)

    def _start(self, kind: str, *options: object) -> subprocess.Popen:
        self._started += 1
        command = [sys.executable, "-m", "distributed.cli.dask_" + kind, *map(str, options)]
        if kind == "worker":
            command += ["--local-directory", str(self.folder)]
        with (self.folder / f"{self._started}-{kind}.log").open("w") as log:
            # a group of its own, so that what it starts can be killed with it
            return subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )


def kill(process: subprocess.Popen) -> None:
    """SIGKILL for a process and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(true, seconds: float = 60, every: float = 0.1) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not so after {seconds} s"
        time.sleep(every)
