"""Formulas as MathML, which browsers draw by themselves: no script and no network needed."""

from __future__ import annotations

from html import escape

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx


def _mathml(latex: str, display: str) -> str:
    # The converter knows the aligned environment by its other name.
    return convert(latex.replace("{aligned}", "{align*}"), display=display)


def _visit_inline(writer, node: nodes.math) -> None:
    writer.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _visit_block(writer, node: nodes.math_block) -> None:
    number = f'<span class="eqno">({escape(str(node["number"]))})</span>' if node["number"] else ""
    anchors = "".join(f'<span id="{escape(anchor)}"></span>' for anchor in node["ids"])
    formula = _mathml(node.astext(), "block")
    writer.body.append(f'<div class="formula">{anchors}{number}{formula}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer under the name mathml."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
