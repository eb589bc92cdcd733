"""What all figures of the report share: colours, scale bars, and SVG that follows the page.

Figures are drawn with matplotlib's object interface and leave as SVG inside an ``<img>``: text
stays text, pictures keep their own pixels, a reader can save each figure, and the ink turns
light when the page is dark.
"""

from __future__ import annotations

import base64
import html
import io
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from ...microstructure import Microstructure
from .digits import length

__all__ = [
    "INK",
    "SERIES",
    "Picture",
    "drawn",
    "image_tag",
    "mid_slice",
    "name_axes",
    "phase_colours",
    "phase_rgb",
    "shortened",
    "show_picture",
    "thinned",
]

INK = "#1c2128"
"""Colour of text and lines; the reader's browser replaces it on a dark page."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#b8609a", "#8a6d00")
"""Line colours that stay apart for colour-blind readers and on light and dark pages."""

_DARK_INK = "#e4e7eb"
# Okabe and Ito's colours, told apart with every common colour vision; pores recede.
_PORE_COLOUR = "#4a6a94"
_PHASE_COLOURS = (
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#cc79a7",
    "#d55e00",
    "#b3a600",
    "#999999",
)
_PORE_NAMES = ("pore", "void", "electrolyte", "air", "gap", "liquid", "fluid", "gas")
_LARGEST_PICTURE = 512
_LARGEST_STRETCH = 5.0
_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9.0,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    # Names come from the user and may hold a dollar sign.
    "text.parse_math": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.image_inline": True,
    "image.composite_image": False,
}


def is_pore(phase: str) -> bool:
    """Whether the name of a phase says that it is the space between solids."""
    return any(word in phase.lower() for word in _PORE_NAMES)


def phase_colours(micro: Microstructure) -> dict[str, str]:
    """Return a colour (``#rrggbb``) for each phase, by name, the same in all figures."""
    colours, used = {}, 0
    pore = next((name for name in micro.phase_names if is_pore(name)), None)
    for name in micro.phase_names:
        if name == pore:
            colours[name] = _PORE_COLOUR
            continue
        turn, index = divmod(used, len(_PHASE_COLOURS))
        colours[name] = _darkened(_PHASE_COLOURS[index], 0.72**turn)
        used += 1
    return colours


def _darkened(colour: str, factor: float) -> str:
    return "#" + "".join(f"{round(255 * factor * part):02x}" for part in to_rgb(colour))


def phase_rgb(labels: NDArray[np.uint8], micro: Microstructure) -> NDArray[np.uint8]:
    """Return labels of any shape as colours, shape (..., 3)."""
    table = np.zeros((256, 3), np.uint8)
    for name, colour in phase_colours(micro).items():
        table[micro.label(name)] = [round(255 * part) for part in to_rgb(colour)]
    return table[labels]


def mid_slice(
    micro: Microstructure, axis: int
) -> tuple[NDArray[np.uint8], tuple[float, float], float]:
    """Return the middle plane across an axis, its pixel (rows, columns) and its place in metres."""
    index = micro.shape[axis] // 2
    rows, columns = (a for a in range(3) if a != axis)
    plane = np.take(micro.labels, index, axis=axis)
    pixel = (micro.voxel_size[rows], micro.voxel_size[columns])
    return plane, pixel, (index + 0.5) * micro.voxel_size[axis]


def thinned(picture: NDArray[Any]) -> NDArray[Any]:
    """Return every n-th pixel of a picture that is larger than a page can show."""
    rows, columns = (math.ceil(n / _LARGEST_PICTURE) for n in picture.shape[:2])
    return picture[rows // 2 :: rows, columns // 2 :: columns]


def shortened(name: str, limit: int = 24) -> str:
    """Return a name that fits in a figure: one line, no control characters, an ellipsis if long."""
    printable = "".join(c if c.isprintable() else " " for c in name)
    text = printable if len(printable) <= limit else printable[: limit - 1] + "…"
    # matplotlib leaves labels that start with an underscore out of legends.
    return f"\u200b{text}" if text.startswith("_") else text


class Picture:
    """Extent of a picture on the page: its physical size, and the stretch that keeps it legible.

    Parameters
    ----------
    shape : (int, int)
        Pixels along rows and columns.
    pixel : (float, float)
        Edge length of a pixel along rows and columns, in metres.

    Attributes
    ----------
    height, width : float
        Physical size in metres.
    stretch : float
        Factor by which the height is drawn too large (or, below 1, too small); 1 for true
        proportions. Only pictures more than five times longer than wide are stretched.
    """

    def __init__(self, shape: tuple[int, ...], pixel: tuple[float, float]) -> None:
        self.height = shape[0] * pixel[0]
        self.width = shape[1] * pixel[1]
        ratio = self.height / self.width
        shown = min(max(ratio, 1 / _LARGEST_STRETCH), _LARGEST_STRETCH)
        self.stretch = shown / ratio
        self.ratio = shown

    @property
    def note(self) -> str:
        """Remark about a stretched axis, empty when the proportions are true."""
        if abs(self.stretch - 1) < 1e-6:
            return ""
        return f"not to scale: heights × {self.stretch:.2g}"


def show_picture(
    axes: Axes,
    picture: NDArray[Any],
    pixel: tuple[float, float],
    names: tuple[str, str],
    **style: Any,
) -> Any:
    """Show a 2-D picture (or RGB) with its first row at the bottom, a scale bar and named axes."""
    frame = Picture(picture.shape, pixel)
    shown = axes.imshow(
        thinned(picture),
        origin="lower",
        extent=(0.0, frame.width, 0.0, frame.height),
        aspect=frame.stretch,
        interpolation="none",
        **style,
    )
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    name_axes(axes, names, frame.width, narrow=frame.ratio >= 2.0)
    return shown


def name_axes(axes: Axes, names: tuple[str, str], width: float, narrow: bool = False) -> None:
    """Name the axes of a picture that is `width` metres wide, and draw a scale bar under it."""
    axes.set_ylabel(f"{names[0]} →", labelpad=2)
    _scale_bar(axes, width)
    # Beside the scale bar, or under it when the picture is narrow.
    below = -21.0 if narrow else -10.0
    axes.annotate(
        f"{names[1]} →",
        (1.0, 0.0),
        (0.0, below),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="top",
    )


def _scale_bar(axes: Axes, width: float) -> None:
    """Draw a bar of a round length under the left end of a picture that is `width` metres wide."""
    bar = _round_length(0.3 * width)
    down = ScaledTranslation(0.0, -6.0 / 72.0, axes.figure.dpi_scale_trans)
    axes.plot(
        [0.0, bar / width],
        [0.0, 0.0],
        transform=axes.transAxes + down,
        color=INK,
        linewidth=2.4,
        solid_capstyle="butt",
        clip_on=False,
    )
    axes.annotate(
        length(bar),
        (0.0, 0.0),
        (0.0, -10.0),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="left",
        va="top",
    )


def _round_length(limit: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that does not exceed a length."""
    power = 10.0 ** math.floor(math.log10(limit))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= limit * (1 + 1e-9))


@contextmanager
def drawn(name: str, size: tuple[float, float], alt: str) -> Iterator[_Drawing]:
    """Give a figure of a size in inches; afterwards its ``html`` holds the finished image.

    Parameters
    ----------
    name : str
        Name of the figure, from which the identifiers inside the SVG are derived, so that equal
        data gives equal bytes.
    size : (float, float)
        Width and height in inches; 1 inch is 96 CSS pixels.
    alt : str
        What the picture shows, for readers who do not see it.
    """
    settings: Any = {**_RC, "svg.hashsalt": name}
    with matplotlib.rc_context(settings):
        drawing = _Drawing(Figure(figsize=size, layout="constrained"))
        yield drawing
        drawing.html = _finished(drawing.figure, alt)


class _Drawing:
    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.html = ""


def _finished(figure: Figure, alt: str) -> str:
    width, height = figure.get_size_inches()
    stream = io.BytesIO()
    metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
    FigureCanvasSVG(figure).print_svg(stream, metadata=metadata)
    return image_tag(_themed(stream.getvalue().decode()), alt, (width * 96, height * 96))


def _themed(svg: str) -> str:
    """Let the ink of a figure follow the colour scheme of the page and drop what is not drawn."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"(?<=data:image/png;base64,)[^\"]+", _repacked, svg)
    svg = svg.replace(INK, "currentColor")
    style = (
        f"<style>svg{{color:{INK}}}"
        f"@media (prefers-color-scheme:dark){{svg{{color:{_DARK_INK}}}}}"
        "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,"
        "'DejaVu Sans',sans-serif!important}</style>"
    )
    end = svg.index(">") + 1
    return svg[:end] + style + svg[end:]


def _repacked(match: re.Match[str]) -> str:
    """Store a picture of few colours with one byte per pixel instead of four."""
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(match[0]))).convert("RGBA"))
    flat = np.ascontiguousarray(pixels).view(np.uint32).ravel()
    colours, index = np.unique(flat, return_inverse=True)
    if colours.size > 256:
        return match[0]
    palette = Image.fromarray(index.astype(np.uint8).reshape(pixels.shape[:2])).convert("P")
    table = colours.view(np.uint8).reshape(-1, 4)
    palette.putpalette(table[:, :3].tobytes())
    stream = io.BytesIO()
    palette.save(stream, "PNG", transparency=table[:, 3].tobytes(), optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def image_tag(svg: str, alt: str, size: Sequence[float]) -> str:
    """Return an ``<img>`` that carries an SVG inside itself."""
    data = base64.b64encode(svg.encode()).decode()
    width, height = (round(value) for value in size)
    return (
        f'<img alt="{html.escape(alt, quote=True)}" width="{width}" height="{height}" '
        f'src="data:image/svg+xml;base64,{data}">'
    )
