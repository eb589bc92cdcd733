"""A run that is killed at random moments ends in the same bytes as one that is not."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

KILLS = 12
SEED = 20

# The moment counts from when the work begins: loading the libraries is not what is tested.
CHILD = """\
import sys
import microtwin.transport, microtwin.descriptors, microtwin.generation, microtwin.trust
from microtwin.study import run_study
import microtwin.study.stages, microtwin.study.uncertainty, microtwin.study.report
print("ready", flush=True)
run_study(sys.argv[1], sys.argv[2])
print("finished", flush=True)
"""


def start(study: Path, folder: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(study), str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def finish(study: Path, folder: Path) -> float:
    """Run to the end and return the seconds that the work itself took."""
    child = start(study, folder)
    begin = time.perf_counter()
    output, _ = child.communicate()
    assert output == "finished\n" and child.returncode == 0
    return time.perf_counter() - begin


def content(folder: Path) -> dict[str, bytes]:
    """Every data file and results.json; records hold times, which differ between any two runs."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("record.json", ".lock")
    }


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_at_random_moments_a_run_ends_in_the_same_bytes(
    small_study: Path, tmp_path: Path
) -> None:
    reference = tmp_path / "uninterrupted"
    finish(small_study, reference)
    expected = content(reference)
    assert "results.json" in expected
    assert sum(name.endswith("data.json") for name in expected) > 8
    # The first run may have compiled what is compiled on first use; the second one has not.
    duration = finish(small_study, tmp_path / "timed")

    chance = random.Random(SEED)
    kills = rounds = 0
    while kills < KILLS:
        rounds += 1
        folder = tmp_path / f"killed-{rounds}"
        # Each start gets a share of the time of a whole run, so that one folder is killed
        # several times, at other stages each time.
        while kills < KILLS:
            child = start(small_study, folder)
            time.sleep(chance.uniform(0.0, 0.4) * duration)
            child.send_signal(signal.SIGKILL)
            child.communicate()
            if child.returncode == 0:
                break
            kills += 1
        finish(small_study, folder)
        found = content(folder)
        assert found.keys() == expected.keys()
        assert [name for name in expected if found[name] != expected[name]] == []
