__all__ = [
    "CellView",
    "ConvergenceView",
    "HalfCellImpedanceView",
    "HalfCellView",
    "ImpedanceView",
    "MechanicsAlongView",
    "MechanicsView",
    "MembersView",
    "MeshView",
    "ReactionView",
    "ReportData",
    "SamplingView",
    "ScanView",
    "SegmentationView",
    "StiffnessView",
    "StructureView",
    "TransportView",
    "write_discharge_movie",
    "write_report",
    "write_stress_movie",
    "write_vtkhdf",
    "write_vtkhdf_series",
]

from .half_cell_figures import write_discharge_movie
from .mechanics_along_figures import write_stress_movie
from .model import (
    CellView,
    ConvergenceView,
    HalfCellImpedanceView,
    HalfCellView,
    ImpedanceView,
    MechanicsAlongView,
    MechanicsView,
    MembersView,
    MeshView,
    ReactionView,
    ReportData,
    SamplingView,
    ScanView,
    SegmentationView,
    StiffnessView,
    StructureView,
    TransportView,
)
from .page import write_report
from .vtkhdf import write_vtkhdf, write_vtkhdf_series
