"""Studies in which phases swell, from the file to the report."""

from __future__ import annotations

import csv
import json

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

import microtwin as mt
from microtwin.cli.app import app
from microtwin.meshing import BOX_FACES
from microtwin.study import estimate_cost, read_study
from microtwin.study.errors import StudyError
from microtwin.study.estimate import BYTES_FIXED, BYTES_PER_VOXEL_MECHANICS
from microtwin.study.mechanics_budget import between_octants, halved, on_larger_voxels
from microtwin.study.mechanics_sections import free_components
from microtwin.study.mechanics_stage import MECHANICS_UNITS
from microtwin.study.reading import parse_study
from microtwin.study.stiffness_stage import STIFFNESS_UNITS
from microtwin.study.template import study_text

STUDY = """\
name: swelling
image:
  path: labels.npy
  voxel_size: 400 nm
  phases: {pore: 0, active: 1, binder: 2}
descriptors: false
uncertainty: {sampling: false}
output: {fields: false}
mechanics:
  materials:
    active: {young: 100 GPa, poisson: 0.25}
    binder: {young: 2 GPa, poisson: 0.35}
  swelling: {active: 0.01}
"""
STRENGTH = """\
  strength:
    binder: {tensile: 60 MPa, compressive: 180 MPa}
    particles: {toughness: 1 MPa m^0.5, flaw: 0.4 um}
    interface: {normal: 40 MPa, shear: 40 MPa}
    scatter: 0.2
    field_error: 0.15
"""
LENGTH = 1.6e-6
SOLIDS = {
    "active": mt.mechanics.isotropic(100e9, 0.25),
    "binder": mt.mechanics.isotropic(2e9, 0.35),
}
PLATES = {
    "faces": dict.fromkeys(BOX_FACES, "roller"),
    "mean_strain": [np.nan, 0.0, 0.0, np.nan, np.nan, np.nan],
}


@pytest.fixture(scope="module")
def micro():
    particles = mt.generation.ParticleType(2.4e-6)
    return mt.generation.electrode(
        16, 4e-7, porosity=0.3, binder_fraction=0.2, particles=particles, seed=3
    ).micro


def prepare(folder, micro, text):
    np.save(folder / "labels.npy", micro.labels)
    (folder / "study.yaml").write_text(text)
    return folder / "study.yaml"


