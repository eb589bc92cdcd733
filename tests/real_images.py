"""Real images for tests that want them; they lie outside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def real_image(relative_path: str) -> Path:
    """Return the path of a real image, or skip the test where the image is not there."""
    path = FOLDER / relative_path
    if not path.exists():
        pytest.skip(f"needs the real image {relative_path} in {FOLDER}")
    return path
