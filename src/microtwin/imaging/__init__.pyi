__all__ = [
    "Corrected",
    "Corrections",
    "Denoised",
    "GreyLevels",
    "GreyModel",
    "Particles",
    "PixelClassifier",
    "Projections",
    "Quality",
    "Reconstruction",
    "Rings",
    "Scanner",
    "Segmentation",
    "StoredFrames",
    "StoredVolume",
    "Thresholds",
    "alternative_segmentations",
    "assess_quality",
    "classify",
    "denoise",
    "filtered_back_projection",
    "find_grey_levels",
    "find_thresholds",
    "inverted_contrast",
    "iter_slabs",
    "label_by_thresholds",
    "learn_corrections",
    "open_volume",
    "plausible_segmentation",
    "project",
    "projection_files",
    "raw_sidecar",
    "read_microstructure",
    "read_probabilities",
    "read_projections",
    "read_scan",
    "reconstruct",
    "rehearse",
    "segment",
    "separate_particles",
    "thresholds_for_fractions",
    "train_classifier",
    "virtual_scan",
    "write_microstructure",
    "write_scan",
]

from .artefacts.corrections import Corrected, Corrections, learn_corrections
from .artefacts.denoising import Denoised, denoise
from .artefacts.rings import Rings
from .files.formats import (
    open_volume,
    read_microstructure,
    read_scan,
    write_microstructure,
    write_scan,
)
from .files.raw import raw_sidecar
from .files.stored import StoredVolume, iter_slabs
from .labelling.alternatives import alternative_segmentations
from .labelling.classifier import PixelClassifier, classify, train_classifier
from .labelling.ensemble import plausible_segmentation
from .labelling.grey_levels import GreyLevels, find_grey_levels
from .labelling.particles import Particles, separate_particles
from .labelling.posterior import GreyModel
from .labelling.probabilities import read_probabilities
from .labelling.quality import Quality, assess_quality
from .labelling.rehearsal import rehearse
from .labelling.segmentation import Segmentation, segment
from .labelling.thresholds import (
    Thresholds,
    find_thresholds,
    inverted_contrast,
    label_by_thresholds,
    thresholds_for_fractions,
)
from .tomography.frames import StoredFrames
from .tomography.parallel_beam import filtered_back_projection, project
from .tomography.projections import Projections, projection_files, read_projections
from .tomography.reconstruction import Reconstruction, reconstruct
from .tomography.virtual_scanner import Scanner, virtual_scan
