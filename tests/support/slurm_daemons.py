"""Slurm on this machine: munged, slurmctld and slurmd, started by hand and ended with the block."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from tests.support.dask_processes import free_port

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")
SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"

CONFIGURATION = """\
ClusterName=test
SlurmctldHost=localhost
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={controller}
SlurmdPort={node}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=2
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=2
MailProg=/bin/true
SlurmdParameters=config_overrides
NodeName=localhost NodeAddr=127.0.0.1 CPUs=2 RealMemory=6000 State=UNKNOWN
PartitionName=short Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"""


def require_slurm() -> None:
    """Skip where Slurm cannot be started."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=SYSTEM) is None]
    if absent:
        pytest.skip(f"no {', '.join(absent)}: install slurmctld, slurmd, slurm-client and munge")
    if os.geteuid() != 0:
        pytest.skip("only root can start slurmd")


class SlurmDaemons:
    """A cluster of one node with two processors."""

    def __init__(self) -> None:
        # a short path: it names a socket
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "SBATCH"))},
            "PATH": f"{os.environ['PATH']}:{SYSTEM}",
            "SLURM_CONF": str(self.folder / "slurm.conf"),
        }
        self._daemons: list[subprocess.Popen] = []

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        folder = self.folder
        for name in ("state", "spool"):
            (folder / name).mkdir()
        key = folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        text = CONFIGURATION.format(folder=folder, controller=free_port(), node=free_port())
        (folder / "slurm.conf").write_text(text, encoding="utf-8")
        own = {
            "--key-file": key,
            "--socket": folder / "munge.socket",
            "--pid-file": folder / "munged.pid",
            "--seed-file": folder / "munged.seed",
        }
        self._run("munged", "--foreground", "--force", *(f"{k}={v}" for k, v in own.items()))
        self._wait((folder / "munge.socket").exists)
        self._run("slurmctld", "-D")
        self._run("slurmd", "-D", "-N", "localhost")
        self._wait(lambda: "idle" in self.ask("sinfo", "--noheader"))

    def __exit__(self, *_exc: object) -> None:
        with suppress(Exception):
            self.ask("scancel", "--user=root")
            self._wait(lambda: not self.jobs(), 10)
        for daemon in reversed(self._daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(5)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, *command: object, **options) -> str:
        """What a command of Slurm prints."""
        done = subprocess.run(
            [str(part) for part in command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )
        return done.stdout

    def jobs(self) -> list[str]:
        """Numbers of the jobs that wait or run."""
        return self.ask("squeue", "--noheader", "--format=%A").split()

    def _run(self, *command: object) -> None:
        words = [str(part) for part in command]
        with (self.folder / f"{words[0]}.log").open("w") as log:
            self._daemons.append(
                subprocess.Popen(words, env=self.environment, stdout=log, stderr=log)
            )

    def _wait(self, true, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not true():
            for daemon in self._daemons:
                if daemon.poll() is not None:
                    pytest.fail(f"{daemon.args[0]}: {self._log(daemon.args[0])}")
            if time.monotonic() > end:
                pytest.fail(f"Slurm does not start: {self._log('slurmctld')}")
            time.sleep(0.1)

    def _log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8")[-2000:] if path.exists() else ""
