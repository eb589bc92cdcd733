"""A tracer in a flow: dispersion against the Péclet number, and a breakthrough curve.

Run with ``python examples/breakthrough.py``.
"""

from __future__ import annotations

import numpy as np

import microtwin as mt


def main() -> None:
    # Between plates the dispersion is known: 1 + 2 Pe^2 / 105 with half their distance.
    labels = np.ones((2, 2, 34), np.uint8)
    labels[:, :, 1:33] = 0
    slit = mt.Microstructure(labels, 1e-6, {"pore": 0, "wall": 1})
    flow = mt.transport.permeability(slit, "pore", tol=1e-7)
    d = mt.transport.dispersion(slit, flow, 50.0, length=16e-6)
    exact = 1.0 + 2.0 / 105.0 * 50.0**2
    print(f"plates, Pe = 50: {d.longitudinal[0]:.2f} times the diffusivity, exactly {exact:.2f}")
    assert abs(d.longitudinal[0] / exact - 1.0) < 0.01

    # Through a random image: without flow it is steady diffusion.
    micro = mt.generation.gaussian_field(24, 2.5, 0.5, seed=3)
    flow = mt.transport.permeability(micro, "pore", boundary="periodic")
    d = mt.transport.dispersion(micro, flow, [0.0, 3.0, 30.0])
    steady = mt.transport.tortuosity_factor(micro, "pore", boundary="periodic")
    for peclet, along, across in zip(d.peclet, d.longitudinal, d.transverse, strict=True):
        print(f"Pe {peclet:4.0f}: {along:6.3f} along the flow, {across:.3f} across it")
    at_rest = d.volume_fraction * d.relative_tensor[0, 0, 0]
    assert abs(at_rest / steady.relative_diffusivity - 1.0) < 1e-3
    assert d.longitudinal[2] > 3.0 * d.longitudinal[0]
    assert d.numerical_share[2] < 0.05

    # What comes out of it after a step at the inlet, with a tracer that is sorbed.
    flow = mt.transport.permeability(micro, "pore", boundary="faces")
    velocity = 10.0 * 1e-9 / mt.transport.grain_diameter(micro, "pore")
    b = mt.transport.breakthrough(micro, flow, 1e-9, velocity, retardation=2.0, pore_volumes=10.0)
    half = b.pore_volumes[np.searchsorted(b.concentration, 0.5)]
    print(
        f"half of the concentration after {half:.2f} pore volumes; fitted velocity "
        f"{b.fit.velocity / velocity:.2f} times the mean, dispersion "
        f"{b.fit.dispersion / b.diffusivity:.2f} times the diffusivity; balance {b.balance:.0e}"
    )
    assert abs(b.balance) < 1e-8
    assert b.lowest > -1e-8 and b.highest < 1.0 + 1e-8
    # The mean residence time is the retardation, in pore volumes, whatever the pores.
    mean = float((1.0 - b.concentration).sum() * (b.pore_volumes[1] - b.pore_volumes[0]))
    assert abs(mean / 2.0 - 1.0) < 0.01


if __name__ == "__main__":
    main()
