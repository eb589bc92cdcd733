"""Measure meshes: quality, areas, volumes, time and memory.

    python benchmarks/meshing.py shapes
    python benchmarks/meshing.py electrode IMAGE.tif --edge 100
    python benchmarks/meshing.py rough
    python benchmarks/meshing.py solve

Times are processor seconds of all threads, and of the wall clock, after a first call that compiles.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from segmentation import PeakMemory

import microtwin as mt
from microtwin.meshing import MeshQuality, TetrahedralMesh, effective_conductivity, tetrahedralize

VOXEL = 4e-7
COLUMNS = "  size     cells  min  1 %  volume    area      CPU s  wall s  verdict"


def ball(radius: float) -> mt.Microstructure:
    """Return a ball off the voxel centres."""
    n = int(2 * radius + 12)
    place = (
        np.indices((n, n, n)) + 0.5 - (np.array([0.13, -0.21, 0.05]) + n / 2)[:, None, None, None]
    )
    labels = ((place**2).sum(axis=0) < radius**2).astype(np.uint8)
    return mt.Microstructure(labels, VOXEL, {"pore": 0, "active": 1})


def film(thickness: float, n: int = 32) -> mt.Microstructure:
    """Return a film of binder on a ball."""
    place = np.indices((n, n, n)) + 0.5 - n / 2
    height = np.sqrt((place**2).sum(axis=0)) - 0.3 * n
    labels = np.where(height < 0, 1, np.where(height < thickness, 2, 0)).astype(np.uint8)
    return mt.Microstructure(labels, VOXEL, {"pore": 0, "active": 1, "binder": 2})


def frustum(angle: float, radius: float = 14.0, height: float = 10.0) -> mt.Microstructure:
    """Return a cone of binder without its tip, on active material, with this angle at the rim."""
    n = int(2 * radius + 14)
    z, y, x = np.indices((int(radius) + 14, n, n)) + 0.5
    above = z - 6.3
    wide = radius - above / np.tan(np.radians(angle))
    binder = (above < height) & (np.hypot(y - n / 2 - 0.2, x - n / 2 - 0.2) < wide)
    labels = np.where(above < 0, 1, np.where(binder, 2, 0)).astype(np.uint8)
    return mt.Microstructure(labels, VOXEL, {"pore": 0, "active": 1, "binder": 2})


def show(name: str, micro: mt.Microstructure, size: float) -> tuple[TetrahedralMesh, MeshQuality]:
    """Mesh an image, and print a line on it."""
    wall, cpu = time.perf_counter(), time.process_time()
    mesh = tetrahedralize(micro, size)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    quality = mesh.quality()
    volume = max(abs(a - b) for a, b in quality.volume_fractions.values())
    area = max(abs(a / b - 1) for a, b in quality.interface_areas.values() if b)
    print(
        f"{name:32s} {size:5.2g} {quality.cells:9d} {quality.smallest_angle:4.1f} "
        f"{quality.angle_quantiles[0.01]:4.1f} {100 * volume:7.4f} % {100 * area:5.1f} % "
        f"{cpu:9.2f} {wall:7.2f}  {quality.verdict}"
    )
    sound = quality.inverted == quality.unmatched_faces == quality.non_manifold == 0
    assert sound, f"{name}: not a conforming mesh"
    return mesh, quality


def shapes() -> None:
    """Balls, films and cones, against exact areas."""
    for radius in (10, 20, 40):
        mesh, _ = show(f"ball, radius {radius}", ball(radius), 2.0)
        area = mesh.interface_areas["active", "pore"] / (4 * np.pi * (radius * VOXEL) ** 2)
        print(f"{'':34s}area over the exact one: {area:.4f}")
    for thickness in (1, 2, 3):
        for size in (2.0, 1.0):
            mesh, _ = show(f"film of {thickness} voxel(s) on a ball", film(thickness), size)
            holes = mesh.interface_areas["active", "pore"]
            area = mesh.interface_areas["active", "binder"] / (4 * np.pi * (9.6 * VOXEL) ** 2)
            print(f"{'':34s}area of holes {holes:g}; of the ball over the exact one {area:.4f}")
    for angle in (90, 75, 53):
        mesh, _ = show(f"cone, {angle} degrees at the rim", frustum(angle), 2.0)
        area = mesh.interface_areas["active", "binder"] / (np.pi * (14 * VOXEL) ** 2)
        print(f"{'':34s}area of its foot over the exact one: {area:.4f}")


def electrode(path: str, edge: int, size: float) -> None:
    """Mesh the middle of an image with the labels 0 pore, 1 active, 2 binder."""
    phases = {"pore": 0, "active": 1, "binder": 2}
    micro = mt.read_microstructure(path, voxel_size=VOXEL, phases=phases)
    spans = [slice((n - edge) // 2, (n - edge) // 2 + edge) for n in micro.shape]
    part = micro.crop(*spans)
    memory = PeakMemory()
    _, quality = show(f"electrode, {edge}^3", part, size)
    peak = memory.stop()
    print(f"{peak / 1e9:.2f} GB, {peak / edge**3:.0f} B/voxel, its quality included")
    print(quality)


def rough() -> None:
    """Five phases, and Gaussian fields down to the voxel."""
    for length in (4.0, 2.5, 1.5):
        micro = mt.generation.gaussian_field(64, length, 0.4, voxel_size=VOXEL)
        show(f"Gaussian field, length {length:g}", micro, 2.0)
    rng = np.random.default_rng(0)
    from scipy import ndimage

    fields = [ndimage.gaussian_filter(rng.normal(size=(64, 64, 64)), 3.0) for _ in range(5)]
    labels = np.argmax(fields, axis=0).astype(np.uint8)
    names = {f"phase {k}": k for k in range(5)}
    show("five phases", mt.Microstructure(labels, VOXEL, names), 2.0)


def solve() -> None:
    """Diffusion in the pores of about a million tetrahedra."""
    micro = mt.generation.gaussian_field(96, 6.0, 0.4, voxel_size=VOXEL)
    mesh, _ = show("Gaussian field, length 6", micro, 1.6)
    for order in (1, 2):
        wall, cpu = time.perf_counter(), time.process_time()
        memory = PeakMemory()
        value = effective_conductivity(mesh, {"pore": 1.0, "solid": 0.01}, order=order)
        peak = memory.stop()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(
            f"order {order}: D_eff {value:.5f}, {cpu:.1f} CPU s, {wall:.1f} s, {peak / 1e9:.2f} GB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["shapes", "electrode", "rough", "solve"])
    parser.add_argument("image", nargs="?", help="for electrode: an image of labels")
    parser.add_argument("--edge", type=int, default=100, help="voxels along each edge")
    parser.add_argument("--size", type=float, default=2.0, help="voxels")
    options = parser.parse_args()
    tetrahedralize(ball(5)).quality()  # compiles
    print(f"{'':32s}{COLUMNS}")
    if options.what == "electrode":
        if options.image is None:
            parser.error("electrode needs an image of labels")
        electrode(options.image, options.edge, options.size)
    else:
        {"shapes": shapes, "rough": rough, "solve": solve}[options.what]()


if __name__ == "__main__":
    main()
