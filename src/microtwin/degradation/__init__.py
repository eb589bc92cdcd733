"""What use does to an electrode: stress along a discharge, and what it does to the lithium."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
