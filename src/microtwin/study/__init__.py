"""Studies: a YAML file in, verified numbers with error budgets and a report out.

`run_study` computes what a study file asks for in stages whose results are kept in a store, so
that a run that was killed goes on where it stopped.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
