from __future__ import annotations

import json
import sys
import warnings

import pytest

import microtwin as mt
from microtwin.upscaling import ElectrodeParameters, model_options, to_bpx, write_bpx
from upscaling.electrodes import NUMBERS, TEMPLATE, electrode, old_template, template

bpx = pytest.importorskip("bpx")
pybamm = pytest.importorskip("pybamm")
pytestmark = pytest.mark.filterwarnings("ignore:.*STO limits", "ignore:.*Open-circuit voltage")

AREA, RADIUS = "Surface area per unit volume [m-1]", "Particle radius [m]"


def merged(content=None, **arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return to_bpx(electrode(), template() if content is None else content, **arguments)


@pytest.mark.parametrize("side", ["positive", "negative"])
def test_only_what_was_measured_changes(side):
    given = template()
    found = merged(given, electrode=side)
    assert given == TEMPLATE
    old, new = given["Parameterisation"], dict(found["Parameterisation"])
    section = new[f"{side.capitalize()} electrode"]
    changed = {key: section[key] for key, value in old[f"{side.capitalize()} electrode"].items()
               if section[key] != value}  # fmt: skip
    assert changed == {
        "Thickness [m]": 70e-6,
        "Porosity": 0.34,
        "Transport efficiency": 0.13,
        "Conductivity [S.m-1]": 0.4,
        RADIUS: pytest.approx(10e-6),
        AREA: pytest.approx(174e3),
    }
    assert set(section) == set(old[f"{side.capitalize()} electrode"])
    for name in set(old) - {f"{side.capitalize()} electrode", "Cell"}:
        assert new[name] == old[name]
    assert found["State"] == given["State"]


def test_radius_or_area_is_kept():
    section = merged(keep="radius")["Parameterisation"]["Positive electrode"]
    assert section[RADIUS] == 5e-6
    assert section[AREA] == pytest.approx(3 * 0.58 / 5e-6)
    with pytest.raises(ValueError, match="keep 'both'"):
        merged(keep="both")


def test_conductivity_that_was_not_measured_stays():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = to_bpx(electrode(solid_conductivity=None), template())
    assert found["Parameterisation"]["Positive electrode"]["Conductivity [S.m-1]"] == 0.18


def test_where_the_numbers_are_from():
    header = merged()["Header"]
    first, second = header["Description"].split("\n")
    assert first == "Numbers near those of a real cell."
    assert second.startswith(f"Positive electrode from an image, by microtwin {mt.__version__}: ")
    assert "porosity 0.340 ± 0.010, " in second
    assert second.endswith("The particle radius in this file follows from the active fraction.")
    assert header["References"] == "Positive electrode from an image: Made up for a test."
    errors = merged()["Parameterisation"]["User-defined"]
    assert errors == {
        "Positive electrode porosity, uncertainty": 0.01,
        "Positive electrode liquid transport efficiency, uncertainty": 0.02,
    }


def test_what_an_earlier_image_left_is_replaced():
    """The user's own words stay, and so does what belongs to the other electrode."""
    given = template()
    given["Header"]["References"] = "A book.\n\nAnother."
    given["Parameterisation"]["User-defined"] = {"Colour": 3.0}
    first = merged(merged(given, electrode="negative"))
    assert first["Header"]["References"].split("\n") == [
        "A book.", "", "Another.", "Negative electrode from an image: Made up for a test.",
        "Positive electrode from an image: Made up for a test.",
    ]  # fmt: skip
    assert len(first["Parameterisation"]["User-defined"]) == 5
    other = ElectrodeParameters.from_numbers(
        **NUMBERS | {"porosity": 0.3}, uncertainties={"thickness": 1e-6}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        second = to_bpx(other, first, "positive")
    assert list(second["Header"]) == list(first["Header"])
    lines = second["Header"]["Description"].split("\n")
    assert lines[:2] == first["Header"]["Description"].split("\n")[:2]
    assert "porosity 0.3," in lines[2]
    assert len(lines) == 3
    # This one has no source.
    assert second["Header"]["References"].split("\n")[3:] == [
        "Negative electrode from an image: Made up for a test."
    ]
    assert second["Parameterisation"]["User-defined"] == {
        "Colour": 3.0,
        "Negative electrode porosity, uncertainty": 0.01,
        "Negative electrode liquid transport efficiency, uncertainty": 0.02,
        "Positive electrode thickness, uncertainty": 1e-6,
    }


def test_capacity_follows_the_smaller_electrode():
    # The positive one is the smaller: 0.58 * 70 um of active material instead of 0.7 * 75 um.
    with pytest.warns(UserWarning, match="same state of charge"):
        found = to_bpx(electrode(), template())
    nominal = found["Parameterisation"]["Cell"]["Nominal cell capacity [A.h]"]
    positive = 63104 * 0.58 * 0.7 * 75
    negative = 33133 * 0.87 * 0.7 * 85
    assert nominal == pytest.approx(5.0 * 63104 * 0.58 * 0.58 * 70 / min(positive, negative))


def test_round_trip_through_the_library(tmp_path):
    found = merged()
    path = write_bpx(found, tmp_path / "cell.json")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = bpx.parse_bpx_file(path)
        assert parsed.parameterisation.positive_electrode.transport_efficiency == 0.13
        write_bpx(parsed, tmp_path / "again.json")
        section = to_bpx(electrode(), path, "negative")["Parameterisation"]["Negative electrode"]
        assert section["Thickness [m]"] == 70e-6
    assert json.loads((tmp_path / "again.json").read_text(encoding="utf-8")) == found
    with pytest.raises(ValueError, match="file ends in"):
        write_bpx(found, tmp_path / "cell.bpx")
    with pytest.raises(ValueError, match="a list is no BPX"):
        write_bpx([found], tmp_path / "cell.json")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("Thickness [m]", "thick", r"Positive electrode, Thickness \[m\] cannot be 'thick'"),
        ("Thickness [m]", float("nan"), "the content holds NaN, infinity"),
        ("Thickness [m]", float("inf"), "the content holds NaN, infinity"),
        ("Minimum stoichiometry", 0.9, "the minimum stoichiometry of the positive electrode is"),
    ],
)
def test_no_file_is_written_that_could_not_be_read(key, value, message, tmp_path):
    content = template()
    content["Parameterisation"]["Positive electrode"][key] = value
    with pytest.raises(ValueError, match=message):
        write_bpx(content, tmp_path / "cell.json")
    assert not list(tmp_path.iterdir())


