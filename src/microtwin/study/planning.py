"""From a study to the tasks that compute it, in an order that respects their inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import (
    cell_stage,
    flow_stage,
    generation_stage,
    half_cell_stage,
    impedance_stage,
    mechanics_along_stage,
    mechanics_stage,
    mesh_stages,
    reaction_stage,
    scan_stages,
    segmentation_uncertainty,
    stages,
    stiffness_stage,
    uncertainty,
    uptake_stage,
)
from .canonical import digest_of_source
from .errors import StudyError
from .known import known_fractions
from .reading import StudyFile
from .schema import Study
from .sources import files_of
from .tasks import Source, Task

__all__ = ["plan"]

# Raised whenever a stage gives other results from the same input: stored results of the old
# version are then computed again.
VERSIONS = {
    "reconstruction": 1,
    "correction": 3,
    "microstructure": 4,
    "descriptors": 4,
    "fractions": 2,
    "transport": 1,
    "homogenize": 1,
    "impedance": 1,
    "mesh": 3,
    "reaction": 1,
    "half_cell": 2,
    "half_cell_impedance": 1,
    "cell": 2,
    "mechanics": 1,
    "mechanics_along": 1,
    "stiffness": 1,
    "flow": 1,
    "uptake": 1,
    "cross_verification": 2,
    "discretisation": 1,
    "sampling": 2,
    "segmentation": 4,
}


def plan(file: StudyFile) -> list[Task]:
    """Return the tasks of a study, each after the tasks that it reads.

    Parameters
    ----------
    file : StudyFile

    Returns
    -------
    list of Task

    Raises
    ------
    StudyError
        If the image file is not there, or the study does not fit together.
    """
    study = file.study
    if problems := study.problems():
        raise StudyError("; ".join(problem.message for problem in problems))
    tasks = _labelling(file)
    micro = tasks[-1]
    names = study.phase_names
    if study.descriptors:
        params = {
            "discretisation": study.uncertainty.discretisation,
            "groups": None if study.descriptors is True else sorted(study.descriptors),
        }
        tasks.append(_task("descriptors", stages.descriptors, params, {"microstructure": micro}))
    if study.uncertainty.sampling or study.uncertainty.discretisation:
        switches = study.uncertainty.model_dump(include={"sampling", "discretisation"})
        tasks += [
            _task(
                f"fractions/{name}",
                uncertainty.fractions,
                {"phase": name, "thickness": study.uncertainty.thickness, **switches},
                {"microstructure": micro},
            )
            for name in names
        ]
    tasks += _transport(study, micro)
    if study.homogenize is not None:
        params = study.homogenize.model_dump() | {
            "discretisation": study.uncertainty.discretisation
        }
        tasks.append(_task("homogenize", stages.homogenize, params, {"microstructure": micro}))
    if study.impedance is not None:
        interface = "smooth" if study.transport is None else study.transport.interface
        params = study.impedance.model_dump() | {
            "interface": interface,
            "discretisation": study.uncertainty.discretisation,
        }
        inputs = {"microstructure": micro}
        tasks.append(_task("impedance", impedance_stage.impedance, params, inputs))
    if study.mesh is not None:
        tasks += _mesh(study, tasks, micro)
    if study.reaction is not None:
        params = study.reaction.model_dump() | {
            "discretisation": study.uncertainty.discretisation,
            "fields": study.output.fields,
        }
        tasks.append(_task("reaction", reaction_stage.react, params, {"microstructure": micro}))
    if study.flow is not None:
        params = study.flow.model_dump(exclude={"directions"}) | {
            "discretisation": study.uncertainty.discretisation,
            "fields": study.output.fields,
        }
        tasks += [
            _task(
                f"flow/{study.flow.phase}-{direction}",
                flow_stage.flow_through,
                params | {"direction": direction},
                {"microstructure": micro},
            )
            for direction in study.flow.directions
        ]
    if study.uptake is not None:
        params = study.uptake.model_dump() | {
            "discretisation": study.uncertainty.discretisation,
            "fields": study.output.fields,
        }
        tasks.append(_task("uptake", uptake_stage.take_up, params, {"microstructure": micro}))
    if study.half_cell is not None:
        tasks += _half_cell(file, micro)
    if study.cell is not None:
        path = file.template_path
        source = {} if path is None else {"template": _source(file, ("cell", "template"), path)}
        # The key depends on the content of the file, not on where it lies.
        params = study.cell.model_dump(exclude={"template"}) | {
            "discretisation": study.uncertainty.discretisation
        }
        tasks.append(_task("cell", cell_stage.cell, params, {"microstructure": micro}, source))
    if study.mechanics is not None:
        tasks += _mechanics(study, micro)
        if study.mechanics.along is not None:
            tasks.append(_along(file, micro, tasks))
    if study.from_grey_values and study.uncertainty.segmentation:
        tasks += _segmentation(study, tasks)
    return tasks


def _half_cell(file: StudyFile, micro: Task) -> list[Task]:
    """Return one task for each C-rate, and for each stoichiometry at which it rests."""
    study = file.study
    part = study.half_cell
    assert part is not None
    sources = {
        key: _source(file, ("half_cell", key), path) for key, path in file.material_paths.items()
    }
    shared = part.model_dump(exclude={"c_rates", "impedance"}) | {
        "discretisation": study.uncertainty.discretisation,
        "fields": study.output.fields,
    }
    tasks = [
        _task(
            f"half_cell/{half_cell_stage.rate_name(rate)}",
            half_cell_stage.half_cell,
            shared | {"c_rate": rate} | _kept_states(study, rate),
            {"microstructure": micro},
            sources,
        )
        for rate in part.c_rates
    ]
    if part.impedance is None:
        return tasks
    of_the_discharge = ("until_voltage", "frames", "fields", "stoichiometry")
    shared = {name: value for name, value in shared.items() if name not in of_the_discharge}
    shared |= part.impedance.model_dump(exclude={"stoichiometries"})
    states: Sequence[float | None] = part.impedance.stoichiometries or [part.stoichiometry]
    for at in states:
        tasks.append(
            _task(
                f"half_cell_impedance/{impedance_stage.state_name(at)}",
                impedance_stage.half_cell_impedance,
                shared | {"stoichiometry": at},
                {"microstructure": micro},
                sources,
            )
        )
    return tasks


def _kept_states(study: Study, rate: float) -> dict[str, int]:
    """Return how many states of a discharge the stress along it needs, if it is asked for."""
    followed = None if study.mechanics is None else study.mechanics.along
    assert study.half_cell is not None
    if followed is None or followed.rate(study.half_cell.c_rates) != rate:
        return {}
    return {"states": followed.states}


def _along(file: StudyFile, micro: Task, tasks: Sequence[Task]) -> Task:
    """Return the task that follows a discharge with the stress."""
    study = file.study
    assert study.mechanics is not None and study.half_cell is not None
    assert study.mechanics.along is not None
    rate = study.mechanics.along.rate(study.half_cell.c_rates)
    assert rate is not None  # the problems of the study name it where it is missing
    name = half_cell_stage.rate_name(rate)
    discharge = next(task for task in tasks if task.stage == f"half_cell/{name}")
    path = file.strain_path
    sources = (
        {} if path is None else {"strain": _source(file, ("mechanics", "along", "strain"), path)}
    )
    params = study.mechanics.along_params(study.half_cell.active, rate) | {
        "discretisation": study.uncertainty.discretisation,
        "fields": study.output.fields,
    }
    return _task(
        f"mechanics_along/{name}",
        mechanics_along_stage.follow,
        params,
        {"microstructure": micro, "half_cell": discharge},
        sources,
    )


def _mechanics(study: Study, micro: Task) -> list[Task]:
    """Return the task that lets phases swell, and the one that finds the stiffness of the image."""
    part = study.mechanics
    assert part is not None
    budget = study.uncertainty.model_dump(include={"discretisation", "sampling"})
    params = part.stage_params() | budget | {"fields": study.output.fields}
    inputs = {"microstructure": micro}
    tasks = [_task("mechanics", mechanics_stage.swell, params, inputs)]
    if part.stiffness:
        elastic = part.model_dump(include={"materials", "interface", "tol"}) | budget
        tasks.append(_task("stiffness", stiffness_stage.stiffness, elastic, inputs))
    return tasks


def _mesh(study: Study, tasks: list[Task], micro: Task) -> list[Task]:
    """Return the task that makes a mesh, and those that compare transport on it with voxels."""
    assert study.mesh is not None
    params = study.mesh.model_dump(exclude={"cross_verification"})
    mesh = _task("mesh", mesh_stages.tetrahedralize, params, {"microstructure": micro})
    found = [mesh]
    if not study.mesh.cross_verification or study.transport is None:
        return found
    solved = [task for task in tasks if task.stage.startswith("transport/")]
    for task in solved:
        wanted = {name: task.params[name] for name in ("phase", "direction", "tol")}
        inputs = {"microstructure": micro, "mesh": mesh}
        found.append(
            _task(
                task.stage.replace("transport/", "cross_verification/"),
                mesh_stages.cross_verification,
                wanted | {"coarsest": study.mesh.coarsest},
                inputs,
            )
        )
    return found


def _segmentation(study: Study, tasks: list[Task]) -> list[Task]:
    """Return the task that computes every quantity again on plausible segmentations."""
    roles = ("microstructure", "descriptors", "homogenize", "mechanics")
    inputs = {
        task.stage: task
        for task in tasks
        if task.stage in roles or task.stage.startswith("transport/")
    }
    params = {
        "members": study.uncertainty.members,
        "descriptors": study.descriptors is True or "surface" in (study.descriptors or ()),
        "homogenize": None if study.homogenize is None else study.homogenize.model_dump(),
    }
    if study.mechanics is not None:
        # Studies without it keep the key that they had.
        params["mechanics"] = study.mechanics.stage_params()
    assert study.segmentation is not None  # the schema requires it of studies from grey values
    sources: Mapping[str, Source] = {}
    if study.segmentation.method == "posterior":
        # Other models of the phases are tried on the scan itself.
        micro = inputs["microstructure"]
        params |= {name: micro.params[name] for name in ("scan", "denoise")}
        inputs |= micro.inputs
        sources = micro.sources
    return [_task("segmentation", segmentation_uncertainty.segmentation, params, inputs, sources)]


def _task(stage: str, function: Any, params: Any, inputs: Any, sources: Any = None) -> Task:
    version = VERSIONS[stage.split("/")[0]]
    return Task(stage, function, version, params, inputs, sources or {})


def _labelling(file: StudyFile) -> list[Task]:
    """Return the tasks up to the microstructure, which is the last of them."""
    study = file.study
    if study.generate is not None:
        return [_task("microstructure", generation_stage.generate, study.generate.model_dump(), {})]
    section = study.source
    assert section is not None  # the schema requires one of the sources
    path = file.source_path
    assert path is not None
    source = {section: _source(file, (section, "path"), path)}
    # The key depends on the content of the file, not on where it lies.
    params = getattr(study, section).model_dump(exclude={"path"})
    if section == "image":
        return [_task("microstructure", stages.read_image, params, {}, source)]
    tasks: list[Task] = []
    inputs = {}
    if section == "projections":
        tasks.append(_task("reconstruction", scan_stages.reconstruct, params, {}, source))
        inputs, source, params = {"reconstruction": tasks[0]}, {}, {}
    part = study.segmentation
    assert part is not None  # the problems of the study name it where it is missing
    look = {
        "steps": study.correction.steps,
        "centre": study.correction.centre,
        "classes": len(part.phases),
    }
    tasks.append(_task("correction", scan_stages.correct, params | look, inputs, source))
    wanted = part.model_dump(exclude={"scribbles", "fractions", "laboratory"})
    wanted |= {
        "scan": params,
        "fractions": known_fractions(part.model_dump()),
        "denoise": None if study.denoise is None else study.denoise.model_dump(),
    }
    inputs = inputs | {"correction": tasks[-1]}
    if file.scribbles_path is not None:
        marks = _source(file, ("segmentation", "scribbles"), file.scribbles_path)
        source = source | {"scribbles": marks}
    tasks.append(_task("microstructure", scan_stages.label, wanted, inputs, source))
    return tasks


def _source(file: StudyFile, place: tuple[str, ...], path: Path) -> Source:
    if not path.exists():
        raise StudyError(
            f"{file.where(*place)}: there is no file or folder {path}; a relative path is "
            "meant from the folder of the study file"
        )
    part = getattr(file.study, place[0])
    files = files_of(
        path,
        projections=place[0] == "projections",
        dataset=getattr(part, "dataset", None),
        detector=getattr(part, "detector", None),
    )
    try:
        return Source(path, digest_of_source(*files))
    except OSError as error:
        raise StudyError(
            f"{file.where(*place)}: {path} cannot be read ({error.strerror or error})"
        ) from error


def _transport(study: Study, micro: Task) -> list[Task]:
    if study.transport is None:
        return []
    shared = study.transport.model_dump(include={"boundary", "interface", "tol"})
    tasks = []
    for phase in study.transport.phases:
        for direction in study.transport.directions:
            case = f"{phase}-{direction}"
            params = {"phase": phase, "direction": direction, **shared}
            main = _task(
                f"transport/{case}",
                stages.transport,
                params | {"fields": study.output.fields},
                {"microstructure": micro},
            )
            tasks.append(main)
            inputs = {"microstructure": micro, "transport": main}
            if study.uncertainty.discretisation:
                task = _task(f"discretisation/{case}", uncertainty.discretisation, params, inputs)
                tasks.append(task)
                # Sub-volumes are compared with the whole image on the same coarse voxels.
                inputs = inputs | {"discretisation": task}
            if study.uncertainty.sampling:
                tasks.append(_task(f"sampling/{case}", uncertainty.sampling, params, inputs))
    return tasks