def invoke(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


def run(folder, micro, text):
    """Return the quantities by name, phase, direction and condition; the report; the output."""
    study = prepare(folder, micro, text)
    result = invoke("run", study, "--into", folder / "run")
    assert result.exit_code == 0, result.output
    found = json.loads((folder / "run" / "results.json").read_text())["quantities"]
    report = (folder / "run" / "report.html").read_text(encoding="utf-8")
    keys = ("name", "phase", "direction", "condition")
    return {tuple(q[key] for key in keys): q for q in found}, report, result.output


@pytest.fixture(scope="module")
def ran(tmp_path_factory, micro):
    folder = tmp_path_factory.mktemp("swelling")
    text = STUDY.replace("{sampling: false}", "{sampling: true}").replace("fields: false", "")
    return folder, *run(folder, micro, text.replace("{}", "{fields: true}") + STRENGTH)


@pytest.fixture(scope="module")
def expected(micro):
    return mt.mechanics.solve_swelling(micro, SOLIDS, {"active": 0.01}, tol=1e-4, **PLATES)


def value(found, name, phase=None, direction=None, condition=None):
    return found[name, phase, direction, condition]["value"]


def test_interfaces_may_be_staircases(ran, tmp_path, micro, expected):
    _, _, report, _ = ran
    assert "interfaces that cut voxels" in report
    text = STUDY.replace("  swelling:", "  interface: voxel\n  swelling:")
    found, report, _ = run(tmp_path, micro, text)
    stairs = mt.mechanics.solve_swelling(
        micro, SOLIDS, {"active": 0.01}, tol=1e-4, interface="voxel", **PLATES
    )
    assert value(found, "swelling_strain", direction="z") == pytest.approx(stairs.mean_strain[0])
    assert abs(stairs.mean_strain[0] / expected.mean_strain[0] - 1.0) > 1e-3
    assert "interfaces that cut voxels" not in report


def test_the_numbers_are_those_of_the_functions(ran, micro, expected):
    _, found, _, output = ran
    strain = expected.mean_strain[0]
    assert value(found, "swelling_strain", direction="z") == pytest.approx(strain)
    change = mt.mechanics.thickness_change(expected.mean_strain, micro.extent[0])
    assert value(found, "thickness_change", direction="z") == pytest.approx(change)
    assert value(found, "mean_stress", direction="xx") == pytest.approx(expected.mean_stress[2])
    assert ("mean_stress", None, "zz", None) not in found
    assert value(found, "elastic_energy_density") == pytest.approx(expected.energy)
    table = mt.mechanics.phase_distributions(
        micro, expected.stress, ["binder"], measure="maximum_principal", length=LENGTH
    )
    high = value(found, "maximum_principal_stress", "binder", condition="95th percentile")
    assert high == pytest.approx(table["binder"].percentiles[0.95])
    units = MECHANICS_UNITS | STIFFNESS_UNITS
    mechanical = {of: q for of, q in found.items() if of[0] in units}
    assert {of[0] for of in mechanical} == set(units)
    assert all(q["unit"] == units[of[0]] for of, q in mechanical.items())
    assert "swelling strain" in output and "young modulus" in output


def test_what_fails_is_that_of_the_functions(ran, micro, expected):
    _, found, _, _ = ran
    mech = mt.mechanics
    binder = micro.mask("binder")
    averaged = mech.averaged_stress(expected.stress, binder, LENGTH, micro.voxel_size)[:, binder]
    index = mech.drucker_prager_index(averaged, mech.drucker_prager_strengths(60e6, 180e6))
    scatter = mech.LognormalStrength(0.2)
    share = mech.exceedance_probability(index, strength=scatter, field_error=0.15).share
    assert 0.01 < share < 0.99
    assert value(found, "failing_binder_fraction") == pytest.approx(share, rel=1e-5)
    forces = mech.interface_tractions(micro, expected.stress, ("active", "binder"), length=LENGTH)
    apart = mech.debonding_index(
        forces.normal, forces.shear, normal_strength=40e6, shear_strength=40e6
    )
    share = mech.exceedance_probability(apart, forces.area, strength=scatter, field_error=0.15)
    assert value(found, "debonding_area_fraction") == pytest.approx(share.share, rel=1e-5)
    particles = mt.imaging.separate_particles(micro, "active").labels
    cracks = mech.particle_cracking(
        particles, expected.stress, SOLIDS["active"], micro.voxel_size,
        toughness=1e6, flaw=4e-7, length=LENGTH,
    )  # fmt: skip
    both = np.minimum(cracks.flaw_index, cracks.energy_index)
    share = mech.exceedance_probability(both, cracks.volume, strength=scatter, field_error=0.15)
    assert value(found, "cracking_particle_fraction") == pytest.approx(share.share, rel=1e-4)


def test_the_budget_is_that_of_coarser_voxels_and_of_octants(ran, micro, expected):
    _, found, _, _ = ran
    mech = mt.mechanics

    def strain(image):
        case = {**PLATES, "tol": 1e-3}
        return mech.solve_swelling(image, SOLIDS, {"active": 0.01}, **case).mean_strain[0]

    terms = found["swelling_strain", None, "z", None]["uncertainty"]
    change = abs(expected.mean_strain[0] - strain(micro.coarsen(2)))
    assert terms["discretisation"] == pytest.approx(change, rel=1e-6)
    half = (slice(0, 8), slice(8, 16))
    parts = [strain(micro.crop(z=z, y=y, x=x)) for z in half for y in half for x in half]
    assert terms["sampling"] == pytest.approx(np.std(parts, ddof=1) / np.sqrt(8), rel=1e-6)
    thickness = found["thickness_change", None, "z", None]["uncertainty"]
    assert thickness["sampling"] == pytest.approx(terms["sampling"] * micro.extent[0])


def test_the_checks_are_on_the_first_quantity(ran):
    _, found, _, _ = ran
    checks = {c["name"]: c for c in found["swelling_strain", None, "z", None]["checks"]}
    for name in ("residual", "mean_stress_as_given", "unheld_solid"):
        assert checks[name]["verdict"] == "pass"
    assert checks["percentiles_settle"]["limit"] == 0.1
    moduli = {c["name"]: c for c in found["young_modulus", None, "z", None]["checks"]}
    assert moduli["stiffness_below_voigt"]["verdict"] == "pass"
    assert 0.0 < moduli["bulk_modulus_below_hashin_shtrikman"]["value"] < 1.0


def test_the_stiffness_is_that_of_the_function(ran, micro):
    _, found, report, _ = ran
    constants = mt.mechanics.effective_stiffness(micro, SOLIDS, tol=1e-4).constants
    for axis, young in zip("zyx", constants.young, strict=True):
        assert value(found, "young_modulus", direction=axis) == pytest.approx(young)
    assert value(found, "shear_modulus", direction="zy") == pytest.approx(constants.shear[2])
    assert "Hashin and Shtrikman" in report and 'alt="Moduli of the image' in report


def test_bounds_without_void_are_those_of_the_functions(tmp_path, micro):
    """The columns of the table are in the order of their heads."""
    full = mt.Microstructure(
        np.where(micro.labels == 0, 2, micro.labels), micro.voxel_size, micro.phases
    )
    _, report, _ = run(tmp_path, full, STUDY)
    f = [full.mask("active").mean(), full.mask("binder").mean()]
    voigt, reuss = mt.mechanics.voigt_reuss(list(SOLIDS.values()), f)
    wide = f"{reuss.bulk_modulus / 1e9:.2f} to {voigt.bulk_modulus / 1e9:.1f}"
    k, _ = mt.mechanics.hashin_shtrikman(
        [s.bulk_modulus for s in SOLIDS.values()], [s.shear_modulus for s in SOLIDS.values()], f
    )
    narrow = f"{k[0] / 1e9:.2f} to {k[1] / 1e9:.1f}"
    row = report[report.index(">Bulk modulus</th><td>all<") :]
    assert 0 < row.index(wide) < row.index(narrow)


def test_the_report_shows_stress_ligaments_and_what_fails(ran):
    _, _, report, _ = ran
    for words in (
        "Swelling and stress",
        "active has a Young's modulus of 100 GPa",
        "The electrode becomes thicker by",
        # A quarter of the diameter on voxels, which is 2.4 um before.
        "no more than 594\u00a0nm apart",
        "flat plates at both ends of z",
        "averaged over 1.6\u00a0µm",
        'alt="Von Mises stress of each phase in a plane',
        'alt="Distribution of the von Mises stress',
        'alt="Ligaments of binder with the highest loads',
        'alt="Failure index in a plane',
        "The particles that are nearest to cracking",
        "Whole field 15\u00a0% lower to higher",
        "nothing cracks, yields or comes off",
    ):
        assert words in report, words


def test_ligaments_and_fields_are_exported(ran, micro, expected):
    folder = ran[0]
    result = invoke("export", folder / "study.yaml", "--into", folder / "run", "--to", folder / "x")
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader((folder / "x" / "study-ligaments.csv").open()))
    loads = [float(row["peak_von_mises_Pa"]) for row in rows]
    assert len(rows) > 3 and loads == sorted(loads, reverse=True)
    with h5py.File(folder / "x" / "study-mechanics.vtkhdf") as file:
        cells = file["VTKHDF/CellData"]
        assert np.allclose(cells["von_mises"][:], expected.von_mises)
        assert cells["ligament"][:].max() == len(rows)
        # Components are (x, y, z). The plates carry the image along: its last layer, less half
        # a voxel, moves with the mean strain.
        moved = cells["displacement"][:]
        assert moved.shape == (*micro.shape, 3)
        top = moved[-1, ..., 2].mean() - moved[0, ..., 2].mean()
    grown = expected.mean_strain[0] * micro.extent[0]
    assert top == pytest.approx(grown, rel=0.15)


