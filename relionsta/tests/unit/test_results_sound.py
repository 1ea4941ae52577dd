"""Is an iteration sound: complete files of which a part is lost, or is of another iteration or run."""
import re

import pandas as pd
import pytest

from relionsta.jobs import files
from relionsta.results.sound import LOG_LIKELIHOOD, NAME, foreign, unsound
from relionsta.star import read_star, write_star

from .relion_job_folder import BOX, write_iteration, write_map

SHELLS = BOX // 2 + 1
LIKELIHOODS = {1: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2: [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]}


@pytest.fixture
def folder(tmp_path):
    """Two iterations of a classification into two classes, with the likelihoods and the noise that RELION writes."""
    place = tmp_path / 'job001'
    for number, values in LIKELIHOODS.items():
        write_iteration(place, files.CLASS3D, number, 2)
        _change(place / ('run_it%03d_data.star' % number), 'particles', **{LOG_LIKELIHOOD: values})
        model = place / ('run_it%03d_model.star' % number)
        blocks = read_star(model)
        blocks['model_general']['rlnLogLikelihood'] = sum(values)
        blocks['model_general']['rlnCurrentImageSize'] = BOX
        for name in ('model_class_1', 'model_class_2'):
            blocks[name]['rlnReferenceSigma2'] = [number * (shell + 1.0) for shell in range(SHELLS)]
        write_star(model, blocks)
    return place


def _change(path, block, **columns):
    blocks = read_star(path)
    blocks[block] = blocks[block].assign(**columns)
    write_star(path, blocks)


def test_whole_iterations_are_sound(folder):
    """What is refused without a reason costs an iteration, or a week."""
    assert unsound(folder, files.CLASS3D, 1) == unsound(folder, files.CLASS3D, 2) == ''
    assert 'is not there' in unsound(folder, files.CLASS3D, 3)


def _lose_shell(folder):
    path = folder / 'run_it002_model.star'
    blocks = read_star(path)
    blocks['model_class_2'] = blocks['model_class_2'].drop(index=4)
    write_star(path, blocks)


def _keep_end_of_noise(folder):
    path = folder / 'run_it002_model.star'
    noise = read_star(path)['model_class_1']['rlnReferenceSigma2']
    old = read_star(folder / 'run_it001_model.star')['model_class_1']['rlnReferenceSigma2']
    _change(path, 'model_class_1', rlnReferenceSigma2=pd.concat([noise[:4], old[4:]]))


def _keep_rows(folder):
    _change(folder / 'run_it002_data.star', 'particles', **{LOG_LIKELIHOOD: LIKELIHOODS[2][:3] + LIKELIHOODS[1][3:]})


def _particle_twice(folder):
    names = read_star(folder / 'run_it002_data.star')['particles'][NAME]
    _change(folder / 'run_it002_data.star', 'particles', **{NAME: [names[0]] + list(names[:-1])})


@pytest.mark.parametrize('harm, name, words', [
    (_lose_shell, 'run_it002_model.star', 'shells'), (_keep_end_of_noise, 'run_it002_model.star', 'iteration before'),
    (_keep_rows, 'run_it002_data.star', '3 of 6 rows are those of iteration 1'),
    (_particle_twice, 'run_it002_data.star', 'is there twice'),
    (lambda folder: write_map(folder / 'run_it002_class002.mrc', box=BOX + 2), 'run_it002_class002.mrc', 'box')])
def test_what_is_lost_or_old_is_named(folder, harm, name, words):
    """A power cut or a network disk leaves files that are closed and of the right size, and wrong."""
    harm(folder)
    told = unsound(folder, files.CLASS3D, 2)
    assert name in told and words in told
    assert unsound(folder, files.CLASS3D, 1) == ''


def test_iterations_of_other_runs(folder, tmp_path):
    """The optimiser of another run, copied in, names the particles and maps of that run."""
    path = folder / 'run_it002_optimiser.star'

    def says(root):
        path.write_text(re.sub(r'(_rlnOutputRootName\s+)\S+', lambda found: found.group(1) + root, path.read_text()))
        return foreign(folder, files.CLASS3D, 2)
    assert says('%s/run' % folder) == says('%s/./run' % folder) == ''
    for other in ('%s/run' % (tmp_path / 'job002'), '%s/run_ct1' % folder):
        assert 'of another run' in says(other) and 'run_it002_optimiser.star' in says(other)
