"""Which iterations count as complete."""
import random
import re
import shutil

import pytest

from relionsta.jobs import files
from relionsta.results import whole
from relionsta.results.iterations import (
    complete_iterations,
    is_complete,
    is_converged,
    last_complete,
    left_behind,
    optimiser_of,
)
from relionsta.tests.find import shared_data

from .relion_job_folder import model_star, optimiser_star, write_final, write_iteration

JOBS = [(files.CLASS3D, 3), (files.REFINE3D, 1), (files.INITIAL_MODEL, 2), (files.MULTIBODY, 2)]
CUTS = 12


def cut_places(content, seed):
    """Places to cut a file: its ends, every end of a line around a table, and random ones."""
    chosen = random.Random(seed)
    size = len(content)
    seams = [match.end() for match in re.finditer(rb'\n(?:[ \t]*\n|data_[^\n]*\n|loop_[^\n]*\n)', content)]
    places = {0, 1, size - 1, size - 2, size - 3} | set(seams) | {chosen.randrange(size) for _ in range(CUTS)}
    return sorted(place for place in places if 0 <= place < size)


@pytest.mark.parametrize('job_type, classes', JOBS)
def test_whole_iterations_are_found(tmp_path, job_type, classes):
    """A finished iteration must be usable, iteration 0 and numbers of four digits included."""
    for number in (0, 1, 2, 1000):
        write_iteration(tmp_path, job_type, number, classes)
    assert complete_iterations(tmp_path, job_type) == [0, 1, 2, 1000]
    assert last_complete(tmp_path, job_type) == 1000


@pytest.mark.parametrize('job_type, classes', JOBS)
def test_no_cut_file_makes_a_complete_iteration(tmp_path, job_type, classes):
    """Half a file taken for an output is lost or wrong particles: a file cut anywhere must never count."""
    paths = write_iteration(tmp_path, job_type, 3, classes)
    tried = 0
    for path in paths:
        content = path.read_bytes()
        for place in cut_places(content, seed=path.name):
            path.write_bytes(content[:place])
            assert complete_iterations(tmp_path, job_type) == [], '%s cut at byte %d of %d' % (path.name, place,
                                                                                               len(content))
            tried += 1
        path.write_bytes(content)
        assert complete_iterations(tmp_path, job_type) == [3]
    assert tried > 10 * len(paths)


@pytest.mark.parametrize('job_type, classes', JOBS)
def test_an_iteration_is_complete_only_with_its_last_file(tmp_path, job_type, classes):
    """RELION writes the optimiser first: whatever the order in which files appear, only all of them count."""
    paths = write_iteration(tmp_path / 'whole', job_type, 1, classes)
    job = tmp_path / 'job'
    job.mkdir()
    order = sorted(paths, key=lambda path: not path.name.endswith('_optimiser.star'))
    for path in order:
        assert last_complete(job, job_type) is None
        shutil.copy(path, job)
    assert last_complete(job, job_type) == 1


def test_a_torn_last_iteration_leaves_the_one_before(tmp_path):
    """A run that died while it wrote iteration 5 goes on from 4, not from 5 and not from the start."""
    for number in (4, 5):
        write_iteration(tmp_path, files.CLASS3D, number, 2)
    model = tmp_path / 'run_it005_model.star'
    model.write_text(model.read_text()[:-40])
    assert complete_iterations(tmp_path, files.CLASS3D) == [4]
    assert last_complete(tmp_path, files.CLASS3D) == 4


def test_maps_must_match_the_model(tmp_path):
    """One class map too few, too long, or left over from another box: the classes would not be those of the model."""
    write_iteration(tmp_path, files.CLASS3D, 1, 3)
    assert is_complete(tmp_path, files.CLASS3D, 1)
    third = tmp_path / 'run_it001_class003.mrc'
    content = third.read_bytes()
    third.write_bytes(content + b'\0' * 4)
    assert not is_complete(tmp_path, files.CLASS3D, 1)
    third.write_bytes(bytes(1024))
    assert not is_complete(tmp_path, files.CLASS3D, 1)
    third.unlink()
    assert not is_complete(tmp_path, files.CLASS3D, 1)
    # Two classes in the model, two maps: whole again
    (tmp_path / 'run_it001_model.star').write_text(model_star(['run_it001_class001.mrc', 'run_it001_class002.mrc']))
    assert is_complete(tmp_path, files.CLASS3D, 1)


def test_an_optimiser_of_another_iteration_does_not_count(tmp_path):
    """A file copied or renamed from another iteration would give the particles of one and the map of another."""
    write_iteration(tmp_path, files.CLASS3D, 2)
    (tmp_path / 'run_it002_optimiser.star').write_text(optimiser_star(7, ['run_it007_model.star']))
    assert complete_iterations(tmp_path, files.CLASS3D) == []