def test_the_report_can_be_written_anew(ran):
    folder, _, report, _ = ran
    assert invoke("report", folder / "study.yaml", "--into", folder / "run").exit_code == 0
    assert (folder / "run" / "report.html").read_text(encoding="utf-8") == report


def test_a_free_face_moves_with_its_solid(tmp_path, micro):
    faces = {"z_low": "clamped", "z_high": {"pressure": 1e6}}
    text = STUDY + "  faces: {z_low: clamped, z_high: {pressure: 1 MPa}}\n  stiffness: false\n"
    found, report, _ = run(tmp_path, micro, text + "  ligaments: 0\n")
    expected = mt.mechanics.solve_swelling(
        micro, SOLIDS, {"active": 0.01}, faces=faces, tol=1e-4
    )  # fmt: skip
    solid = micro.labels[-1] > 0
    top = expected.displacement[0, -1]
    corners = top + np.roll(top, -1, 0) + np.roll(top, -1, 1) + np.roll(top, -1, (0, 1))
    growth = corners[solid].mean() / 4 / micro.extent[0]
    assert value(found, "swelling_strain", direction="z") == pytest.approx(growth)
    # Along y and x the image repeats itself and is free.
    strain = expected.mean_strain[1]
    assert value(found, "swelling_strain", direction="y") == pytest.approx(strain)
    assert "z_high pushed inwards by 1.00 MPa" in report
    assert "young_modulus" not in {of[0] for of in found}
    assert "Ligaments were not looked for" in report


