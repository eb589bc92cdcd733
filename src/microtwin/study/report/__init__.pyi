__all__ = [
    "ConvergenceView",
    "MembersView",
    "MeshView",
    "ReactionView",
    "ReportData",
    "SamplingView",
    "ScanView",
    "SegmentationView",
    "StructureView",
    "TransportView",
    "write_report",
    "write_vtkhdf",
]

from .model import (
    ConvergenceView,
    MembersView,
    MeshView,
    ReactionView,
    ReportData,
    SamplingView,
    ScanView,
    SegmentationView,
    StructureView,
    TransportView,
)
from .page import write_report
from .vtkhdf import write_vtkhdf
