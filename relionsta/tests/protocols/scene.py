"""The small scene that the protocol tests share, with the settings that solve it in a minute."""
import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from relionsta.runtime.build import find_build
from relionsta.simulate.dataset import make_dataset
from relionsta.simulate.parameters import SceneParameters
from relionsta.simulate.presets import DemoSettings

SCENE = SceneParameters(
    series=2, particles=10, tilts=8, tilt_step=9.0, image_size=(192, 160), thickness=80, pixel=5.0, tomogram_binning=4,
    diameter=120.0, spacing=130.0, tilt_shift_rms=10.0, snr=1.0, pick_angle_error=10.0)

#: Quick, not good: few iterations, coarse angles.
SETTINGS = DemoSettings(
    box=24, box_angst=240.0, diameter=200.0,
    class3d=dict(ref_correct_greyscale=True, ini_high=40.0, nr_iter=2, sampling='7.5 degrees',
                 do_local_ang_searches=True, sigma_angles=15.0, offset_range=1.0),
    mask=dict(lowpass_filter=30.0, inimask_threshold=0.1, extend_inimask=1, width_mask_edge=3),
    refine3d=dict(ref_correct_greyscale=True, ini_high=40.0, sampling='7.5 degrees', auto_local_sampling='7.5 degrees',
                  offset_range=1.0, do_solvent_fsc=True),
    postprocess=dict(do_auto_bfac=False, do_adhoc_bfac=True, adhoc_bfac=-500.0))


@functools.lru_cache(maxsize=1)
def scratch() -> Path:
    """A folder of this process, gone at its end. There is a blank in its name, as in many a user's."""
    folder = Path(tempfile.mkdtemp(prefix='relionsta scenes '))
    atexit.register(shutil.rmtree, str(folder), ignore_errors=True)
    return folder


@functools.lru_cache(maxsize=4)
def make_scene(parameters: SceneParameters = SCENE, name: str = 'scene') -> Path:
    """Folder of a simulated data set, made once in a process."""
    return make_dataset(parameters, scratch() / name, find_build().home / 'bin', threads=2, say=str)
