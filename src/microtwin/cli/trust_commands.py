"""Commands that say how far the numbers can be trusted, and what they cost."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from .consoles import messages, results

__all__ = ["COMMANDS"]

Json = Annotated[bool, typer.Option("--json", help="Write JSON for a machine.")]


def verify(
    only: Annotated[str, typer.Option(help="Run the cases whose name holds this text.")] = "",
    json: Json = False,
) -> None:
    """Compare with known answers; exit code 1 if one is missed."""
    from ..study.canonical import dumps
    from ..study.verification import all_cases
    from ..trust import VerificationRow, run_cases
    from .tables import verification_table

    cases = [case for case in all_cases() if only.lower() in case.name.lower()]
    if not cases:
        raise ValueError(f"no case has {only!r} in its name; leave --only out to run all of them")
    say, done = messages(), 0

    def show(row: VerificationRow) -> None:
        nonlocal done
        done += 1
        say.print(f"[{done}/{len(cases)}] {row.verdict} {row.case}", markup=False, soft_wrap=True)

    rows = run_cases(cases, on_row=show)
    failed = [row for row in rows if not row.passed]
    if json:
        sys.stdout.write(dumps([vars(row) for row in rows], indent=2) + "\n")
    else:
        out = results()
        out.print(verification_table(rows))
        for row in failed:
            if row.message:
                out.print(f"{row.case}: {row.message}", markup=False, soft_wrap=True)
        out.print(f"{len(rows) - len(failed)} of {len(rows)} cases pass")
    if failed:
        raise typer.Exit(1)


def bench(
    size: Annotated[
        list[int] | None, typer.Option(help="Voxels per edge; once for each size.")
    ] = None,
    interface: Annotated[
        Literal["voxel", "smooth"], typer.Option(help="Interface convention.")
    ] = "voxel",
    repeats: Annotated[int, typer.Option(min=1, help="Runs per size; the best counts.")] = 1,
    json: Json = False,
) -> None:
    """Measure time, iterations and memory of the solver."""
    from ..study.canonical import dumps
    from ..transport.bench import run_bench
    from .tables import bench_table

    rows = run_bench(sizes=size or [100, 200], interface=interface, repeats=repeats)
    if json:
        sys.stdout.write(dumps(rows, indent=2) + "\n")
    else:
        results().print(bench_table(rows))


COMMANDS = (verify, bench)
