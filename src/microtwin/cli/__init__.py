"""The command line: new, check, run, status, report, export, demo, verify, bench.

Results go to the standard output, progress and messages to the standard error. Exit codes: 0 when
all is well, 1 when a verdict is "fail", 2 when the input or the disk has to be put right, 130
after Ctrl-C.
"""

from .app import main

__all__ = ["main"]
