__all__ = [
    "Outcome",
    "Results",
    "Study",
    "StudyError",
    "StudyFile",
    "estimate_cost",
    "plan",
    "read_results",
    "read_study",
    "report",
    "run_study",
    "study_status",
]

from . import report
from .errors import StudyError
from .estimate import estimate_cost
from .planning import plan
from .reading import StudyFile, read_study
from .results import Results, read_results
from .runner import Outcome, run_study, study_status
from .schema import Study