def test_pressure_on_the_plates_makes_the_electrode_thinner(tmp_path, micro, expected):
    text = STUDY + "  mean_stress: {zz: -200 MPa}\n  stiffness: false\n  tol: 1.0e-5\n"
    found, report, _ = run(tmp_path, micro, text.replace("0.01", "[0.01, 0.01, 0.01, 0, 0, 0]"))
    assert value(found, "swelling_strain", direction="z") < expected.mean_strain[0] - 0.002
    assert "mean stress zz of \u2212200 MPa" in report


def test_a_coarse_image_in_which_nothing_holds_together_keeps_the_results(tmp_path):
    """Rods one voxel thick vanish on larger voxels, and a block stays that touches nothing."""
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[:, 4, 4], labels[4, :, 4], labels[4, 4, :] = 1, 1, 1
    labels[:2, :2, :2] = 1
    micro = mt.Microstructure(labels, 4e-7, {"pore": 0, "active": 1, "binder": 2})
    assert 0 < (micro.coarsen(2).labels == 1).mean() < 1
    found, report, _ = run(tmp_path, micro, STUDY)
    terms = found["young_modulus", None, "z", None]["uncertainty"]
    assert value(found, "young_modulus", direction="z") > 1e8
    assert terms["discretisation"] is None
    assert found["elastic_energy_density", None, None, None]["uncertainty"]["discretisation"] > 0.0
    assert "on voxels twice as large, what is solid does not hold together" in report


def test_a_solid_that_vanishes_on_larger_voxels_keeps_the_results(tmp_path):
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[:, 4, 4] = 1
    micro = mt.Microstructure(labels, 4e-7, {"pore": 0, "active": 1, "binder": 2})
    found, report, _ = run(tmp_path, micro, STUDY)
    assert value(found, "swelling_strain", direction="z") == pytest.approx(0.01, rel=1e-3)
    assert found["swelling_strain", None, "z", None]["uncertainty"]["discretisation"] is None
    assert "on voxels twice as large, no phase of the image has a material" in report


