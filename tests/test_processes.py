import os
import subprocess
import sys
import time

import psutil
import pytest

from atomsight.processes import processors, use_processors


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux gives processors away")
def test_only_those_that_this_process_may_use_count():
    mine = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(mine)})
        assert processors() == 1
    finally:
        os.sched_setaffinity(0, mine)
    assert processors() == len(mine)


def test_where_the_system_does_not_tell_all_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert processors() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert processors() == 1


def test_a_process_may_be_told_to_use_fewer(monkeypatch):
    monkeypatch.setattr("atomsight.processes._most", None)
    use_processors(3)
    assert processors() == 3


def test_a_process_whose_parent_is_killed_ends(tmp_path):
    """The parent is killed and cannot tell its child, which would sleep for a minute."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import multiprocessing, time\n"
        "from atomsight.processes import end_with_parent\n"
        "def child():\n"
        "    end_with_parent()\n"
        "    time.sleep(60)\n"
        "if __name__ == '__main__':\n"
        "    one = multiprocessing.get_context('spawn').Process(target=child)\n"
        "    one.start()\n"
        "    time.sleep(2)\n"
        "    print(one.pid, flush=True)\n"
        "    time.sleep(60)\n",
        encoding="utf-8",
    )
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    assert child.is_running()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while child.is_running() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not child.is_running()
