"""Trust: known answers beside ours, and an error budget for every number.

The room takes callables and images and knows no physics: a property is any function of a
`Microstructure` that returns a number.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
