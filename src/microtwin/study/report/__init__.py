"""Report: one self-contained HTML page about a study, and its fields for ParaView.

The room takes plain numbers, arrays and text (`ReportData`), computes nothing and loads nothing
from the network: figures are drawn with matplotlib, the 3-D view is a k3d snapshot.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
