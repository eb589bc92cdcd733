"""From the text of a study file to a checked `Study`, with errors that name the line."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from .electrode_sections import is_material_file
from .errors import StudyError
from .recipes import RECIPES
from .schema import Study

__all__ = ["StudyFile", "parse_study", "read_study"]

Path_ = tuple[str | int, ...]

_MISSING = {
    "voxel_size": "an image without a voxel size has no scale; write one edge length, "
    'voxel_size: "398 nm", or three in the order (z, y, x), '
    'voxel_size: ["1 um", "0.4 um", "0.4 um"]',
    "phases": "name every phase that is meant, for example phases: {pore: 0, active: 1} in an "
    "image and phases: [pore] in transport",
    "name": "give the study a name, for example name: nmc cathode",
}
_EMPTY = "nothing is written here; leave the key out, or write '{0}: {{}}' for what is usual"
_KINDS = {
    "bool_parsing": "this must be true or false",
    "bool_type": "this must be true or false",
    "float_parsing": "this must be a number",
    "float_type": "this must be a number",
    "int_parsing": "this must be a whole number",
    "int_type": "this must be a whole number",
    "int_from_float": "this must be a whole number",
    "string_type": "this must be text",
    "finite_number": "this must be a finite number",
}


@dataclass(frozen=True)
class StudyFile:
    """A study together with the text and the place that it was read from.

    Parameters
    ----------
    study : Study
    text : str
        The file as it was written, comments included.
    path : Path
        Where it lies; a relative image path is meant from this folder.
    """

    study: Study
    text: str
    path: Path

    @property
    def source_path(self) -> Path | None:
        """Absolute path of the file that the study starts from; None if it starts from a recipe."""
        section = self.study.source
        return None if section is None else self._absolute(getattr(self.study, section).path)

    @property
    def scribbles_path(self) -> Path | None:
        """Absolute path of the marked voxels of a pixel classifier, if there are any."""
        part = self.study.segmentation
        return None if part is None or part.scribbles is None else self._absolute(part.scribbles)

    @property
    def material_paths(self) -> dict[str, Path]:
        """Absolute paths of the files of a material and an electrolyte of the half cell."""
        part = self.study.half_cell
        if part is None:
            return {}
        names = {"chemistry": part.chemistry, "electrolyte": part.electrolyte}
        return {
            key: self._absolute(name)
            for key, name in names.items()
            if name is not None and is_material_file(name)
        }

    @property
    def strain_path(self) -> Path | None:
        """Absolute path of the table of strains along a discharge, if it is a file."""
        part = self.study.mechanics
        table = None if part is None or part.along is None else part.along.table
        return None if table is None else self._absolute(table)

    @property
    def template_path(self) -> Path | None:
        """Absolute path of the BPX file that the cell is merged into, if there is one."""
        part = self.study.cell
        return None if part is None or part.template is None else self._absolute(part.template)

    def _absolute(self, path: str) -> Path:
        return (self.path.parent / Path(path).expanduser()).resolve()

    def where(self, *path: str | int) -> str:
        """Return the place of a key for an error message: "study.yaml, line 3, image.path"."""
        tree = _load_yaml(self.text, self.path.name)
        return f"{self.path.name}, line {_line(tree, path)}, {_dotted(path)}"


def read_study(path: str | Path) -> StudyFile:
    """Read and check a study file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    StudyFile

    Raises
    ------
    StudyError
        If the file is not there or cannot be read; if it is not YAML; if a key or a value is not
        allowed. Each problem is one line: file, line, key, what is wrong, what to do.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(
            f"there is no study file {path}; write one with 'microtwin new {path} --image ...'"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} cannot be read as text: {error}") from error
    return StudyFile(parse_study(text, str(path)), text, path.resolve())


def parse_study(text: str, name: str = "study") -> Study:
    """Check the text of a study file; `name` is what errors call it.

    Raises
    ------
    StudyError
        As `read_study`.
    """
    tree = _load_yaml(text, name)
    if not isinstance(tree, Mapping):
        raise StudyError(
            f"{name}: a study file is a list of keys with values, such as 'name: nmc cathode'; "
            f"this one holds {'nothing' if tree is None else type(tree).__name__}"
        )
    empty = [str(key) for key, value in tree.items() if value is None]
    try:
        study = Study.model_validate(_plain(tree))
    except ValidationError as error:
        problems = _from_pydantic_all(error)
    else:
        problems = [((key,), _EMPTY.format(key)) for key in empty]
        problems += [
            (p.path, p.message + _suggestion(p.given, p.allowed)) for p in study.problems()
        ]
        if not problems:
            return study
    lines = [
        f"{name}, line {_line(tree, path)}, {_dotted(path)}: {message}"
        for path, message in problems
    ]
    raise StudyError("\n".join(lines))


