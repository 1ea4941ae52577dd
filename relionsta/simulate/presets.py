"""The scenes of the demo and the tutorial, and the settings of RELION's jobs that solve them in minutes on two CPU cores.

The settings carry RELION's joboption names and fit the scene: what is small there (box, particles, search ranges) is
small for speed, not advice for real data. The time goes into the last iterations of auto-refine. With more signal per
particle RELION goes on to angular steps below half a degree; with a coarser first sampling it halves the offset
step once more while the offset range stays: either makes these iterations several times as slow, for nothing here.
"""
from dataclasses import dataclass, field
from typing import Any, Dict

from .parameters import SceneParameters

#: One pick in eight is another species, one in eight an empty place.
DEMO_SCENE = SceneParameters(decoys=6, empty_picks=6)

# Else RELION takes the time of day, and the half sets differ from run to run.
_SEED = '--random_seed 1'
# Only the likeliest poses are looked at closely: with fine steps there are many, and an iteration takes ten times as long.
_FEW_POSES = ' --maxsig 20'


def _options(**values: Any) -> Any:
    return field(default_factory=lambda: dict(values))


@dataclass(frozen=True)
class DemoSettings:
    """What the demo's protocols get: sizes in Å and pixels, then one dictionary per job: joboptions, and the parameters
    of Scipion's own form for `select`."""

    box: int = 32
    box_angst: float = 224.0
    diameter: float = 200.0
    # The average of the picks is not on RELION's absolute grey scale: without this first correlation step the
    # orientations hardly improve in three iterations.
    class3d: Dict[str, Any] = _options(
        ref_correct_greyscale=False, ini_high=30.0, nr_classes=1, nr_iter=3, tau_fudge=1.0, sampling='1.8 degrees',
        do_local_ang_searches=True, sigma_angles=15.0, offset_range=2.0, offset_step=1.0, other_args=_SEED)
    # One class more than there are kinds of picks: with three, two kinds share one now and then. Little weight on the
    # data and a limited resolution keep the particles together in one class.
    classify: Dict[str, Any] = _options(
        ref_correct_greyscale=True, ini_high=30.0, nr_classes=4, nr_iter=10, tau_fudge=0.2, highres_limit=30.0,
        dont_skip_align=False, other_args=_SEED)
    # What is said of any good class, and no number of one: the classes come in another order with every scene.
    select: Dict[str, Any] = _options(selectBy='criteria', minShare=30.0, maxResolution=40.0)
    mask: Dict[str, Any] = _options(
        lowpass_filter=20.0, inimask_threshold=0.1, extend_inimask=2, width_mask_edge=3)
    refine3d: Dict[str, Any] = _options(
        ref_correct_greyscale=True, ini_high=25.0, sampling='0.9 degrees', auto_local_sampling='0.9 degrees',
        offset_range=1.0, offset_step=1.0, do_solvent_fsc=True, other_args=_SEED)
    # RELION can fit a B-factor only where the map is better than 10 Å: here one is given.
    postprocess: Dict[str, Any] = _options(do_auto_bfac=False, do_adhoc_bfac=True, adhoc_bfac=-300.0)

    @property
    def pixel(self) -> float:
        """Å per pixel of the extracted particles."""
        return self.box_angst / self.box


DEMO_SETTINGS = DemoSettings()

#: What a session has that was aligned and whose CTF was estimated by a program that sees no particles: every value that
#: the data set states is wrong, and nothing is said of how the particles move. The particle has fine detail, which the
#: errors hide. There is so much signal that RELION finds orientations to a degree, once the errors of the series are small:
#: with worse ones the end is two Fourier shells and more from what true parameters give. The detail is no
#: finer than about 10 Å: beyond that, resolution says how many particles there are and no longer how well they fit.
TUTORIAL_SCENE = SceneParameters(
    series=2, particles=40, decoys=6, empty_picks=6, tilts=31, tilt_step=4.0, image_size=(560, 528), thickness=96,
    pixel=3.0, tomogram_binning=4, snr=0.8, diameter=120.0, detail=4.0, detail_sigma=3.0, spacing=130.0, tilt_shift_rms=20.0,
    pick_angle_error=7.0, pick_shift_error=5.0, defocus_error=(1500.0, -1500.0), tilt_shift_error=5.0, motion=0.15)


@dataclass(frozen=True)
class TutorialSettings(DemoSettings):
    """What the tutorial's protocols get beside that of the demo: settings of the refinement cycle, in which the reference
    has the pixel size of the tilt series, and of the refinement after it, with `fine_box` pixels in a box as wide."""

    box: int = 24
    box_angst: float = 192.0
    diameter: float = 160.0
    fine_box: int = 48
    reference_box: int = 64
    # The first iteration, by correlation, brings the orientations and positions as near to the truth as the errors of the
    # series let them come: those after it cost much more and gain nothing.
    class3d: Dict[str, Any] = _options(
        ref_correct_greyscale=False, ini_high=30.0, nr_classes=1, nr_iter=1, tau_fudge=1.0, sampling='1.8 degrees',
        do_local_ang_searches=True, sigma_angles=15.0, offset_range=1.5, offset_step=0.5, other_args=_SEED)
    # There is more signal in a particle than in the demo: with as much weight on it, true particles share two classes.
    classify: Dict[str, Any] = _options(
        ref_correct_greyscale=True, ini_high=30.0, nr_classes=4, nr_iter=10, tau_fudge=0.1, highres_limit=30.0,
        dont_skip_align=False, other_args=_SEED)
    refine3d: Dict[str, Any] = _options(
        ref_correct_greyscale=True, ini_high=25.0, sampling='0.9 degrees', auto_local_sampling='0.9 degrees',
        offset_range=0.75, offset_step=0.5, do_solvent_fsc=True, other_args=_SEED + _FEW_POSES)
    postprocess: Dict[str, Any] = _options(do_auto_bfac=False, do_adhoc_bfac=True, adhoc_bfac=-100.0)
    # Empty thresholds are suggested from the map.
    fine_mask: Dict[str, Any] = _options(lowpass_filter=20.0, extend_inimask=3, width_mask_edge=5)
    # The images of a series have errors alike: regularised, the ones at high tilt follow the others.
    ctf_refine: Dict[str, Any] = _options(focus_range=3000.0, do_reg_def=True)
    polish: Dict[str, Any] = _options(max_error=8, do_motion=True)
    # The reference comes from Reconstruct particle, and that is not on RELION's absolute grey scale.
    # It begins with steps as fine as the data ask for: RELION makes them finer later only with a wide range of offsets.
    fine_refine3d: Dict[str, Any] = _options(
        ref_correct_greyscale=False, ini_high=12.0, sampling='0.2 degrees', auto_local_sampling='0.2 degrees',
        offset_range=0.75, offset_step=0.5, do_solvent_fsc=True,
        other_args=_SEED + _FEW_POSES + ' --auto_ignore_angles')


TUTORIAL_SETTINGS = TutorialSettings()
