"""Labels of a smooth random field, and a scan of them by a given model."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from microtwin.imaging.labelling.posterior import GreyModel
from microtwin.imaging.labelling.response import blurred


def model_of(means, noise=0.5, blur=0.8, coupling=0.4, field=None):
    unlike = coupling * (1 - np.eye(len(means)))
    rows = tuple(map(tuple, unlike.tolist()))
    widths = tuple(np.broadcast_to(blur, 3).tolist())
    return GreyModel(tuple(means), noise, widths, rows, field or (0.0,) * len(means))


def spheres(shape=(40, 48, 48), phases=3, seed=0, width=3.0):
    field = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), width, mode="wrap")
    cuts = np.quantile(field, np.linspace(0, 1, phases + 1)[1:-1])
    return np.searchsorted(cuts, field).astype(np.uint8)


def scanned(labels, model, seed=1):
    values = blurred(np.asarray(model.means)[labels], model.blur)
    noise = model.noise * np.random.default_rng(seed).standard_normal(labels.shape)
    return (values + noise).astype(np.float32)
