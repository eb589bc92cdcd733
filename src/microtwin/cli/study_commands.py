"""Commands that write, check, run and read studies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .consoles import messages, results

__all__ = ["COMMANDS"]

StudyPath = Annotated[Path, typer.Argument(help="Study file.", show_default=False)]
Into = Annotated[
    Path | None,
    typer.Option("--into", help="Run directory; by default <study>-run next to the study file."),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON for a machine.")]


def new(
    study: StudyPath,
    image: Annotated[
        Path | None, typer.Option(help="Image of labels: TIFF, folder of TIFFs, HDF5, ...")
    ] = None,
    scan: Annotated[Path | None, typer.Option(help="Grey-scale volume, to be segmented.")] = None,
    projections: Annotated[
        Path | None, typer.Option(help="Projections, to be reconstructed and segmented.")
    ] = None,
    phase: Annotated[
        list[str] | None,
        typer.Option(
            help="Name and label of a phase, pore=0; once for each phase. For --scan and "
            "--projections the name alone, from dark to bright."
        ),
    ] = None,
    fraction: Annotated[
        list[str] | None,
        typer.Option(help="Known volume fraction of a phase, pore=0.4; for --scan."),
    ] = None,
    voxel_size: Annotated[
        str | None,
        typer.Option(help='"398 nm", or "1 um, 0.4 um, 0.4 um" along z, y, x; else from the file.'),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Title; by default the name of the file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing study file.")] = False,
) -> None:
    """Write a commented study file for an image of labels, a scan, or projections."""
    from ..study.reading import parse_study
    from ..study.store import write_file

    if study.exists() and not force:
        raise ValueError(f"{study} exists already; choose another name or add --force")
    given = [path for path in (image, scan, projections) if path is not None]
    if len(given) != 1:
        raise ValueError(
            f"{len(given)} files are given; name one with --image (labels), --scan (grey values) "
            "or --projections"
        )
    if not phase:
        raise ValueError(
            "no phase is named; add --phase pore=0 --phase active=1 for an image of labels, or "
            "--phase pore --phase active, from dark to bright, for a scan"
        )
    title = name or study.stem
    if image is not None:
        text, notes = _image_study(title, image, study, phase, voxel_size)
    else:
        source = scan or projections
        assert source is not None
        text, notes = _scan_study(
            title, source, study, phase, fraction or [], voxel_size, projections is not None
        )
    parse_study(text, "the study file to be written")
    write_file(study, text)
    say = messages()
    say.print(f"wrote {study}", markup=False, soft_wrap=True)
    for note in notes:
        say.print(f"note: {note}", style="yellow", soft_wrap=True)


_NO_SIZE = (
    "the voxel size is missing, and an image without one has no scale; add --voxel-size "
    '"398 nm", or three lengths along z, y, x'
)


def _image_study(
    title: str, image: Path, study: Path, words: list[str], voxel_size: str | None
) -> tuple[str, list[str]]:
    """Return the study of an image of labels, and what the user should know about it."""
    from ..study.template import look_at_image, parse_phases, study_text

    phases = parse_phases(words)
    facts = look_at_image(image) if image.exists() else None
    size = voxel_size or (facts.voxel_size if facts else None)
    if size is None:
        raise ValueError(_NO_SIZE)
    text = study_text(title, _relative(image, study.parent), size, phases)
    if facts is None:
        return text, [f"there is no file {image} yet"]
    unnamed = {label: n for label, n in facts.counts.items() if label not in phases.values()}
    if not unnamed:
        return text, []
    listed = ", ".join(f"{label} ({n} voxels)" for label, n in unnamed.items())
    return text, [f"the image holds labels without a name: {listed}; add them under phases"]


def _scan_study(
    title: str,
    path: Path,
    study: Path,
    phases: list[str],
    fractions: list[str],
    voxel_size: str | None,
    projections: bool,
) -> tuple[str, list[str]]:
    """Return the study of a scan or of projections, and what the user should know about it."""
    from ..imaging import open_volume, read_projections
    from ..study.template import parse_fractions, scan_study_text

    if labelled := [word for word in phases if "=" in word]:
        raise ValueError(
            f"--phase {labelled[0]} gives a label, but grey values have none; name the phases from "
            "dark to bright, --phase pore --phase active"
        )
    notes = [] if path.exists() else [f"there is no file {path} yet"]
    size: Any = voxel_size
    if size is None and path.exists():
        size = read_projections(path).pixel_size if projections else open_volume(path).voxel_size
    if size is None:
        raise ValueError(_NO_SIZE)
    known = parse_fractions(fractions, phases)
    if not known:
        notes.append(
            "no fractions are known; with measured ones (--fraction pore=0.4 ...) labels are "
            "calibrated"
        )
    place = _relative(path, study.parent)
    return scan_study_text(title, place, size, phases, known, projections), notes


def check(study: StudyPath, into: Into = None, json: Json = False) -> None:
    """Check a study without computing it; estimate memory and time."""
    from ..study.canonical import dumps
    from ..study.estimate import estimate_cost, require_memory
    from ..study.reading import read_study
    from ..study.runner import default_folder, study_status
    from ..study.stages import read_image
    from ..study.tasks import Inputs

    file = read_study(study)
    cost = estimate_cost(file)
    require_memory(file, cost)
    fractions = None
    if file.study.image is not None and file.source_path is not None:
        # The labels are part of what can be known before computing.
        params = file.study.image.model_dump(exclude={"path"})
        output = read_image(params, Inputs(sources={"image": file.source_path}))
        fractions = output.numbers["volume_fractions"]
    stages, holder = study_status(study, into)
    done = sum(stage.state == "done" for stage in stages)
    if json:
        facts = {
            "shape": cost.shape,
            "solves": cost.solves,
            "memory_bytes": cost.memory_bytes,
            "available_bytes": cost.available_bytes,
            "seconds": cost.seconds,
            "volume_fractions": fractions,
            "stages": len(stages),
            "stages_done": done,
            "running": holder,
        }
        sys.stdout.write(dumps(facts, indent=2) + "\n")
        return
    out = results()
    out.print(f"{study} is valid: {file.study.name}", markup=False, soft_wrap=True)
    for label, text in (
        ("voxels", " x ".join(map(str, cost.shape))),
        ("phases", _fractions(fractions) or ", ".join(file.study.phase_names)),
        ("solves", f"{cost.solves}, and smaller ones for the error budget"),
        ("memory", f"{_gigabytes(cost.memory_bytes)}, {_gigabytes(cost.available_bytes)} are free"),
        ("time", f"about {_duration(cost.seconds)} on two cores"),
        ("stages", f"{len(stages)}, {done} of them done in {into or default_folder(study)}"),
    ):
        out.print(f"  {label:<8} {text}", markup=False, soft_wrap=True)
    if holder is not None:
        out.print(f"  running  {holder}", markup=False, soft_wrap=True)


def run(study: StudyPath, into: Into = None, json: Json = False) -> None:
    """Run a study, or go on where an earlier run stopped."""
    _run(study, into, json)


def status(study: StudyPath, into: Into = None, json: Json = False) -> None:
    """Show which stages of a study are done."""
    from ..study.canonical import dumps
    from ..study.runner import study_status
    from .tables import status_table

    stages, holder = study_status(study, into)
    if json:
        rows = [vars(stage) for stage in stages]
        sys.stdout.write(dumps({"running": holder, "stages": rows}, indent=2) + "\n")
        return
    out = results()
    out.print(status_table((s.stage, s.state, s.seconds) for s in stages))
    done = sum(stage.state == "done" for stage in stages)
    out.print(
        f"{done} of {len(stages)} stages are done" + (f"; {holder} is running" if holder else "")
    )


def report(study: StudyPath, into: Into = None) -> None:
    """Write report.html of a finished run anew."""
    from ..study.runner import rewrite_report

    sys.stdout.write(f"{rewrite_report(study, into)}\n")


def export(
    study: StudyPath,
    to: Annotated[Path, typer.Option(help="Folder for the exported files.")] = Path(),
    into: Into = None,
) -> None:
    """Export results as CSV, fields as VTKHDF for ParaView, meshes and particle lists."""
    from ..study.reading import read_study
    from ..study.reporting import (
        export_cell,
        export_courses,
        export_discharges,
        export_fields,
        export_impedances,
        export_ligaments,
        export_meshes,
        export_particles,
        results_as_csv,
    )
    from ..study.results import summarise
    from ..study.runner import default_folder, finished_entries
    from ..study.store import write_file

    file = read_study(study)
    entries = finished_entries(file, into or default_folder(study))
    written = export_fields(entries, to, study.stem)
    table = to / f"{study.stem}-results.csv"
    write_file(table, results_as_csv(summarise(file, entries)))
    lists = export_particles(entries, to, study.stem)
    lists += export_discharges(entries, to, study.stem)
    lists += export_impedances(entries, to, study.stem)
    lists += export_courses(entries, to, study.stem)
    lists += export_ligaments(entries, to, study.stem)
    lists += export_cell(entries, to, study.stem)
    for path in (table, *lists, *export_meshes(entries, to, study.stem), *written):
        sys.stdout.write(f"{path}\n")
    if not written:
        messages().print("the study keeps no fields (output.fields: false)", style="yellow")


def demo(
    into: Annotated[Path, typer.Option("--into", help="Run directory.")] = Path("demo-run"),
    json: Json = False,
) -> None:
    """Run a study of a virtual electrode; needs no image."""
    from ..study.demo import write_demo

    _run(write_demo(into), into, json)


COMMANDS = (new, check, run, status, report, export, demo)


def _run(study: Path, into: Path | None, json: bool) -> None:
    from ..study.results import write_results
    from ..study.runner import default_folder, run_study
    from .progress import watching
    from .tables import image_line, remarks, results_table

    try:
        with watching() as watcher:
            outcome = run_study(study, into, watcher=watcher)
    except KeyboardInterrupt:
        messages().print(
            f"interrupted; finished stages are kept in {into or default_folder(study)}, "
            "and the same command goes on from there",
            style="yellow",
            soft_wrap=True,
        )
        raise typer.Exit(130) from None
    if json:
        sys.stdout.write(write_results(outcome.results))
    else:
        out = results()
        out.print(outcome.results.study, style="bold", markup=False)
        out.print(image_line(outcome.results), markup=False)
        out.print(results_table(outcome.results))
        for sentence in remarks(outcome.results):
            out.print(sentence, markup=False, soft_wrap=True)
        out.print(f"results  {outcome.results_file}", markup=False, soft_wrap=True)
        if outcome.report is not None:
            out.print(f"report   {outcome.report}", markup=False, soft_wrap=True)
    if outcome.results.verdict == "fail":
        raise typer.Exit(1)


def _relative(image: Path, folder: Path) -> str:
    """Return the path of the image as seen from the folder of the study file."""
    try:
        return image.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return image.resolve().as_posix()


def _fractions(fractions: dict[str, float] | None) -> str:
    return ", ".join(f"{n} {100 * f:.1f} %" for n, f in (fractions or {}).items())


def _gigabytes(number: int) -> str:
    return f"{number / 1e9:.2g} GB" if number < 1e10 else f"{number / 1e9:.0f} GB"


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds / 10)) * 10} s" if seconds < 90 else f"{seconds / 60:.0f} min"
