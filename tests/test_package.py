from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import microtwin

ROOT = Path(__file__).resolve().parents[1]

HEAVY = ("numba", "matplotlib", "h5py", "pydantic", "scipy", "tifffile", "pint", "k3d", "cc3d")


def test_import_loads_no_heavy_library():
    code = f"import microtwin, sys; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_microstructure_needs_no_heavy_library():
    code = (
        "import microtwin as mt, numpy as np, sys\n"
        "m = mt.Microstructure(np.zeros((4, 4, 4), np.uint8), 1e-6, {'pore': 0})\n"
        "m.coarsen(2), m.mirror(), m.crop(z=slice(2)), repr(m)\n"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_public_name_is_there():
    assert len(microtwin.__all__) == len(set(microtwin.__all__)) > 10
    for name in microtwin.__all__:
        value = getattr(microtwin, name)
        for inner in getattr(value, "__all__", ()):
            assert getattr(value, inner) is not None, f"{name}.{inner}"


def test_version_stands_in_the_citation_and_the_change_log():
    version = microtwin.__version__
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text()
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()


def test_extras_that_messages_tell_people_to_install_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = set()
    for file in (ROOT / "src").rglob("*.py"):
        named |= set(re.findall(r"microtwin\[(\w+)\]", file.read_text()))
    assert "codecs" in named
    assert named <= set(project["optional-dependencies"])
