"""The application: its commands, and how errors are said."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from .. import __version__
from . import study_commands, trust_commands
from .consoles import complain

__all__ = ["app", "main"]

app = typer.Typer(
    name="microtwin",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (*study_commands.COMMANDS, *trust_commands.COMMANDS):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"microtwin {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error arose.")] = False,
) -> None:
    """From an image of a porous material to verified effective properties."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Allowed anywhere, since it is added to a command that has just failed.
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        app(words)
    except Exception as error:
        if debug:
            raise
        complain(_sentence(error))
        raise SystemExit(2) from None


def _sentence(error: Exception) -> str:
    """Return the text of an error that was meant for the user, and a pointer for any other."""
    if isinstance(error, (ValueError, OSError, ImportError)) and str(error):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory; 'microtwin check' says how much is needed"
    return f"{type(error).__name__}: {error}; add --debug to see where it arose"