def test_pybamm_reads_what_was_measured(tmp_path):
    path = write_bpx(merged(), tmp_path / "cell.json")
    values = pybamm.ParameterValues.create_from_bpx(path)
    given = electrode()
    assert values["Positive electrode active material volume fraction"] == pytest.approx(
        0.58, rel=1e-12
    )
    assert values["Positive electrode Bruggeman coefficient (electrolyte)"] == pytest.approx(
        given.bruggeman_exponent, rel=1e-12
    )
    assert values["Positive electrode conductivity [S.m-1]"] == 0.4
    # The radius is the Sauter radius, so the area needs no option.
    simulation = pybamm.Simulation(pybamm.lithium_ion.SPMe(), parameter_values=values)
    solution = simulation.solve([0.0, 60.0])
    area = solution["X-averaged positive electrode surface area to volume ratio [m-1]"]
    assert area.entries[-1] == pytest.approx(given.specific_surface.value, rel=1e-12)
    efficiency = solution["X-averaged positive electrolyte transport efficiency"]
    assert efficiency.entries[-1] == pytest.approx(0.13, rel=1e-12)
    assert model_options(given) == {"interface utilisation": "constant"}


def test_old_versions_are_converted_with_a_notice():
    with pytest.warns(UserWarning, match="template is BPX 0.4 and was converted"):
        found = to_bpx(electrode(), old_template())
    conditions = found["State"]["Initial conditions"]
    assert conditions["Initial electrolyte concentration [mol.m-3]"] == 1000
    assert found["Header"]["BPX"] == bpx.__version__


def test_yaml(tmp_path):
    path = tmp_path / "cell.yaml"
    path.write_text(json.dumps(TEMPLATE), encoding="utf-8")  # JSON is YAML
    assert merged(path) == merged()


