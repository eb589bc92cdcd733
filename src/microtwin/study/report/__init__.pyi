__all__ = [
    "ConvergenceView",
    "MembersView",
    "ReportData",
    "SamplingView",
    "ScanView",
    "SegmentationView",
    "TransportView",
    "write_report",
    "write_vtkhdf",
]

from .model import (
    ConvergenceView,
    MembersView,
    ReportData,
    SamplingView,
    ScanView,
    SegmentationView,
    TransportView,
)
from .page import write_report
from .vtkhdf import write_vtkhdf