def test_an_image_that_does_not_hold_together_swells_but_has_no_stiffness(tmp_path):
    labels = np.zeros((16, 16, 16), np.uint8)
    labels[4:12, 4:12, 4:12] = 1
    micro = mt.Microstructure(labels, 4e-7, {"pore": 0, "active": 1, "binder": 2})
    found, report, output = run(tmp_path, micro, STUDY.replace("sampling: false", ""))
    assert value(found, "elastic_energy_density") == pytest.approx(0.0, abs=1.0)
    assert found["bulk_modulus", None, None, None]["text"].startswith("no effective stiffness")
    assert "There is no effective stiffness" in report and "infinite" not in output
    assert value(found, "unheld_solid") == 1.0
    assert found["swelling_strain", None, "z", None]["checks"][2]["verdict"] == "warn"
    assert "No binder joins two particles" in report


@pytest.mark.parametrize("faces", ["electrode", "periodic"])
def test_a_mean_stress_that_nothing_carries_is_refused(tmp_path, faces):
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[2:6, 2:6] = 1
    micro = mt.Microstructure(labels, 4e-7, {"pore": 0, "active": 1, "binder": 2})
    text = f"{STUDY}  faces: {faces}\n  mean_stress: {{zz: -1 MPa}}\n"
    result = invoke("run", prepare(tmp_path, micro, text))
    assert isinstance(result.exception, StudyError)
    words = "stage mechanics: no solid leads through the image along z, so nothing carries the mean"
    assert words in str(result.exception)


@pytest.mark.parametrize("key", ["averaging_length", "widest_gap"])
def test_lengths_below_a_voxel_are_refused(tmp_path, micro, key):
    text = f"{STUDY}  {key}: 0.3 um\n"
    result = invoke("run", prepare(tmp_path, micro, text))
    assert f"mechanics.{key} is 3e-07 m, and below the edge of a voxel" in str(result.exception)


def test_what_stands_in_the_way_of_the_budget_is_said(micro):
    def refuse(image, note):
        raise ValueError(f"no{note}")

    assert on_larger_voxels(micro, {}, refuse) == ({}, "no, on larger voxels")
    assert between_octants(micro, refuse) == ({}, "in one of the eight parts, no, part 1 of 8")
    small = micro.crop(z=slice(0, 15))
    assert between_octants(small, refuse)[1] == "the image is shorter than 16 voxels along one axis"


def test_displacements_of_faces_are_halved_with_the_box():
    faces = {"z_low": "roller", "z_high": {"displacement": 2e-7}, "y_low": {"pressure": 1e6}}
    assert halved(faces) == faces | {"z_high": {"displacement": 1e-7}}
    assert halved("electrode") == "electrode"


@pytest.mark.parametrize(
    ("faces", "strain", "free"),
    [
        ("electrode", None, {"zz"}),
        ("electrode", {"zz": 0.0}, {"yy", "xx"}),
        ("periodic", None, {"zz", "yy", "xx", "yx", "zx", "zy"}),
        ("periodic", {"zz": 0.01, "yx": 0.0}, {"yy", "xx", "zx", "zy"}),
        ({"z_low": "roller", "z_high": "roller"}, None, {"yy", "xx", "yx"}),
        ({"z_low": "roller", "z_high": "roller"}, {"yx": 0.0}, {"zz", "yy", "xx"}),
        ({"z_low": "clamped"}, {"yx": 0.0}, {"yy", "xx"}),
    ],
)
def test_which_components_are_free(faces, strain, free):
    """The solver says the same: a mean stress moves what is free, and nothing else."""
    from microtwin.mechanics.voxel_input import boundary
    from microtwin.study.mechanics_sections import COMPONENTS, conditions, held_strain

    assert free_components(faces, strain) == free
    given = boundary(conditions(faces), held_strain(faces, strain), None)
    assert {name for name, own in zip(COMPONENTS, given.free, strict=True) if own} == free


def test_memory_and_time_are_estimated(tmp_path, micro):
    study = prepare(tmp_path, micro, STUDY)
    with_stiffness = estimate_cost(read_study(study))
    assert with_stiffness.memory_bytes == BYTES_FIXED + BYTES_PER_VOXEL_MECHANICS * 16**3
    study.write_text(STUDY + "  stiffness: false\n")
    assert estimate_cost(read_study(study)).seconds < with_stiffness.seconds


