"""Making a data set from the command line, and the demo's presets."""
import argparse
import dataclasses

import pytest

from relionsta.jobs.registry import JOBS
from relionsta.simulate import command
from relionsta.simulate.dataset import make_dataset
from relionsta.simulate.parameters import SceneParameters
from relionsta.simulate.particle import sample, two_lobes
from relionsta.simulate.presets import DEMO_SCENE, DEMO_SETTINGS, TUTORIAL_SCENE, TUTORIAL_SETTINGS
from relionsta.simulate.relion_run import SimulationError


@pytest.mark.parametrize('name', ['scene', 'scene.making'])
def test_other_files_are_never_removed(tmp_path, name):
    """A mistyped folder with --overwrite must not cost a user his data."""
    (tmp_path / name).mkdir()
    (tmp_path / name / 'precious.mrc').write_text('data')
    with pytest.raises(SimulationError, match='no simulated data set'):
        make_dataset(SceneParameters(), tmp_path / 'scene', tmp_path, overwrite=True, say=print)
    assert (tmp_path / name / 'precious.mrc').exists()


# --- the demo ---

@pytest.mark.parametrize('job, settings, flags', [
    ('relion.class3d', DEMO_SETTINGS.class3d, ['--firstiter_cc', '--healpix_order 4', '--sigma_ang 5']),
    ('relion.class3d', DEMO_SETTINGS.classify, ['--skip_align', '--K 4', '--strict_highres_exp 30']),
    ('relion.refine3d.tomo', DEMO_SETTINGS.refine3d, ['--auto_local_healpix_order 5', '--offset_step 2']),
    ('relion.maskcreate', DEMO_SETTINGS.mask, ['--lowpass 20', '--ini_threshold 0.1']),
    ('relion.postprocess', DEMO_SETTINGS.postprocess, ['--adhoc_bfac -300']),
    ('relion.ctfrefinetomo', TUTORIAL_SETTINGS.ctf_refine, ['--do_reg_defocus', '--d1 3000']),
    ('relion.framealigntomo', TUTORIAL_SETTINGS.polish, ['--motion', '--r 8']),
    ('relion.refine3d.tomo', TUTORIAL_SETTINGS.fine_refine3d, ['--auto_local_healpix_order', '--firstiter_cc'])])
def test_demo_settings_are_options_of_their_jobs(job, settings, flags):
    """A setting whose name RELION's job does not know would be dropped in silence, and the demo run without it."""
    assert set(settings) <= set(JOBS[job].defaults())
    command_line = ' '.join(JOBS[job].commands({**JOBS[job].defaults(), **settings}, 'job/')[0])
    assert all(flag in command_line for flag in flags)


def test_demo_box_holds_the_particle():
    """The box of the settings and the particle of the scene are chosen in two places."""
    assert DEMO_SETTINGS.pixel == pytest.approx(2 * DEMO_SCENE.pixel)
    assert sample(two_lobes(DEMO_SCENE.diameter), DEMO_SETTINGS.box, DEMO_SETTINGS.pixel).shape == (32, 32, 32)
    assert TUTORIAL_SETTINGS.reference_box * TUTORIAL_SCENE.pixel == pytest.approx(TUTORIAL_SETTINGS.box_angst)
    assert sample(two_lobes(TUTORIAL_SCENE.diameter), TUTORIAL_SETTINGS.box, TUTORIAL_SETTINGS.pixel).shape == (24, 24, 24)


# --- the command line ---

def test_every_parameter_has_an_option():
    """A scene's parameter that cannot be set from the command line does not exist for a user."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    args = parser.parse_args(['out', '--image-size', '320', '240', '--defocus-error', '1200', '-900', '--decoys', '5'])
    assert (args.image_size, args.defocus_error, args.decoys) == ([320, 240], [1200.0, -900.0], 5)
    assert not hasattr(args, 'particles')  # what is not given keeps the dataclass's default
    text = parser.format_help()
    assert all('--' + item.name.replace('_', '-') in text for item in dataclasses.fields(SceneParameters))
