"""Settings that all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

# Pictures are drawn into files, also where there is no screen.
os.environ.setdefault("MPLBACKEND", "Agg")

# The first example of a property may wait for a compiler, so no deadline; the same examples in
# every run, so that a failure is a failure of the change at hand.
settings.register_profile("microtwin", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("microtwin")
