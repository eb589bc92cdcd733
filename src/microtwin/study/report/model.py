"""What a report is made from: plain numbers, arrays and text, no solver and no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...microstructure import Microstructure

if TYPE_CHECKING:
    from ...mechanics import LigamentLoads, StressDistribution

__all__ = [
    "CellView",
    "ConvergenceView",
    "FlowView",
    "HalfCellImpedanceView",
    "HalfCellView",
    "ImpedanceView",
    "MechanicsView",
    "MembersView",
    "MeshView",
    "ReactionView",
    "ReportData",
    "SamplingView",
    "ScanView",
    "SegmentationView",
    "StiffnessView",
    "TransportView",
    "UptakeView",
]

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class TransportView:
    """One solved transport problem: a phase and a direction, with pictures through its middle.

    Parameters
    ----------
    phase, direction : str
        Conducting phase, and the axis of the imposed gradient: "z", "y" or "x".
    boundary, interface : str
        Named conventions of the solve: "faces", "periodic" or "mirror"; "smooth" or "voxel".
    numbers : mapping
        Scalars under the names tortuosity_factor, relative_diffusivity, volume_fraction,
        label_fraction, percolating_fraction, iterations, residual, flux_spread, message. Any of
        them may be missing; a tortuosity factor of infinity means that the phase does not
        percolate.
    layer_flux : ndarray, shape (n,)
        Through-flux of each layer along the direction, relative to that of an empty box.
    residual_history : tuple of float
        Relative residual before the first and after each iteration.
    potential_slice, flux_slice, dissipation_slice : ndarray, shape (rows, columns), or None
        Values on the middle plane; NaN or 0 outside the phase. Potential falls from 1 to 0,
        flux is the magnitude relative to an empty box, dissipation is relative to the phase mean.
    slice_axes : (str, str)
        Axes of the rows and of the columns, for example ("z", "x").
    voxel_size : (float, float)
        Edge length of a voxel along the rows and along the columns, in metres.
    """

    phase: str
    direction: str
    boundary: str
    interface: str
    numbers: Mapping[str, float | int | str]
    layer_flux: Array
    residual_history: tuple[float, ...] = ()
    potential_slice: Array | None = None
    flux_slice: Array | None = None
    dissipation_slice: Array | None = None
    slice_axes: tuple[str, str] = ("z", "x")
    voxel_size: tuple[float, float] = (1e-6, 1e-6)


@dataclass(frozen=True)
class ConvergenceView:
    """The same quantity on the grid of the image and on coarser ones.

    Parameters
    ----------
    phase, direction : str
    voxel_sizes : tuple of float
        Edge length of a voxel in metres, from fine to coarse.
    smooth, staircase : tuple of float
        Relative diffusivity with either interface convention, one value per voxel size; a value
        that was not computed is NaN.
    richardson : float or None
        First-order extrapolation of the staircase values to a vanishing voxel.
    discretisation : float
        Standard uncertainty that is charged to the grid, in the unit of the values.
    observed_order : float or None
        Order of convergence of the smooth values, when there are three grids.
    unresolved_interface : float or None
        Share (0 to 1) of the interface in features thinner than two voxels.
    sentence : str
        What it means, in words.
    """

    phase: str
    direction: str
    voxel_sizes: tuple[float, ...]
    smooth: tuple[float, ...]
    staircase: tuple[float, ...]
    richardson: float | None
    discretisation: float
    observed_order: float | None
    unresolved_interface: float | None
    sentence: str


@dataclass(frozen=True, eq=False)
class SamplingView:
    """How a quantity scatters between sub-volumes, and how the scatter falls with their size.

    Parameters
    ----------
    phase, direction, quantity : str
        What was computed in each sub-volume.
    edges : ndarray, shape (n,)
        Edge of the sub-volumes in metres (of the cube of equal volume if they are not cubes).
    means, stds : ndarray, shape (n,)
        Mean and standard deviation over the sub-volumes of each size.
    counts : ndarray of int, shape (n,)
        How many sub-volumes of each size.
    fitted_std : ndarray, shape (n,)
        The fitted law at the same edges.
    fraction_stds, fraction_stds_predicted : ndarray, shape (n,)
        Standard deviation of the volume fraction, measured and by the covariance; NaN if unknown.
    std_whole : float
        Standard deviation of the whole image as one sample, from the fitted law.
    volume_for : mapping of float to float or None
        Edge in metres of the cube that is needed for a relative standard error; None if unknown.
    sentence : str
        What it means, in words.
    """

    phase: str
    direction: str
    quantity: str
    edges: Array
    means: Array
    stds: Array
    counts: NDArray[np.integer[Any]]
    fitted_std: Array
    fraction_stds: Array
    fraction_stds_predicted: Array
    std_whole: float
    volume_for: Mapping[float, float | None]
    sentence: str


@dataclass(frozen=True, eq=False)
class StructureView:
    """How representative the image is of one phase.

    Parameters
    ----------
    phase : str
    fraction, fraction_std : float
        Volume fraction, and its standard deviation between images of this size.
    structure_length : float
        Cube root of the integral range in metres.
    scale_ratio : float
        Thickness over this length.
    volume_for : mapping of float to float
        Relative standard uncertainty of the fraction -> edge of the cube that reaches it (m).
    trend, trend_std : float
        Change of the fraction along z, and what chance makes of it.
    ratio, ratio_std : float or None
        Length of intercepts along z over that along y and x, and its standard uncertainty.
    sentences : tuple of str
        What it means, in words.
    """

    phase: str
    fraction: float
    fraction_std: float
    structure_length: float
    scale_ratio: float
    volume_for: Mapping[float, float]
    trend: float
    trend_std: float
    ratio: float | None
    ratio_std: float | None
    sentences: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ScanView:
    """How the labels were made from grey values, with pictures of the middle slice across z.

    Parameters
    ----------
    picture : ndarray, shape (ny, nx)
        Grey values as measured or as reconstructed.
    voxel_size : (float, float, float)
        Edges of a voxel along z, y and x in metres.
    labels : ndarray of uint8, shape (ny, nx)
    corrected : mapping of str to ndarray, shape (ny, nx)
        Grey values after each step of the corrections, in their order: drift, shading, rings.
    denoised : ndarray, shape (ny, nx), or None
        Grey values that the labels were made from, if they were denoised.
    certainty : ndarray, shape (ny, nx), or None
        Probability (0 to 1) of the most probable phase.
    gain, offset : ndarray, shape (nz,), or None
        Drift: relative error of the scale of each slice, and grey value that is added to it.
    rings : ndarray, shape (2, n), or None
        Grey value added at each distance (in voxels) from the rotation axis, in either half of
        the rings; mean over the slices.
    histogram, histogram_edges : ndarray, shape (n,) and (n + 1,)
        Counts of the grey values that the labels were made from.
    means, deviations : mapping of str to float
        Grey value of each phase, and its standard deviation away from interfaces.
    thresholds : tuple of float
        Grey values between the phases, if they were told apart by thresholds.
    known_fractions, found_fractions : mapping of str to float
        Volume fractions from the laboratory, and those that the grey values alone give; either
        may be empty.
    fraction_uncertainty : float or None
        Standard uncertainty of the known fractions.
    calibrated : bool
        Whether the known fractions went into the labels.
    sizes : mapping of str to float
        Size of each artefact that was removed, by step, in grey values.
    noise, label_noise : float or None
        Standard deviation of the noise within a phase after the corrections, and of white noise
        that matters as much for the labels; in grey values.
    blur : 3 floats or None
        Standard deviation of the response of the instrument along (z, y, x), in voxels.
    resolution : float or None
        Its full width at half maximum, in metres.
    contrast_to_noise : mapping of str to (float or None)
        By the names of two phases next to each other in grey, such as "pore/binder"; None where
        there is no noise.
    shares : mapping of str to (float or None)
        Shares (0 to 1) under the names between_class_variance, ambiguous, saturated,
        floating_pore, floating_solid.
    checks : tuple of mapping
        Each with name, value, limit and verdict.
    method : str
        "posterior", "thresholds" or "classifier".
    note : str
        What the reader must know about the segmentation; empty if there is nothing.
    reconstruction : mapping or None
        Numbers of the reconstruction where the volume comes from projections, under the names of
        `microtwin.imaging.Reconstruction`; any of them may be missing.
    """

    picture: Array
    voxel_size: tuple[float, float, float]
    labels: NDArray[np.uint8]
    corrected: Mapping[str, Array] = field(default_factory=dict)
    denoised: Array | None = None
    certainty: Array | None = None
    gain: Array | None = None
    offset: Array | None = None
    rings: Array | None = None
    histogram: NDArray[np.integer[Any]] | None = None
    histogram_edges: Array | None = None
    means: Mapping[str, float] = field(default_factory=dict)
    deviations: Mapping[str, float] = field(default_factory=dict)
    thresholds: tuple[float, ...] = ()
    known_fractions: Mapping[str, float] = field(default_factory=dict)
    found_fractions: Mapping[str, float] = field(default_factory=dict)
    fraction_uncertainty: float | None = None
    calibrated: bool = False
    sizes: Mapping[str, float] = field(default_factory=dict)
    noise: float | None = None
    label_noise: float | None = None
    blur: Sequence[float] | None = None
    resolution: float | None = None
    contrast_to_noise: Mapping[str, float | None] = field(default_factory=dict)
    shares: Mapping[str, float | None] = field(default_factory=dict)
    checks: tuple[Mapping[str, Any], ...] = ()
    method: str = "posterior"
    note: str = ""
    reconstruction: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class MembersView:
    """One quantity on plausible segmentations, in its unit.

    Parameters
    ----------
    name, of : str
        Name of the quantity, and what it is of: a phase, or a phase and a direction.
    whole : float
        Value of the labels that were chosen.
    members : tuple of float
        Value of each plausible segmentation.
    spread, shift : float
        Standard deviation of the members, and their mean less the value of the chosen labels.
    bias : float or None
        Difference between answer and truth in rehearsals of the segmentation.
    model : float or None
        Difference between the labels of other models and the chosen ones.
    uncertainty : float
        Standard uncertainty from the four.
    """

    name: str
    of: str
    whole: float
    members: tuple[float, ...]
    spread: float
    shift: float
    bias: float | None
    model: float | None
    uncertainty: float


@dataclass(frozen=True)
class SegmentationView:
    """What the study computes, on every plausible segmentation of its scan.

    Parameters
    ----------
    quantities : tuple of MembersView
    sentence : str
        What was done, in words.
    """

    quantities: tuple[MembersView, ...]
    sentence: str


@dataclass(frozen=True, eq=False)
class CellView:
    """The imaged electrode in a cell model.

    Parameters
    ----------
    numbers : mapping
        parameters (by name: value, unit, uncertainty, source), bruggeman_exponent,
        guessed_exponent, nominal (A h/m^2), interface_utilisation, image_height (m), notes.
        Exponents and nominal are None where the electrode does not conduct; where nothing can
        react there are no parameters either.
    parameters : mapping
        As in the study file.
    rates : ndarray, shape (6, n), or None
        C-rate, capacity (A h/m^2), the same with the transport efficiency lowered and raised, with
        the exponent of the set, and of spheres whose whole surface is the free one. None where the
        electrode does not conduct.
    """

    numbers: Mapping[str, Any]
    parameters: Mapping[str, Any]
    rates: Array | None


@dataclass(frozen=True, eq=False)
class HalfCellView:
    """A discharge of the electrode against lithium.

    Parameters
    ----------
    numbers : mapping
        discharge_capacity (A h/m^2), capacity_utilisation, mean_voltage (V), discharge_energy
        (W h/m^2), inactive_active_fraction, plating_area_fraction, ended, complete, steps,
        inactive (mapping),
        capacity_of_image (A h/m^2), stoichiometries, material, electrolyte, balance,
        discretisation (mapping) and, if it was run on larger voxels, voltage_difference (V).
    parameters : mapping
        As in the study file, with c_rate.
    arrays : mapping of str to ndarray
        curve, shape (4, n): time (s), voltage (V), charge (A h/m^2), mean stoichiometry; losses,
        shape (n, 7), in V; planes, shape (k, nz, nx), stoichiometry in the middle plane across y at
        the records kept_at; salt (mol/m^3) and current_plane (A/m^2 of the picture), shape (nz,
        nx), at the end; profiles, shape (k, 4, nz): depth (m), stoichiometry, salt (mol/m^3),
        current (A/m^3); particles, shape (3, p): volume (m^3), stoichiometry, depth (m).
    coarse : ndarray or None
        The curve on voxels twice as large.
    movie : bytes or None
        GIF.
    """

    numbers: Mapping[str, Any]
    parameters: Mapping[str, Any]
    arrays: Mapping[str, Array]
    coarse: Array | None
    movie: bytes | None


@dataclass(frozen=True, eq=False)
class ImpedanceView:
    """The impedance of the electrode in a symmetric cell that blocks the reaction.

    Parameters
    ----------
    numbers : mapping
        ionic_resistance (ohm m^2), impedance_tortuosity_factor, tortuosity_factor of steady
        diffusion and fitted_ionic_resistance (ohm m^2), None where there is none,
        areal_capacitance (F/m^2), characteristic_frequency (Hz), connected_fraction, thickness
        (m), steady_volume_fraction, discretisation (mapping).
    parameters : mapping
        As in the study file, with the interface.
    spectrum, line : ndarray, shape (3, n)
        Frequency (Hz), real and imaginary part (ohm m^2), from the highest frequency on; of the
        image, and of a transmission line with the same resistance and capacitance.
    """

    numbers: Mapping[str, Any]
    parameters: Mapping[str, Any]
    spectrum: Array
    line: Array


@dataclass(frozen=True, eq=False)
class HalfCellImpedanceView:
    """The impedance of a half cell at rest at one stoichiometry.

    Parameters
    ----------
    numbers : mapping
        cell_resistance, charge_transfer_resistance and lithium_resistance (ohm m^2),
        stoichiometry, open_circuit_voltage (V), material, electrolyte, discretisation (mapping).
    parameters : mapping
        As in the study file, with the stoichiometry.
    spectrum : ndarray, shape (3, n)
        As in `ImpedanceView`.
    coarse : ndarray or None
        The same on voxels twice as large.
    """

    numbers: Mapping[str, Any]
    parameters: Mapping[str, Any]
    spectrum: Array
    coarse: Array | None


@dataclass(frozen=True, eq=False)
class ReactionView:
    """The reaction on the interface, its hot spots, and pictures of both.

    Parameters
    ----------
    numbers : mapping
        reacting_surface (1/m), blocked_surface_fraction, interface_current_density and
        current_deviation (A/m^2), volumetric_current (A/m^3), current_concentration_ratio,
        hot_spot_current_fraction, hot_spot_area_fraction, threshold (A/m^2), count. Lists: spots
        (place, diameter, mean current density, share of the current). Mapping: scales, by pair.
    parameters : mapping
        As in the study file.
    plane : ndarray, shape (nz, nx)
        Current density of the interface in the middle plane across y, NaN where there is none.
    through : ndarray, shape (nz, nx)
        Current seen along y, per area of the picture.
    profile : ndarray, shape (nz,)
        Share of the current in each layer.
    edges : ndarray, shape (n + 1,)
        Magnitudes of the current density that divide the area in classes.
    shares : ndarray, shape (n,)
        Of the area, in each class.
    """

    numbers: Mapping[str, Any]
    parameters: Mapping[str, Any]
    plane: Array
    through: Array
    profile: Array
    edges: Array
    shares: Array


@dataclass(frozen=True, eq=False)
class FlowView:
    """Viscous flow through one phase in one direction, and what it carries.

    Parameters
    ----------
    numbers : mapping
        phase, direction, boundary, interface, message, percolates, iterations, residual,
        flux_spread, largest_divergence, fractions, coarse_problem; quantities (name, condition,
        value, unit, change on larger voxels); dispersion, breakthrough and filling, or None.
    slice_axes : (str, str)
        Axes of the rows and columns of the pictures.
    voxel_size : (float, float)
        Along them, in m.
    speed : ndarray of 2 dimensions, optional
        Magnitude of the velocity in the middle plane over its mean in the pores; NaN in solids.
    pressure : ndarray of 2 dimensions, optional
        In the same plane, from 1 to 0.
    curve : ndarray, shape (3, n), optional
        Time (s), pore volumes and concentration of a breakthrough curve.
    tracer : ndarray of 3 dimensions, optional
        Concentration in the plane at the times ``numbers["breakthrough"]["snapshot_times"]``.
    """

    numbers: Mapping[str, Any]
    slice_axes: tuple[str, str]
    voxel_size: tuple[float, float]
    speed: Array | None
    pressure: Array | None
    curve: Array | None
    tracer: Array | None


@dataclass(frozen=True, eq=False)
class UptakeView:
    """Species that diffuse and react, and what is left of them.

    Parameters
    ----------
    numbers : mapping
        shown (the input in SI units), species (inflow, made, stored, balance, unsupplied), left
        (species, phase, and lowest, mean and highest concentration), viability (fractions, rim
        and distance as percentiles, cores) or None, coarse_problem, and over time columns.
    scales : sequence of (str, float, str)
        Name of each species, and factor and unit in which its concentration is shown.
    planes : sequence of ndarray, shape (rows, columns)
        Concentration of each species in the middle plane across ``numbers["shown"]["across"]``, in
        mol/m^3.
    by_distance : ndarray, shape (n, 5), optional
        Distance from the source (m), share of the volume, and 5th, 50th and 95th percentile of the
        concentration there.
    rim : ndarray, shape (m,)
        Thickness of the viable rim where cores begin, in m.
    course : ndarray, shape (columns, steps), optional
        Time and amounts, see ``numbers["columns"]``.
    frames : sequence of ndarray, shape (times, rows, columns)
        The same at equal steps in time; empty if steady.
    """

    numbers: Mapping[str, Any]
    scales: Sequence[tuple[str, float, str]]
    planes: Sequence[Array]
    by_distance: Array | None
    rim: Array
    course: Array | None
    frames: Sequence[Array]


@dataclass(frozen=True, eq=False)
class MechanicsView:
    """Swelling of the image, the stress in it, and what fails.

    Parameters
    ----------
    numbers : mapping
        averaging_length and widest_gap (m), mean_strain and mean_stress (Pa), floating, iterations.
        failing: share, and the share with the whole field lower and higher, by quantity. cracks is
        None, or has particles, cracking (how many) and a list nearest. curves: by name, factors
        on the strength and shares of the binder.
    parameters : mapping
        As in the study file, in SI units.
    von_mises : ndarray, shape (nz, ny, nx)
        Averaged within each phase, in Pa.
    distributions : mapping of str to StressDistribution
        Of the von Mises stress, by phase.
    loads : LigamentLoads or None
        Ligaments and contacts, if there are any.
    binder_index : ndarray, shape (nz, ny, nx), or None
        Stress over strength of the binder, where its strength is known.
    """

    numbers: Mapping[str, Any]
    parameters: Mapping[str, Any]
    von_mises: Array
    distributions: Mapping[str, StressDistribution]
    loads: LigamentLoads | None
    binder_index: Array | None


@dataclass(frozen=True, eq=False)
class MechanicsAlongView:
    """Stress at some states of a discharge.

    Parameters
    ----------
    numbers : mapping
        averaging_length (m), reference (stoichiometry), strains and iterations of the states, and
        states: rows with name, phase, direction, condition, unit and values, one for each state.
    parameters : mapping
        As in the study file, in SI units, with along.active and along.c_rate.
    curve : ndarray, shape (4, n)
        Time (s), voltage (V), charge (A h/m^2) and mean stoichiometry of the discharge.
    states_at : ndarray of int, shape (k,)
        Steps of the discharge.
    movie : bytes or None
        GIF.
    """

    numbers: Mapping[str, Any]
    parameters: Mapping[str, Any]
    curve: Array
    states_at: NDArray[np.integer[Any]]
    movie: bytes | None

    @property
    def charge(self) -> Array:
        """Of each state, in A h/m^2."""
        found: Array = self.curve[2, self.states_at]
        return found

    @property
    def phases(self) -> set[str]:
        """Phases that bear stress."""
        return {row["phase"] for row in self.numbers["states"] if row["phase"] is not None}

    def values(
        self,
        name: str,
        *,
        phase: str | None = None,
        direction: str | None = None,
        condition: str | None = None,
    ) -> Array | None:
        """Return a quantity at each state, NaN where it is not known; None if there is none."""
        of = {"name": name, "phase": phase, "direction": direction, "condition": condition}
        for row in self.numbers["states"]:
            if all(row[key] == value for key, value in of.items()):
                return np.array(row["values"], float)
        return None


@dataclass(frozen=True)
class StiffnessView:
    """The stiffness of the image as a whole.

    Parameters
    ----------
    numbers : mapping
        bounds: lowest and highest modulus in Pa by kind and quantity; stiffness, shape (6, 6), in
        Pa; or problem, which says why there is none.
    """

    numbers: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class MeshView:
    """A mesh, its quality and pictures of it.

    Parameters
    ----------
    numbers : mapping
        cells, vertices, smallest_angle, size (m), window (low and high end of the block that is
        shown, in m along z, y, x), and by phase or pair of phases: volume_fractions and
        interface_areas (in the mesh, and as they should be), together.
        Lists: angle_quantiles, aspect_quantiles and jacobian_quantiles (share, value), worst
        (place, angle, phase), torn (phase, place).
    checks : tuple of mapping
        Each with name, value, limit and verdict.
    section : ndarray, shape (k, 4, 2)
        Polygons in which the middle plane cuts tetrahedra, along z and x in metres.
    section_phase : ndarray of int, shape (k,)
        Number of the phase of each.
    block : ndarray, shape (f, 3, 3)
        Outer triangles of a block with a corner taken away, (z, y, x) in metres.
    block_phase : ndarray of int, shape (f,)
    angle_counts : ndarray of int, shape (71,)
        Smallest dihedral angles of tetrahedra at interfaces, by degree.
    phases : tuple of str
        Names by number.
    comparisons : tuple of mapping
        Transport on voxels and meshes: phase, direction, voxel_sizes, on_voxels, mesh_sizes,
        on_mesh, extrapolated, errors, difference, sentence.
    """

    numbers: Mapping[str, Any]
    checks: tuple[Mapping[str, Any], ...]
    section: Array
    section_phase: NDArray[np.integer[Any]]
    block: Array
    block_phase: NDArray[np.integer[Any]]
    angle_counts: NDArray[np.integer[Any]]
    phases: tuple[str, ...]
    comparisons: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, eq=False)
class ReportData:
    """Everything that `write_report` shows.

    Parameters
    ----------
    title : str
        Heading of the report; any text.
    results : dict
        Content of results.json; its list ``quantities`` fills the table of results.
    study_text : str
        The study file as it was run.
    micro : Microstructure
        The labelled image.
    transport : tuple of TransportView
    tensors : tuple of dict
        Each with name, tensor (3 x 3, order z, y, x), principal_values, principal_directions
        (columns), anisotropy_ratio and unit.
    convergence : tuple of ConvergenceView
    structure : tuple of StructureView
    sampling : tuple of SamplingView
    records : tuple of dict
        One per stage that was run: stage, key, seconds, peak_memory_bytes, versions, checks.
    descriptors : dict or None
        Names and a value for each phase. A unit may follow the name in square brackets.
    curves : mapping or None
        Abscissae and ordinates by phase, under the names local_thickness (m, share above),
        chords_z, chords_y, chords_x (m, 1/m) and two_point (m, probability).
    made : str
        How a virtual microstructure came out, in a sentence; empty for an image.
    scan : ScanView or None
        How the labels were made; None for a study that starts from labels.
    segmentation : SegmentationView or None
        Results on plausible segmentations, if they were computed.
    mesh : MeshView or None
        The mesh, if one was made.
    reaction : ReactionView or None
        The reaction on the interface, if it was computed.
    flows : sequence of FlowView
        Viscous flows, by direction.
    uptake : UptakeView or None
        Species that diffuse and react, if they were computed.
    cell : CellView or None
        The electrode in a cell model, if that was asked for.
    half_cells : tuple of HalfCellView
        Discharges against lithium.
    impedance : ImpedanceView or None
        The impedance of the symmetric cell, if it was computed.
    half_cell_impedances : tuple of HalfCellImpedanceView
        Impedances against lithium.
    mechanics : MechanicsView or None
        Swelling and stress, if they were computed.
    mechanics_along : tuple of MechanicsAlongView
        Stress along discharges.
    stiffness : StiffnessView or None
        The effective stiffness, if it was computed.
    """

    title: str
    results: dict[str, Any]
    study_text: str
    micro: Microstructure
    transport: tuple[TransportView, ...] = ()
    tensors: tuple[dict[str, Any], ...] = ()
    convergence: tuple[ConvergenceView, ...] = ()
    structure: tuple[StructureView, ...] = ()
    sampling: tuple[SamplingView, ...] = ()
    records: tuple[dict[str, Any], ...] = ()
    descriptors: dict[str, Any] | None = None
    curves: Mapping[str, Mapping[str, Sequence[Sequence[float]]]] | None = None
    made: str = ""
    scan: ScanView | None = None
    segmentation: SegmentationView | None = None
    mesh: MeshView | None = None
    reaction: ReactionView | None = None
    flows: Sequence[FlowView] = ()
    uptake: UptakeView | None = None
    cell: CellView | None = None
    half_cells: tuple[HalfCellView, ...] = ()
    impedance: ImpedanceView | None = None
    half_cell_impedances: tuple[HalfCellImpedanceView, ...] = ()
    mechanics: MechanicsView | None = None
    mechanics_along: tuple[MechanicsAlongView, ...] = ()
    stiffness: StiffnessView | None = None
