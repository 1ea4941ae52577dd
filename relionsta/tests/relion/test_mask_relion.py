"""What we say of RELION's masks before they are made, against masks that RELION makes."""
import subprocess

import mrcfile
import numpy as np
import pytest

from relionsta.jobs.mask import AND, COMBINED, MASK
from relionsta.results.threshold import low_pass
from relionsta.tests.find import relion_home

BOX, PIXEL = 36, 4.2


def make(folder, **values):
    """The mask that RELION makes in a folder."""
    tokens = MASK.commands(values, 'job/')[0]
    (folder / 'job').mkdir(exist_ok=True)
    subprocess.run([str(relion_home() / 'bin' / tokens[0])] + tokens[1:], cwd=str(folder), check=True, timeout=60,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return mrcfile.read(folder / 'job' / 'mask.mrc') > 0.5


def write(path, data):
    with mrcfile.new(str(path), data.astype(np.float32), overwrite=True) as mrc:
        mrc.voxel_size = PIXEL
    return mrcfile.read(path)


@pytest.fixture
def noise(tmp_path):
    """Two maps of noise: every frequency is in them."""
    return [write(tmp_path / name, np.random.default_rng(seed).normal(size=(BOX,) * 3))
            for seed, name in enumerate(('one.mrc', 'two.mrc'))]


@pytest.mark.parametrize('resolution', [9.0, 15.0, 23.7, 60.0, -1.0])
def test_our_filter_is_relions(tmp_path, noise, resolution):
    """A threshold that is suggested for another filter than RELION's makes another mask."""
    filtered = low_pass(noise[0], PIXEL, resolution)
    threshold = float(np.quantile(filtered, 0.8))
    found = make(tmp_path, fn_in='one.mrc', lowpass_filter=resolution, inimask_threshold=threshold, extend_inimask=0,
                 width_mask_edge=0)
    near = np.abs(filtered - threshold) < 1e-5 * np.abs(filtered).max()  # rounding may decide these
    np.testing.assert_array_equal(found[~near], (filtered > threshold)[~near])
    assert near.mean() < 1e-3


@pytest.mark.parametrize('how', COMBINED)
def test_combinations(tmp_path, noise, how):
    """The other map is taken as it is, at the same threshold: the form says so."""
    one, two = low_pass(noise[0], PIXEL, 20.0) > 0.1, noise[1] > 0.1
    expected = {'--and': one & two, '--or': one | two, '--and_not': one & ~two, '--or_not': one | ~two}[COMBINED[how]]
    given = dict(fn_in='one.mrc', fn_other='two.mrc', do_combine=True, combine_how=how, lowpass_filter=20.0,
                 inimask_threshold=0.1, extend_inimask=0, width_mask_edge=0)
    assert (make(tmp_path, **given) != expected).mean() < 1e-3
    assert (make(tmp_path, **dict(given, do_invert=True)) == expected).mean() < 1e-3


def test_extras_are_options_of_the_program():
    """RELION warns about an unknown option and makes the mask without it."""
    told = subprocess.run([str(relion_home() / 'bin' / 'relion_mask_create'), '--help'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True).stdout
    sphere = MASK.commands(dict(do_denovo=True, center_x=1.0, center_y=2.0, center_z=3.0, do_invert=True, angpix=2.0), 'j/')
    combined = MASK.commands(dict(fn_in='a.mrc', fn_other='b.mrc', do_combine=True, combine_how=AND), 'j/')
    flags = {token for tokens in sphere + combined for token in tokens if token.startswith('--')}
    assert {'--denovo', '--center_z', '--invert', '--and'} <= flags
    assert [flag for flag in flags if '%s (' % flag not in told] == []
