__all__ = [
    "Case",
    "CrossVerification",
    "ErrorBudget",
    "GridConvergence",
    "IntegralRange",
    "Intercepts",
    "MemberStudy",
    "Refinement",
    "Representativeness",
    "SamplingStudy",
    "SegmentationStudy",
    "SubvolumeRow",
    "Trend",
    "VarianceLaw",
    "VerificationRow",
    "coarsen_for",
    "combine",
    "cross_verification",
    "discretisation_study",
    "fit_variance_law",
    "format_with_uncertainty",
    "grid_convergence",
    "integral_range",
    "observed_order",
    "refined",
    "relative",
    "representativeness",
    "run_case",
    "run_cases",
    "segmentation_study",
    "subvolume_study",
    "tortuosity_uncertainty",
    "unresolved_interface",
]

from .budget import (
    ErrorBudget,
    combine,
    format_with_uncertainty,
    relative,
    tortuosity_uncertainty,
)
from .coarsening import coarsen_for
from .convergence import (
    GridConvergence,
    discretisation_study,
    grid_convergence,
    observed_order,
    unresolved_interface,
)
from .covariance import IntegralRange, integral_range
from .cross_verification import (
    CrossVerification,
    Refinement,
    cross_verification,
    refined,
)
from .representative import Intercepts, Representativeness, Trend, representativeness
from .sampling import SamplingStudy, SubvolumeRow, subvolume_study
from .scaling import VarianceLaw, fit_variance_law
from .segmentation import MemberStudy, SegmentationStudy, segmentation_study
from .verification import Case, VerificationRow, run_case, run_cases
