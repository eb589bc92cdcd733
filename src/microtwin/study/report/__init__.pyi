__all__ = [
    "ConvergenceView",
    "ReportData",
    "SamplingView",
    "TransportView",
    "write_report",
    "write_vtkhdf",
]

from .model import ConvergenceView, ReportData, SamplingView, TransportView
from .page import write_report
from .vtkhdf import write_vtkhdf
