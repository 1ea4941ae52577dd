"""The small scene that the protocol tests share, with settings that take it down the road in half a minute."""
import atexit
import dataclasses
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Dict

from relionsta.runtime.build import find_build
from relionsta.simulate.dataset import make_dataset
from relionsta.simulate.parameters import SceneParameters
from relionsta.simulate.presets import DemoSettings
from relionsta.tests.faults.injectors.checksums import Mark, marks_of

SCENE = SceneParameters(
    series=2, particles=8, tilts=8, tilt_step=9.0, image_size=(224, 192), thickness=80, pixel=5.0, tomogram_binning=4,
    diameter=120.0, spacing=130.0, tilt_shift_rms=25.0, snr=0.5, pick_angle_error=10.0)
#: The same with what AreTomo3 leaves if it was told to keep the tilt axis: the hand is +1.
OTHER_HAND = dataclasses.replace(SCENE, hand=1)
#: Another session with the same names of tilt series: other specimens, defocus and particles.
OTHER_SESSION = dataclasses.replace(SCENE, seed=8, defocus=33000.0)

#: The same random numbers in every run: the refinement takes as many iterations each time.
SEED = '--random_seed 1'
#: Quick, not good: few iterations, coarse angles.
SETTINGS = DemoSettings(
    box=24, box_angst=192.0, diameter=170.0,
    class3d=dict(ref_correct_greyscale=True, ini_high=40.0, nr_iter=2, sampling='7.5 degrees',
                 do_local_ang_searches=True, sigma_angles=15.0, offset_range=1.0, other_args=SEED),
    classify=dict(ref_correct_greyscale=True, ini_high=40.0, nr_classes=2, nr_iter=3, dont_skip_align=False,
                  other_args=SEED),
    select=dict(selectBy='nothing (all classes)'),
    mask=dict(lowpass_filter=30.0, inimask_threshold=0.1, extend_inimask=1, width_mask_edge=3),
    refine3d=dict(ref_correct_greyscale=True, ini_high=40.0, sampling='7.5 degrees', auto_local_sampling='7.5 degrees',
                  offset_range=1.0, do_solvent_fsc=True, other_args=SEED),
    postprocess=dict(do_auto_bfac=False, do_adhoc_bfac=True, adhoc_bfac=-500.0))


@functools.lru_cache(maxsize=1)
def scratch() -> Path:
    """A folder of this process, gone at its end. There is a blank in its name, as in many a user's."""
    folder = Path(tempfile.mkdtemp(prefix='relionsta tests '))
    atexit.register(shutil.rmtree, str(folder), ignore_errors=True)
    return folder


@functools.lru_cache(maxsize=4)
def scene_folder(parameters: SceneParameters = SCENE) -> Path:
    """Folder of a simulated data set, made once in a process; not to be changed."""
    name = 'scene %s' % hash(parameters)
    folder = make_dataset(parameters, scratch() / name, find_build().home / 'bin', threads=2, say=str)
    made_files().update(marks_of([folder]))
    return folder


@functools.lru_cache(maxsize=1)
def made_files() -> Dict[str, Mark]:
    """Marks of the files of the scenes of this process, as they were made."""
    return {}


def copy_of_scene(name: str, parameters: SceneParameters = SCENE) -> Path:
    """The AreTomo3 folder of a copy that a test may damage; name: of the test."""
    target = scratch() / name
    shutil.rmtree(str(target), ignore_errors=True)
    shutil.copytree(str(scene_folder(parameters) / 'aretomo3'), str(target))
    return target
