"""Small pieces of HTML; every text that comes from outside is escaped here."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["Html", "badge", "callout", "details", "figure", "muted", "section", "table", "text"]


class Html(str):
    """Text that is markup already and is not escaped again."""

    __slots__ = ()


def text(value: Any) -> Html:
    """Return any value as escaped text; `Html` passes unchanged."""
    return value if isinstance(value, Html) else Html(html.escape(str(value), quote=True))


def muted(value: Any) -> Html:
    """Return text in the colour of remarks."""
    return Html(f'<span class="muted">{text(value)}</span>')


def table(
    head: Sequence[Any],
    rows: Iterable[Sequence[Any]],
    *,
    caption: str = "",
    words: int = 1,
) -> Html:
    """Return a table that scrolls sideways on small screens.

    Parameters
    ----------
    head : sequence
        Titles of the columns.
    rows : iterable of sequence
        Cells; the first of each row is its header.
    caption : str
        Sentence above the table.
    words : int
        How many leading columns hold words (aligned left); the others hold numbers.
    """
    titles = "".join(
        f'<th scope="col"{_number_class(i, words)}>{text(cell)}</th>' for i, cell in enumerate(head)
    )
    body = "".join(f"<tr>{_cells(row, words)}</tr>" for row in rows)
    title = f"<caption>{text(caption)}</caption>" if caption else ""
    return Html(
        f'<div class="scroll" tabindex="0"><table>{title}<thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cells(row: Sequence[Any], words: int) -> str:
    first, *rest = row
    return f'<th scope="row">{text(first)}</th>' + "".join(
        f"<td{_number_class(i, words)}>{text(cell)}</td>" for i, cell in enumerate(rest, start=1)
    )


def _number_class(column: int, words: int) -> str:
    return "" if column < words else ' class="number"'


def figure(content: str, caption: Any, kind: str = "") -> Html:
    """Return a figure with its caption, or nothing when there is no content.

    The kind "wide" lets small screens scroll instead of shrinking; "screen" is not printed.
    """
    if not content:
        return Html("")
    style = f' class="{kind}"' if kind else ""
    return Html(f"<figure{style}>{content}<figcaption>{text(caption)}</figcaption></figure>")


_VERDICTS = {"pass": "good", "passed": "good", "ok": "good", "true": "good"}
_FAILURES = {"fail": "bad", "failed": "bad", "error": "bad", "false": "bad"}
_SIGNS = {"good": "✓", "bad": "✗", "note": "!"}


def verdict_kind(verdict: Any) -> str:
    """Return "good", "bad" or "note" for a verdict such as "pass", "fail" or "warning"."""
    word = str(verdict).strip().lower()
    return _VERDICTS.get(word) or _FAILURES.get(word) or "note"


def badge(kind: str, label: Any) -> Html:
    """Return a short verdict with a sign and a colour; kind is "good", "bad" or "note"."""
    return Html(f'<span class="badge {kind}">{_SIGNS[kind]} {text(label)}</span>')


def callout(sentence: Any) -> Html:
    """Return a sentence that the reader must not miss."""
    return Html(f'<p class="callout">{text(sentence)}</p>')


def details(summary: Any, body: str, *, shown: bool = False) -> Html:
    """Return a part that the reader can fold away; it is always printed."""
    return Html(
        f"<details{' open' if shown else ''}><summary>{text(summary)}</summary>{body}</details>"
    )


def section(identifier: str, title: str, body: str) -> Html:
    """Return a section of the page with its heading."""
    return Html(f'<section id="{identifier}"><h2>{text(title)}</h2>{body}</section>')
