"""Conductivity tensor of a tilted laminate, and what one insulating phase more does to it.

Layers of two materials have a known tensor: harmonic mean across them, arithmetic mean along them,
rotated into the axes of the image. It has off-diagonal terms, because a gradient across tilted
layers also drives a flux along them.

Run it with ``python examples/composite_tensor.py``.
"""

import numpy as np

from microtwin import Microstructure
from microtwin.generation import laminate
from microtwin.transport import homogenize

CONDUCTIVITY = {"a": 1.0, "b": 10.0}  # S/m
SHAPE, WAVES = (32, 64, 4), (1, 1, 0)  # one period along z and y: the normal is (2, 1, 0)


def exact() -> np.ndarray:
    """Return the tensor of the laminate from the means across and along the layers."""
    normal = np.array([2.0, 1.0, 0.0]) / np.sqrt(5.0)
    across, along = 2.0 / (1 / 1.0 + 1 / 10.0), 0.5 * (1.0 + 10.0)
    return along * np.eye(3) + (across - along) * np.outer(normal, normal)


def main() -> None:
    """Print the tensor beside the exact one, and that with a hole through the layers."""
    micro = laminate(SHAPE, WAVES, voxel_size=1e-6)
    result = homogenize(micro, CONDUCTIVITY)
    with np.printoptions(precision=4, suppress=True):
        print("computed, components z, y, x, in S/m\n", result.tensor)
        print("exact\n", exact())
        print("principal values", result.principal_values)
        print("layer normal", np.abs(result.principal_directions[:, 2]))
    error = np.abs(result.tensor - exact()).max() / exact().max()
    print(f"largest error {error:.2%}, {max(result.iterations)} iterations per load")

    labels = micro.labels.copy()
    labels[12:20, 24:40] = 2
    holed = Microstructure(labels, micro.voxel_size, {"a": 0, "b": 1, "hole": 2})
    with_hole = homogenize(holed, CONDUCTIVITY)  # a phase that is not named insulates
    ratio = with_hole.in_plane / result.in_plane
    print(f"a hole of {holed.volume_fraction('hole'):.1%} leaves {ratio:.1%} in the plane")

    assert error < 0.005
    assert abs(result.tensor[0, 1] / exact()[0, 1] - 1) < 0.005
    assert ratio < 1 - holed.volume_fraction("hole")


if __name__ == "__main__":
    main()
