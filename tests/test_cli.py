"""The command line as a person and as a script meet it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from microtwin import Microstructure, write_microstructure
from microtwin.cli import main
from microtwin.trust import Case

COMMANDS = ("new", "check", "run", "status", "report", "export", "demo", "verify", "bench")


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    blocks = (rng.random((6, 6, 6)) < 0.5).astype(np.uint8)
    values = blocks.repeat(4, 0).repeat(4, 1).repeat(4, 2)
    values[0, 0, :3] = 2
    micro = Microstructure(values, 4e-7, {"pore": 0, "active": 1, "binder": 2})
    return write_microstructure(micro, tmp_path / "electrode.tif")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    def call(*words: object) -> SimpleNamespace:
        code: object = 0
        try:
            main([str(word) for word in words])
        except SystemExit as leaving:
            code = leaving.code or 0
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return call


def quick_study(folder: Path, labels: Path) -> Path:
    """A study that needs no solve."""
    path = folder / "quick.yaml"
    path.write_text(
        "name: quick\n"
        f"image: {{path: {labels.name}, voxel_size: 400 nm,"
        " phases: {pore: 0, active: 1, binder: 2}}\n"
        "output: {report: false}\n"
    )
    return path


def test_help_lists_every_command_in_one_screen(cli) -> None:  # type: ignore[no-untyped-def]
    told = cli("--help")
    assert told.code == 0
    assert all(f"\n  {name} " in told.out for name in COMMANDS)
    assert len(told.out.splitlines()) < 25
    for name in COMMANDS:
        text = cli(name, "--help").out
        assert text.startswith("Usage: ") and len(text.splitlines()) < 25


def test_version(cli) -> None:  # type: ignore[no-untyped-def]
    import microtwin

    assert cli("--version").out == f"microtwin {microtwin.__version__}\n"


def test_new_check_run_status_export(cli, tmp_path: Path, labels: Path) -> None:  # type: ignore[no-untyped-def]
    study = tmp_path / "study.yaml"
    phases = [word for p in ("pore=0", "active=1") for word in ("--phase", p)]
    told = cli("new", study, "--image", labels, "--voxel-size", "398 nm", *phases)
    assert told.code == 0 and told.out == ""
    assert "labels without a name: 2 (3 voxels)" in told.err
    assert 'path: "electrode.tif"' in study.read_text()

    told = cli("check", study)
    assert told.code == 2
    assert "2 (3 voxels)" in told.err and "Traceback" not in told.err

    study = quick_study(tmp_path, labels)
    told = cli("check", study)
    assert told.code == 0 and "quick.yaml is valid" in told.out and "24 x 24 x 24" in told.out
    facts = json.loads(cli("check", study, "--json").out)
    assert facts["shape"] == [24, 24, 24] and facts["stages_done"] == 0

    assert "0 of 5 stages are done" in cli("status", study).out
    told = cli("run", study)
    assert told.code == 0
    assert "volume fraction" in told.out and "quick-run/results.json" in told.out
    assert "[5/5]" in told.err and "[5/5]" not in told.out  # progress is not a result
    assert "5 of 5 stages are done" in cli("status", study).out
    assert {s["state"] for s in json.loads(cli("status", study, "--json").out)["stages"]} == {
        "done"
    }
    results = json.loads(cli("run", study, "--json").out)
    assert results == json.loads((tmp_path / "quick-run" / "results.json").read_text())

    told = cli("export", study, "--to", tmp_path / "out")
    assert told.code == 0 and told.out == f"{tmp_path}/out/quick-results.csv\n"
    assert "volume_fraction,pore" in (tmp_path / "out" / "quick-results.csv").read_text()


def test_new_takes_the_voxel_size_from_the_file(cli, tmp_path: Path, labels: Path) -> None:  # type: ignore[no-untyped-def]
    study = tmp_path / "study.yaml"
    phases = [word for p in ("pore=0", "active=1", "binder=2") for word in ("--phase", p)]
    assert cli("new", study, "--image", labels, *phases).code == 0
    assert 'voxel_size: "400 nm"' in study.read_text()
    told = cli("new", study, "--image", labels, *phases)
    assert told.code == 2 and "--force" in told.err
    assert cli("new", study, "--image", labels, *phases, "--force").code == 0
    told = cli("new", tmp_path / "b.yaml", "--image", tmp_path / "none.tif", *phases)
    assert told.code == 2 and '--voxel-size "398 nm"' in told.err


def test_errors_are_sentences_and_debug_shows_more(cli, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    told = cli("run", tmp_path / "none.yaml")
    assert told.code == 2 and told.out == ""
    assert told.err.startswith("error: there is no study file") and told.err.count("\n") == 1
    with pytest.raises(ValueError, match="there is no study file"):
        main(["run", str(tmp_path / "none.yaml"), "--debug"])


def test_a_typo_names_the_line_and_the_key(cli, tmp_path: Path, labels: Path) -> None:  # type: ignore[no-untyped-def]
    study = quick_study(tmp_path, labels)
    study.write_text(study.read_text().replace("output:", "ouput:"))
    told = cli("check", study)
    assert told.code == 2
    assert "line 3, ouput: the key 'ouput' is not known here" in told.err
    assert "did you mean 'output'?" in told.err


def test_an_unfinished_run_has_no_report(cli, tmp_path: Path, labels: Path) -> None:  # type: ignore[no-untyped-def]
    told = cli("report", quick_study(tmp_path, labels))
    assert told.code == 2 and "microtwin run quick.yaml" in told.err


@pytest.mark.parametrize(("value", "code"), [(1.0, 0), (1.2, 1)])
def test_verify_fails_when_a_case_is_missed(
    cli,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
    value: float,
    code: int,
) -> None:
    from microtwin.study import verification

    cases = [Case("box", "D_eff/D_0", 1.0, lambda: value, 1e-3, "exact")]
    monkeypatch.setattr(verification, "all_cases", lambda: cases)
    told = cli("verify")
    assert told.code == code
    assert f"{1 - code} of 1 cases pass" in told.out and "exact" in told.out
    (row,) = json.loads(cli("verify", "--json").out)
    assert row["verdict"] == ("fail" if code else "pass") and row["ours"] == value
    assert cli("verify", "--only", "sphere").code == 2


@pytest.mark.skipif(os.name == "nt", reason="signals work differently there")
def test_ctrl_c_says_that_the_run_goes_on(tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(
        "name: long\ngenerate: {kind: electrode, shape: 128, voxel_size: 400 nm, porosity: 0.4,"
        " binder_fraction: 0.1, particles: {diameter: 4 um}}\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-m", "microtwin.cli", "run", str(study)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has children ignore the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    lock = tmp_path / "study-run" / "study.yaml"
    while not lock.exists():
        assert child.poll() is None
        time.sleep(0.02)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    # Python itself ends with the signal where it interrupts code made from text; for a shell both
    # are the exit code 130.
    assert child.returncode in (130, -signal.SIGINT) and out == ""
    assert "the same command goes on from there" in err and "Traceback" not in err
    assert not list((tmp_path / "study-run").glob(".tmp-*"))


def test_remarks_say_what_the_table_cannot() -> None:
    from microtwin.cli.tables import remarks
    from microtwin.study.results import Check, Image, Quantity, Results, Uncertainty

    def quantity(direction: str, value: float | None, *checks: Check) -> Quantity:
        return Quantity(
            name="tortuosity_factor",
            phase="pore",
            direction=direction,
            value=value,
            text=None if value else "The pore phase does not percolate along y.",
            unit="1",
            uncertainty=Uncertainty(),
            checks=list(checks),
            source="s/k",
        )

    def uncertain(share: float) -> Check:
        return Check(name="relative_uncertainty", value=share, limit=0.05, verdict="warn")

    blocked = Check(name="percolates", value=0.0, limit=1.0, verdict="warn")
    spread = Check(name="flux_spread", value=1e-3, limit=1e-4, verdict="fail")
    image = Image(
        shape=(4, 4, 4),
        voxel_size=(1e-6,) * 3,
        extent=(4e-6,) * 3,
        phases={"pore": 0},
        volume_fractions={"pore": 1.0},
    )
    rows = [
        quantity("z", 2.0, uncertain(0.08)),
        quantity("y", None, blocked),
        quantity("x", 2.0, uncertain(1.5), spread),
    ]
    assert remarks(Results(study="s", verdict="fail", microstructure=image, quantities=rows)) == [
        "The pore phase does not percolate along y.",
        "warn: uncertain by more than 5 %: tortuosity factor pore z (8 %), "
        "tortuosity factor pore x (> 100 %)",
        "fail: the flux differs between layers by more than 0.0001: pore x",
    ]