def _load_yaml(text: str, name: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark is not None else ""
        problem = " ".join(str(error.problem or error.context).split())
        raise StudyError(
            f"{name}{where}: this is not YAML ({problem}); check the indentation, the colons and "
            "the brackets there"
        ) from None
    except YAMLError as error:
        raise StudyError(f"{name}: this is not YAML ({error})") from None


def _plain(node: Any) -> Any:
    """Return the tree in builtin types; line numbers stay behind in the original."""
    if isinstance(node, Mapping):
        return {str(k): _plain(v) for k, v in node.items()}
    if isinstance(node, (list, tuple)):
        return [_plain(v) for v in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _line(tree: Any, path: Path_) -> int:
    """Return the line (from 1) of a key, or of the closest parent that is in the file."""
    line, node = 1, tree
    for part in path:
        positions = getattr(node, "lc", None)
        if positions is None:
            break
        try:
            line = (
                positions.key(part)[0] + 1
                if isinstance(node, Mapping)
                else positions.item(part)[0] + 1
            )
            node = node[part]
        except (KeyError, IndexError, TypeError):
            break
    return line


def _dotted(path: Path_) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or "the whole file"


def _suggestion(given: str, allowed: Iterable[str]) -> str:
    close = _closest(given, allowed)
    return f"; did you mean {close[0]!r}?" if close else ""


def _closest(given: str, allowed: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(given, list(allowed), n=1, cutoff=0.5)


def _from_pydantic_all(error: ValidationError) -> list[tuple[Path_, str]]:
    items = error.errors(include_url=False)
    misspelt = {
        (*item["loc"][:-1], match)
        for item in items
        if item["type"] == "extra_forbidden"
        for match in _closest(str(item["loc"][-1]), _keys_at(item["loc"][:-1]))
    }
    # A misspelt key is also a missing key; once is enough.
    return [
        _from_pydantic(item)
        for item in items
        if not (item["type"] == "missing" and item["loc"] in misspelt)
    ]


def _from_pydantic(item: Mapping[str, Any]) -> tuple[Path_, str]:
    """Put one pydantic error into our words; the path leaves out pydantic's own parts."""
    full: Path_ = tuple(part for part in item["loc"] if part != "[key]")
    # The path of a union goes through the name of the chosen kind, which is no key of the file.
    path = full[:1] + full[2:] if full[:1] == ("generate",) and full[1:2] else full
    kind, context = item["type"], item.get("ctx", {})
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        given = f"{context['tag']!r} is not known" if "tag" in context else "it is missing"
        return (*path, "kind"), f"{given}; use {' or '.join(RECIPES)}"
    if kind == "extra_forbidden":
        allowed = _keys_at(full[:-1])
        return path, (
            f"the key {path[-1]!r} is not known here; allowed are {', '.join(allowed)}"
            + _suggestion(str(path[-1]), allowed)
        )
    if kind == "missing":
        return path, f"this key is missing; {_MISSING.get(str(path[-1]), 'it has no default')}"
    if kind == "literal_error":
        allowed = [
            word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")
        ]
        given = str(item["input"])
        return path, f"{given!r} is not known; use {' or '.join(allowed)}" + _suggestion(
            given, allowed
        )
    if kind == "string_pattern_mismatch":
        return path, (
            f"{item['input']!r} is not a phase name; start with a letter and use letters, digits, "
            "'_', '-' and '.'"
        )
    if kind in ("list_type", "tuple_type"):
        return path, f"a list is needed here, for example [{item['input']}]"
    if kind in ("model_type", "dict_type"):
        keys = _keys_at(full)
        text = "keys with values are needed here"
        return path, f"{text}; allowed are {', '.join(keys)}" if keys else text
    if kind == "value_error":
        return path, str(context["error"])
    message = _KINDS.get(kind, item["msg"][:1].lower() + item["msg"][1:])
    if isinstance(item["input"], (str, int, float)):
        message += f", not {item['input']!r}"
    return path, message


def _keys_at(path: Sequence[str | int]) -> list[str]:
    """Return the keys that the section at a path may have."""
    model: type[BaseModel] = Study
    for part in path:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        nested = _section_of(field.annotation) if field is not None else RECIPES.get(part)
        if nested is None:
            return []
        model = nested
    return list(model.model_fields)


def _section_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated, list):
        for part in typing.get_args(annotation):
            found = _section_of(part)
            if found is not None:
                return found
    return None