def changed(**changes):
    content = template()
    for path, value in changes.items():
        section, _, key = path.partition("__")
        if value is None:
            del content[section][key.replace("_", " ")]
        else:
            content[section][key.replace("_", " ")] = value
    return content


def test_numbers_written_as_text_count_as_numbers():
    given = positive(**{"Maximum concentration [mol.m-3]": "63104"})
    given["Parameterisation"]["Cell"]["Nominal cell capacity [A.h]"] = "5"
    nominal = merged(given)["Parameterisation"]["Cell"]["Nominal cell capacity [A.h]"]
    assert nominal == merged()["Parameterisation"]["Cell"]["Nominal cell capacity [A.h]"]


def test_a_partial_file_of_a_whole_cell_is_completed():
    with pytest.warns(UserWarning, match="the model is now 'DFN'"):
        found = to_bpx(electrode(), changed(Header__Model="Partial"))
    assert found["Header"]["Model"] == "DFN"


def positive(**changes):
    """Return the template with other numbers of the positive electrode, or without them."""
    content = template()
    section = content["Parameterisation"]["Positive electrode"] | changes
    section = {key: value for key, value in section.items() if value is not None}
    content["Parameterisation"]["Positive electrode"] = section
    return content


def blended():
    content = template()
    section = content["Parameterisation"]["Positive electrode"]
    content["Parameterisation"]["Positive electrode"] = {
        key: section.pop(key)
        for key in ("Thickness [m]", "Porosity", "Transport efficiency", "Conductivity [S.m-1]")
    } | {"Particle": {"Large": section, "Small": section}}
    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            changed(Header__Model="Partial", Parameterisation__Separator=None),
            "'Partial' and lacks Separator",
        ),
        (changed(Parameterisation__Electrolyte=None), "the template lacks Electrolyte"),
        (changed(Header__Model="SPM"), "no porosity, transport efficiency"),
        (changed(Header__BPX="new"), "version 'new' in the header"),
        (changed(Header__BPX=None), "the template is no BPX"),
        ({}, "the template is no BPX"),
        (changed(Header__Colour="red"), "does not accept the template: Colour is not known;"),
        (blended(), "a blend of Large, Small"),
        ([1], "a list is no template"),
        (template() | {"Parameterisation": [1]}, "the template is no BPX"),
        (
            changed(Parameterisation__Cell=[1]),
            "'Cell' of the template is a list; it must hold names with values",
        ),
        (
            positive(**{"OCP [V]": None, "Porosity": None}),
            r"(?=.* electrode, Porosity is missing[,;]).* electrode, OCP \[V\] is missing[,;]",
        ),
        (
            positive(**{"Maximum concentration [mol.m-3]": "much"}),
            r"Positive electrode, Maximum concentration \[mol.m-3\] cannot be 'much';",
        ),
        (
            positive(**{"Minimum stoichiometry": 0.9, "Maximum stoichiometry": 0.2}),
            r"stoichiometry of the positive electrode is 0\.9 and the maximum 0\.2; give",
        ),
        (
            positive(**{"Minimum stoichiometry": 0.85}),
            "give a minimum below the maximum",
        ),
        (positive(**{"Maximum concentration [mol.m-3]": 0.0}), "takes up no lithium"),
        (positive(**{"Porosity": float("nan")}), "the template holds NaN"),
        ({**old_template(), "Parameterisation": {"Cell": None}}, "the template lacks Cell"),
    ],
)
def test_templates_that_do_not_serve(content, message):
    with pytest.raises(ValueError, match=message):
        merged(content)


def test_files_that_are_no_bpx(tmp_path):
    for text, message in ((b"{", "Expecting property name"), (b"[1]", "it holds a list"),
                          (b"\xff", "can't decode")):  # fmt: skip
        (tmp_path / "cell.json").write_bytes(text)
        with pytest.raises(ValueError, match=rf"cell\.json is no BPX file: .*{message}"):
            merged(tmp_path / "cell.json")
    with pytest.raises(ValueError, match="electrode 'left'"):
        merged(electrode="left")


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "bpx", None)
    with pytest.raises(ImportError, match=r"microtwin\[cell\]"):
        to_bpx(electrode(), template())
