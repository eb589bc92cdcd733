"""Is the sampling uncertainty of one image right? 200 images of materials whose mean is known."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from microtwin.generation import gaussian_field
from microtwin.transport import tortuosity_factor
from microtwin.trust import integral_range, subvolume_study, tortuosity_uncertainty
from trust import boolean_model as bm

IMAGES = 200
EDGE = 48
Z90 = NormalDist().inv_cdf(0.95)

MATERIALS = {
    "overlapping spheres": lambda seed: bm.boolean_model(EDGE, 3, 0.45, seed),
    "gaussian field": lambda seed: gaussian_field(2 * EDGE, 2.5, 0.45, seed=seed).crop(
        *(slice(EDGE),) * 3
    ),
}


@pytest.mark.parametrize("material", list(MATERIALS))
def test_nine_in_ten_intervals_hold_the_value_of_a_large_sample(material):
    values, stated = [], []
    for seed in range(IMAGES):
        micro = MATERIALS[material](seed)
        eps = micro.volume_fraction("pore")
        study = subvolume_study(
            micro,
            lambda m: tortuosity_factor(m, "pore", tol=1e-3).relative_diffusivity,
            phase="pore",
        )
        eps_std = math.sqrt(integral_range(micro, "pore").variance(micro.extent))
        tau_std = tortuosity_uncertainty(
            eps, study.whole, study.std_whole, eps_std, study.fraction_correlation
        )
        low, high = study.value_interval
        assert high - low == pytest.approx(2 * Z90 * study.std_whole)
        values.append((eps, study.whole, eps / study.whole))
        stated.append((eps_std, study.std_whole, tau_std))
    # 200 images together are the large sample: their mean has 1/14 of the scatter of one. A large
    # sample has the tortuosity factor of the means, not the mean of the tortuosity factors.
    eps, diffusivity, _ = np.mean(values, axis=0)
    large = (eps, diffusivity, eps / diffusivity)
    held = np.abs(np.array(values) - large) <= Z90 * np.array(stated)
    assert np.all(held.mean(axis=0) >= 0.85) and np.all(held.mean(axis=0) <= 0.95)
    # And the predicted scatter is the one that is there, to 10 %.
    predicted = np.sqrt(np.mean(np.square(stated), axis=0))
    assert predicted == pytest.approx(np.std(values, axis=0, ddof=1), rel=0.1)
