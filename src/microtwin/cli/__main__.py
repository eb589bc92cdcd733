"""Run the command line with ``python -m microtwin.cli``."""

from . import main

main()
