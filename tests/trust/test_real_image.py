"""The studies on an X-ray image of a cathode."""

from __future__ import annotations

import pytest

from microtwin import Microstructure
from microtwin.trust import integral_range, subvolume_study, unresolved_interface
from real_images import real_image


@pytest.fixture(scope="module")
def cathode():
    import tifffile

    labels = tifffile.imread(real_image("nmc-cbd/nmc-1-cal_generatedCBD_bridge.tif"))
    return Microstructure(labels, 398e-9, {"pore": 0, "active": 1, "binder": 2})


def test_the_binder_is_the_phase_that_is_not_resolved(cathode):
    shares = {phase: unresolved_interface(cathode, phase) for phase in cathode.phases}
    # Values measured once; particles are tens of voxels wide, the binder one to three.
    assert shares == pytest.approx({"pore": 0.0911, "active": 0.0596, "binder": 0.4075}, abs=1e-3)


def test_porosity_by_covariance_and_by_sub_volumes(cathode):
    """Two estimates of one scatter that share nothing but the image."""
    structure = integral_range(cathode, "pore")
    assert structure.resolved
    # Pores between particles of some 10 um, thousands of them in a 100 x 120 x 120 um image.
    assert 3e-6 < structure.value ** (1 / 3) < 12e-6
    study = subvolume_study(
        cathode, lambda m: m.volume_fraction("pore"), phase="pore", divisions=(4, 5, 6)
    )
    # 25 %: 64, 125 and 216 sub-volumes, and gradients in a real electrode.
    assert study.std_whole == pytest.approx(study.fraction_std_whole, rel=0.25)
