"""The demo's scene, and the settings of RELION's jobs that solve it in minutes on two CPU cores.

The settings carry RELION's joboption names and fit the scene: what is small there (box, particles, search ranges) is
small for speed, not advice for real data.
"""
from dataclasses import dataclass, field
from typing import Any, Dict

from .parameters import SceneParameters

DEMO_SCENE = SceneParameters(series=2, particles=28, tilts=15, tilt_step=7.0, snr=0.4)


def _options(**values: Any) -> Any:
    return field(default_factory=lambda: dict(values))


@dataclass(frozen=True)
class DemoSettings:
    """What the demo's protocols get: sizes in Å and pixels, then one dictionary of joboptions per job."""

    box: int = 32
    box_angst: float = 224.0
    diameter: float = 200.0
    class3d: Dict[str, Any] = _options(
        ref_correct_greyscale=True, ini_high=30.0, nr_classes=1, nr_iter=3, tau_fudge=1.0, sampling='1.8 degrees',
        do_local_ang_searches=True, sigma_angles=15.0, offset_range=2.0, offset_step=1.0)
    mask: Dict[str, Any] = _options(
        lowpass_filter=20.0, inimask_threshold=0.15, extend_inimask=2, width_mask_edge=3)
    refine3d: Dict[str, Any] = _options(
        ref_correct_greyscale=True, ini_high=25.0, sampling='1.8 degrees', auto_local_sampling='1.8 degrees',
        offset_range=1.0, offset_step=1.0, do_solvent_fsc=True)
    postprocess: Dict[str, Any] = _options(do_auto_bfac=True, autob_lowres=10.0)

    @property
    def pixel(self) -> float:
        """Å per pixel of the extracted particles."""
        return self.box_angst / self.box


DEMO_SETTINGS = DemoSettings()
