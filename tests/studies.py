"""Run a study of an image of labels by the command line, and read what it wrote."""

from __future__ import annotations

import json

import numpy as np
from typer.testing import CliRunner

from microtwin.cli.app import app


def run_study(folder, labels, text, key):
    """Return the quantities by a key of each, the report, and what was printed."""
    np.save(folder / "labels.npy", labels)
    (folder / "study.yaml").write_text(text)
    into = folder / "run"
    result = CliRunner().invoke(app, ["run", str(folder / "study.yaml"), "--into", str(into)])
    assert result.exit_code == 0, result.output
    found = json.loads((into / "results.json").read_text())["quantities"]
    report = (into / "report.html").read_text(encoding="utf-8")
    return {key(quantity): quantity for quantity in found}, report, result.output
