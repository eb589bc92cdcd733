"""Labels to conforming tetrahedra: graded, with smooth interfaces, fit for finite elements."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
