"""One page of reference per room, written from the names in its stub: they are listed once."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import get_origin

from sphinx.application import Sphinx

PACKAGE = "microtwin"
# Modules that are public as a whole, beside the rooms.
MODULES = ("microstructure", "connectivity", "composition", "units")


def _names(folder: Path) -> list[str]:
    """Return the public names that the stub of a room lists."""
    tree = ast.parse((folder / "__init__.pyi").read_text(encoding="utf-8"))
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "__all__":
            return list(ast.literal_eval(statement.value))
    raise ValueError(f"{folder / '__init__.pyi'} lists no __all__")


def _entry(module: ModuleType, name: str) -> list[str]:
    """Return the lines that document one public name."""
    value = getattr(module, name)
    if inspect.ismodule(value):
        return [f".. automodule:: {value.__name__}", "   :members:", ""]
    if inspect.isclass(value):
        return [f".. autoclass:: {name}", "   :members:", ""]
    if _is_alias(value):
        return [f".. py:type:: {name}", f"   :canonical: {value}", ""]
    return [f".. {'autofunction' if callable(value) else 'autodata'}:: {name}", ""]


def _is_alias(value: object) -> bool:
    """Tell whether a public name is an alias of a type, such as tuple[float, float, float]."""
    return get_origin(value) is not None


def _page(module_name: str, names: list[str]) -> str:
    """Return the page of a module: what it is for, a table of its names, each in full."""
    module = importlib.import_module(module_name)
    short = module_name.removeprefix(f"{PACKAGE}.")
    lines = [short, "=" * len(short), "", f".. automodule:: {module_name}", "   :no-members:", ""]
    lines += [f".. currentmodule:: {module_name}", ""]
    inner = [name for name in names if inspect.ismodule(getattr(module, name))]
    objects = [name for name in names if name not in inner]
    tabled = [name for name in objects if not _is_alias(getattr(module, name))]
    lines += [".. autosummary::", "", *(f"   {name}" for name in tabled), ""]
    # Modules come last, for they change what names are looked up in.
    for name in objects + inner:
        lines += _entry(module, name)
    return "\n".join(lines)


def _write_pages(app: Sphinx) -> None:
    source = Path(importlib.import_module(PACKAGE).__file__).parent
    target = Path(app.srcdir) / "api"
    target.mkdir(exist_ok=True)
    rooms = sorted(stub.parent for stub in source.glob("*/__init__.pyi"))
    pages = {name: importlib.import_module(f"{PACKAGE}.{name}").__all__ for name in MODULES}
    pages |= {room.name: _names(room) for room in rooms}
    for stale in set(target.glob("*.rst")) - {target / f"{name}.rst" for name in pages}:
        stale.unlink()
    for name, names in pages.items():
        text = _page(f"{PACKAGE}.{name}", names)
        page = target / f"{name}.rst"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for its sources."""
    app.connect("builder-inited", _write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