def test_a_disk_that_filled_up_does_not_count(tmp_path):
    """File systems leave zero bytes where a write failed; the size is right, the content is not."""
    write_iteration(tmp_path, files.CLASS3D, 1)
    data = tmp_path / 'run_it001_data.star'
    content = data.read_bytes()
    data.write_bytes(content[:-200] + bytes(200))
    assert complete_iterations(tmp_path, files.CLASS3D) == []


def test_other_roots_and_strangers_are_left_alone(tmp_path):
    """Files of other jobs, backups and folders in the way must neither count nor stop the search."""
    write_iteration(tmp_path, files.CLASS3D, 1)
    for name in ('run_ct01_it002_optimiser.star', 'run_it003_optimiser.star~', 'xrun_it004_optimiser.star'):
        (tmp_path / name).write_text('')
    (tmp_path / 'run_it005_optimiser.star').mkdir()
    assert complete_iterations(tmp_path, files.CLASS3D) == [1]


def test_no_folder_is_no_iteration(tmp_path):
    """A run that has not begun has no results; asking must not fail."""
    assert complete_iterations(tmp_path / 'job001', files.CLASS3D) == []
    assert last_complete(tmp_path / 'job001', files.REFINE3D) is None
    assert not is_converged(tmp_path / 'job001')


def test_convergence_needs_whole_final_files(tmp_path):
    """A final map cut by a full disk, or the files of a refinement that did not converge, are no final result."""
    write_iteration(tmp_path, files.REFINE3D, 1)
    assert not is_converged(tmp_path)
    paths = write_final(tmp_path)
    assert is_converged(tmp_path)
    for path in paths:
        content = path.read_bytes()
        for place in cut_places(content, seed=path.name):
            path.write_bytes(content[:place])
            assert not is_converged(tmp_path), '%s cut at byte %d of %d' % (path.name, place, len(content))
        path.write_bytes(content)
    (tmp_path / 'run_optimiser.star').write_text(optimiser_star(-1, ['run_model.star'], converged=False))
    assert not is_converged(tmp_path)


def test_what_a_run_that_goes_on_must_remove(tmp_path):
    """Files of later iterations, or of an earlier end, would be taken for those that the continued run has yet to make."""
    for number in (2, 3, 4):
        write_iteration(tmp_path, files.REFINE3D, number)
    write_final(tmp_path)
    others = ['run_it003_half1_class001_unfil.mrc', 'run_solvent_mask.mrc', 'note.txt', 'xrun_it009_data.star']
    for name in others + ['run_it004_half1_class001_unfil.mrc', 'run_it1000_data.star', 'run_class001_angdist.bild']:
        (tmp_path / name).write_text('')
    gone = {path.name for path in left_behind(tmp_path, files.REFINE3D, 3)}
    stay = {path.name for path in tmp_path.iterdir()} - gone
    assert stay == set(others) | {name for number in (2, 3)
                                  for name in files.iteration_files(files.REFINE3D, 'run', number).values()}
    assert optimiser_of('a/job001', 3) == 'a/job001/run_it003_optimiser.star'


def test_the_initial_reference_is_of_one_iteration(tmp_path):
    """initial_model.mrc of iteration 10 must not stand for that of iteration 20."""
    for number in (10, 20):
        write_iteration(tmp_path, files.INITIAL_MODEL, number, 2)
    (tmp_path / 'initial_model.mrc').write_text('')
    assert 'initial_model.mrc' in {path.name for path in left_behind(tmp_path, files.INITIAL_MODEL, 20)}
    (tmp_path / 'run_it020_1moment004.mrc').unlink()
    assert last_complete(tmp_path, files.INITIAL_MODEL) == 10


def test_real_star_files_of_relion_5_0_are_whole(tmp_path):
    """Our idea of a closed file and of its tables comes from RELION 5.1; the files of 5.0 must pass as well."""
    real = shared_data('relion5-hiv-project/Class3D/job017')
    write_iteration(tmp_path, files.CLASS3D, 25, 9)
    for name in ('run_it025_model.star', 'run_it025_optimiser.star', 'run_it025_sampling.star',
                 'run_it025_optimisation_set.star'):
        shutil.copy(real / name, tmp_path / name)
    shutil.copy(shared_data('relion5-hiv-project/Refine3D/job034/run_data.star'), tmp_path / 'run_it025_data.star')
    assert complete_iterations(tmp_path, files.CLASS3D) == [25]


@pytest.mark.parametrize('piece', [1, 7, 64, 1000])
def test_whole_files_are_whole_in_pieces(tmp_path, monkeypatch, piece):
    """Large files are read piece by piece: a heading that a piece ends in must neither be missed nor taken for another."""
    monkeypatch.setattr(whole, 'PIECE_BYTES', piece)
    write_iteration(tmp_path, files.CLASS3D, 1, 12)
    assert complete_iterations(tmp_path, files.CLASS3D) == [1]
    model = tmp_path / 'run_it001_model.star'
    text = model.read_text()
    # Class 1 is gone, and those that begin with the same digit are there
    model.write_text(text.replace('data_model_class_1\n', 'data_model_other\n'))
    assert complete_iterations(tmp_path, files.CLASS3D) == []
