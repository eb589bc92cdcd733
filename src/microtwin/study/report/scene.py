"""The interactive 3-D view: labelled voxels in a k3d snapshot that needs no network."""

from __future__ import annotations

import html
import json
import re

import numpy as np
from numpy.typing import NDArray

from ...microstructure import Microstructure
from .drawing import is_pore, phase_colours

__all__ = ["decimated", "scene_frame", "scene_shape"]

LARGEST_AXIS = 96
"""Most voxels along an axis of the 3-D view; more make the page heavy and slow to open."""

_BACKGROUND = 0xF4F5F7


def scene_shape(micro: Microstructure) -> tuple[int, int, int]:
    """Return the voxels along (z, y, x) that the 3-D view shows."""
    return tuple(min(n, LARGEST_AXIS) for n in micro.shape)  # type: ignore[return-value]


def decimated(micro: Microstructure) -> NDArray[np.uint8]:
    """Return evenly spaced voxels of the image, at most 96 along each axis.

    Single voxels are picked rather than majorities of blocks, so that thin phases keep their
    volume fraction.
    """
    shape = scene_shape(micro)
    picks = [
        ((np.arange(m) + 0.5) * n / m).astype(np.intp)
        for m, n in zip(shape, micro.shape, strict=True)
    ]
    return np.ascontiguousarray(micro.labels[np.ix_(*picks)])


def scene_frame(micro: Microstructure) -> str:
    """Return an ``<iframe>`` that holds the whole 3-D view, with a switch for each phase.

    The frame is sandboxed: its script runs, but cannot reach the page or the reader's files.
    """
    document = html.escape(_snapshot(micro), quote=True)
    return (
        '<iframe class="scene" title="Interactive 3-D view of the labelled image" loading="lazy" '
        f'sandbox="allow-scripts allow-downloads" srcdoc="{document}"></iframe>'
    )


def _snapshot(micro: Microstructure) -> str:
    import k3d

    plot = k3d.plot(
        background_color=_BACKGROUND,
        grid_visible=False,
        menu_visibility=False,
        camera_auto_fit=False,
        camera_up_axis="z",
        camera_no_zoom=True,
        lighting=2.1,
        axes_helper=0.8,
        axes=["x", "y", "z"],
        name="microtwin",
    )
    labels = decimated(micro)
    lz, ly, lx = (side / max(micro.extent) for side in micro.extent)
    switches = []
    for identifier, (phase, colour) in enumerate(phase_colours(micro).items(), start=1):
        mask = labels == micro.label(phase)
        if not mask.any():
            continue
        shown = not is_pore(phase)
        voxels = k3d.voxels(
            mask.astype(np.uint8),
            color_map=[int(colour[1:], 16)],
            outlines=False,
            bounds=[-lx / 2, lx / 2, -ly / 2, ly / 2, -lz / 2, lz / 2],
            visible=shown,
            roughness=0.9,
        )
        # k3d numbers objects by their address in memory; equal data shall give equal bytes.
        voxels.id = identifier
        plot += voxels
        switches.append({"id": identifier, "name": phase, "colour": colour, "shown": shown})
    if switches and not any(switch["shown"] for switch in switches):
        switches[0]["shown"] = True
        plot.objects[0].visible = True
    distance = 0.85 * float(np.linalg.norm([lx, ly, lz]))
    direction = np.array([0.62, -0.95, 0.62])
    eye = distance * direction / np.linalg.norm(direction)
    plot.camera = [*map(float, eye), 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    page = plot.get_snapshot(9, additional_js_code=_script(switches))
    return re.sub(r"<title>.*?</title>", "<title>3-D view</title>", page, count=1)


def _script(switches: list[dict[str, object]]) -> str:
    # "<" could close the script element early; JSON allows it as an escape.
    listed = json.dumps(switches).replace("<", "\\u003c")
    return _SWITCHES.replace("SWITCHES", listed)


_SWITCHES = """
const panel = document.createElement('div');
panel.style.cssText = 'position:absolute;left:10px;top:10px;z-index:10;background:#ffffffd9;' +
  'color:#1c2128;border-radius:6px;padding:6px 10px;font:14px/1.6 system-ui,sans-serif;' +
  'max-width:45%;max-height:85%;overflow:auto';
SWITCHES.forEach(function (phase) {
  const label = document.createElement('label');
  label.style.cssText = 'display:flex;gap:6px;align-items:center;cursor:pointer';
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.checked = phase.shown;
  box.addEventListener('change', function () {
    const object = K3DInstance.getObjectById(phase.id);
    if (object) { object.visible = box.checked; K3DInstance.render(); }
  });
  const swatch = document.createElement('span');
  swatch.style.cssText = 'flex:none;width:12px;height:12px;border-radius:2px;background:' +
    phase.colour;
  const name = document.createElement('span');
  name.style.overflowWrap = 'anywhere';
  name.textContent = phase.name;
  label.append(box, swatch, name);
  panel.append(label);
});
document.body.append(panel);
// The wheel scrolls the page until the reader has taken hold of the picture.
const zoom = function (allowed) { K3DInstance.setCameraLock(false, !allowed, false); };
document.addEventListener('pointerdown', function () { zoom(true); });
document.documentElement.addEventListener('mouseleave', function () { zoom(false); });
"""
