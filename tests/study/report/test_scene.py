"""The 3-D view: which voxels it shows."""

from __future__ import annotations

import numpy as np

from microtwin import Microstructure
from microtwin.study.report import scene
from study.report.report_samples import layered


def test_small_images_are_shown_whole():
    micro = layered()
    np.testing.assert_array_equal(scene.decimated(micro), micro.labels)


def test_large_images_are_thinned_without_losing_a_thin_phase():
    # Random labels: a majority of blocks would erase a phase of 10 %, picking voxels keeps it.
    labels = (np.random.default_rng(0).random((200, 97, 20)) < 0.1).astype(np.uint8)
    micro = Microstructure(labels, 1e-7, {"pore": 0, "active": 1})
    picked = scene.decimated(micro)
    assert picked.shape == (96, 96, 20)
    # 184 320 voxels: the standard error of the fraction is 0.0007; five of them.
    assert abs(picked.mean() - 0.1) < 0.0035


def test_pores_are_hidden_at_first_unless_there_is_nothing_else():
    assert '"name": "pore", "colour": "#4a6a94", "shown": false' in scene._snapshot(layered())
    alone = Microstructure(np.zeros((3, 3, 3), np.uint8), 1e-7, {"pore": 0})
    assert '"shown": true' in scene._snapshot(alone)
