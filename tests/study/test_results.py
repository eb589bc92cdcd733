from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from microtwin.study import StudyError, read_results
from microtwin.study.reporting import results_as_csv
from microtwin.study.results import (
    SCHEMA_FILE,
    Check,
    Image,
    Quantity,
    Results,
    Uncertainty,
    json_schema,
    worst,
    write_results,
)


def quantity(**changes: object) -> Quantity:
    content = {
        "name": "tortuosity_factor",
        "phase": "pore",
        "direction": "z",
        "value": 1.8,
        "unit": "1",
        "uncertainty": Uncertainty(discretisation=0.03, sampling=0.04, total=0.05),
        "checks": [Check(name="flux_spread", value=1e-5, limit=1e-4, verdict="pass")],
        "source": "transport/pore-z/00",
    }
    return Quantity.model_validate(content | changes)


def results(*quantities: Quantity) -> Results:
    image = Image(
        shape=(4, 4, 4),
        voxel_size=(1e-6,) * 3,
        extent=(4e-6,) * 3,
        phases={"pore": 0},
        volume_fractions={"pore": 1.0},
    )
    return Results(study="s", verdict="pass", microstructure=image, quantities=list(quantities))


def test_the_published_schema_is_that_of_the_models() -> None:
    published = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    assert published == json_schema()
    jsonschema.Draft202012Validator.check_schema(published)


def test_results_follow_the_published_schema() -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    infinite = quantity(value=None, text="infinite: the phase does not percolate")
    content = json.loads(write_results(results(quantity(), infinite)))
    jsonschema.validate(content, schema)
    content["quantities"][0]["uncertainty"]["total"] = -1.0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema)


def test_results_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(write_results(results(quantity())), encoding="utf-8")
    assert read_results(path) == results(quantity())
    path.write_text("{}")
    with pytest.raises(StudyError, match="damaged"):
        read_results(path)
    with pytest.raises(StudyError, match="run the study first"):
        read_results(tmp_path / "none.json")


def test_the_worst_verdict_counts() -> None:
    assert worst([]) == "pass"
    assert worst(["pass", "warn", "pass"]) == "warn"
    assert worst(["warn", "fail", "pass"]) == "fail"


def test_a_table_for_spreadsheets() -> None:
    infinite = quantity(value=None, text="infinite: why", uncertainty=Uncertainty())
    text = results_as_csv(results(quantity(), infinite))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["value"] == "1.8" and rows[0]["u_total"] == "0.05"
    assert rows[0]["u_segmentation"] == "" and rows[0]["verdict"] == "pass"
    assert rows[1]["value"] == "inf"
