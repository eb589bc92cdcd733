"""From a study to the tasks that compute it, in an order that respects their inputs."""

from __future__ import annotations

from typing import Any

from . import stages, uncertainty
from .canonical import digest_of_source
from .errors import StudyError
from .reading import StudyFile
from .schema import Study
from .tasks import Source, Task

__all__ = ["plan"]

# Raised whenever a stage gives other results from the same input: stored results of the old
# version are then computed again.
VERSIONS = {
    "microstructure": 1,
    "descriptors": 1,
    "fractions": 1,
    "transport": 1,
    "homogenize": 1,
    "discretisation": 1,
    "sampling": 1,
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
    micro = _microstructure(file)
    tasks = [micro]
    names = study.phase_names
    if study.descriptors:
        params = {"discretisation": study.uncertainty.discretisation}
        tasks.append(_task("descriptors", stages.descriptors, params, {"microstructure": micro}))
    if study.uncertainty.sampling or study.uncertainty.discretisation:
        switches = study.uncertainty.model_dump(include={"sampling", "discretisation"})
        tasks += [
            _task(
                f"fractions/{name}",
                uncertainty.fractions,
                {"phase": name, **switches},
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
    return tasks


def _task(stage: str, function: Any, params: Any, inputs: Any, sources: Any = None) -> Task:
    version = VERSIONS[stage.split("/")[0]]
    return Task(stage, function, version, params, inputs, sources or {})


def _microstructure(file: StudyFile) -> Task:
    study = file.study
    if study.image is None:
        assert study.generate is not None  # the schema requires one of the two
        return _task("microstructure", stages.generate, study.generate.model_dump(), {})
    path = file.image_path
    assert path is not None
    if not path.exists():
        raise StudyError(
            f"{file.where('image', 'path')}: there is no file or folder {path}; a relative path is "
            "meant from the folder of the study file"
        )
    try:
        source = Source(path, digest_of_source(path))
    except OSError as error:
        raise StudyError(
            f"{file.where('image', 'path')}: {path} cannot be read ({error.strerror or error})"
        ) from error
    # The key depends on the content of the image, not on where it lies.
    params = study.image.model_dump(exclude={"path"})
    return _task("microstructure", stages.read_image, params, {}, {"image": source})


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
