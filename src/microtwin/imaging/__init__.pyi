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
    "Scanner",
    "Segmentation",
    "StoredFrames",
    "StoredVolume",
    "Thresholds",
    "assess_quality",
    "checked_fractions",
    "classify",
    "denoise",
    "filtered_back_projection",
    "find_grey_levels",
    "find_thresholds",
    "fractions_from_loading",
    "inverted_contrast",
    "iter_slabs",
    "label_by_thresholds",
    "learn_corrections",
    "open_volume",
    "plausible_segmentation",
    "porosity_contradiction",
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

from .classifier import PixelClassifier, classify, train_classifier
from .corrections import Corrected, Corrections, learn_corrections
from .denoising import Denoised, denoise
from .ensemble import plausible_segmentation
from .formats import open_volume, read_microstructure, read_scan, write_microstructure, write_scan
from .frames import StoredFrames
from .grey_levels import GreyLevels, find_grey_levels
from .laboratory import checked_fractions, fractions_from_loading, porosity_contradiction
from .parallel_beam import filtered_back_projection, project
from .particles import Particles, separate_particles
from .posterior import GreyModel
from .probabilities import read_probabilities
from .projections import Projections, projection_files, read_projections
from .quality import Quality, assess_quality
from .raw import raw_sidecar
from .reconstruction import Reconstruction, reconstruct
from .rehearsal import rehearse
from .segmentation import Segmentation, segment
from .stored import StoredVolume, iter_slabs
from .thresholds import (
    Thresholds,
    find_thresholds,
    inverted_contrast,
    label_by_thresholds,
    thresholds_for_fractions,
)
from .virtual_scanner import Scanner, virtual_scan