def test_the_section_of_a_new_study_is_valid():
    text = study_text("s", "i.tif", "1 um", {"pore": 0, "active": 1, "binder": 2})
    start = text.index("# mechanics:")
    end = text.index("\n\n", start)
    bare = "\n".join(line[2:] for line in text[start:end].splitlines())
    study = parse_study(text[:start] + bare + text[end:])
    assert study.mechanics is not None and study.mechanics.swelling == {"active": 0.01}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("100 GPa", "-100 GPa", "mechanics.materials.active.young: a Young's modulus of -1e+11 Pa"),
        ("100 GPa", "100", 'write the unit, "100 GPa"'),
        ("100 GPa", "100 um", "has a unit that is no Young's modulus"),
        ("poisson: 0.25", "poisson: 0.5", "materials.active.poisson: input should be less than"),
        ("    binder: {", "    glue: {", "phase 'glue' is not in image.phases"),
        ("{active: 0.01}", "{pore: 0.01}", "'pore' swells but has no material; give it one"),
        ("{active: 0.01}", "{active: [0.01, 0]}", "or six components in the order zz, yy, xx"),
        ("{active: 0.01}", "{active: 2}", "strains are from -1 to 1"),
        ("{active: 0.01}", "{active: 0}", "nothing swells and nothing presses"),
        (
            "0.01}",
            "0.01}\n  faces: {top: free}",
            "faces.top: there is no face 'top'; faces are z_low",
        ),
        ("0.01}", "0.01}\n  faces: {z_hihg: free}", "did you mean 'z_high'?"),
        ("0.01}", "0.01}\n  faces: {z_low: glued}", "face z_low cannot be 'glued'; write free"),
        ("0.01}", "0.01}\n  faces: walls", "'walls' is not allowed; write electrode, periodic"),
        ("0.01}", "0.01}\n  mean_stress: {yy: 1 MPa}", "nothing carries a mean stress yy"),
        ("0.01}", "0.01}\n  mean_stress: {xz: 1 MPa}", "'xz' is no component; they are zz"),
        ("0.01}", "0.01}\n  mean_strain: {yx: 0.01}", "mean_strain.yx: yx belongs to an axis"),
        ("0.01}", "0.01}\n  mean_strain: {zz: .nan}", "a strain is a finite number"),
        ("0.01}", "0.01}\n  particles: pore", "'pore' bears no stress"),
        ("0.01}", "0.01}\n  binder: active", "'active' is made of particles as well"),
        ("0.01}", "0.01}\n  averaging_length: 0 um", "is not a positive length"),
        ("0.01}", "0.01}\n  strength: {scatter: 0.2}", "'scatter' belongs to a strength"),
        (
            "0.01}",
            "0.01}\n  strength: {binder: {tensile: 9 MPa, compressive: 3 MPa}}",
            "pressure does not weaken",
        ),
        (
            "0.01}",
            "0.01}\n  strength: {interface: {normal: 0 MPa, shear: 3 MPa}}",
            "strength '0 MPa' is not allowed; give more than 0",
        ),
        ("0.01}", "0.01}\n  strength: {particles: {flaw: 1 um}}", "give either toughness"),
        (
            "0.01}",
            "0.01}\n  strength: {binder: {tensile: 3 MPa, compressive: 3 MPa}, scatter: 0.1, "
            "weibull_modulus: 8}",
            "leave one out",
        ),
        ("0.01}", "0.01}\n  stifness: true", "did you mean 'stiffness'?"),
    ],
)
def test_problems_of_the_section(old, new, words):
    with pytest.raises(StudyError) as caught:
        parse_study(STUDY.replace(old, new, 1))
    assert words in str(caught.value)


def test_a_strength_needs_its_phase():
    text = STUDY.replace("active", "nmc") + "  strength: {particles: {toughness: 1 MPa m^0.5}}\n"
    with pytest.raises(StudyError, match=r"name it in mechanics\.particles"):
        parse_study(text)
    study = parse_study(text + "  particles: nmc\n")
    assert study.mechanics is not None and study.mechanics.particle_phase == "nmc"
