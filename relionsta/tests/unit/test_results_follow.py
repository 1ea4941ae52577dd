"""Following a run: files that come one by one and cut, files that are written again, the log, and what it costs."""
import os
import random
import shutil
import threading
import time

import pytest

from relionsta.jobs import files
from relionsta.results import follow
from relionsta.results.follow import Follower, spoken
from relionsta.results.verdict import DONE, judge

from .relion_job_folder import data_star, optimiser_star, write_final, write_iteration

JOBS = [(files.CLASS3D, 3), (files.REFINE3D, 1), (files.INITIAL_MODEL, 1), (files.MULTIBODY, 2)]
# As RELION's own time stamps show: the optimiser first, then the STAR files, then the maps
ORDER = ('_optimiser.star', '_data.star', '_optimisation_set.star', '_sampling.star', '_model.star', '.mrc')


def in_order(paths):
    return sorted(paths, key=lambda path: (next(place for place, end in enumerate(ORDER) if path.name.endswith(end)),
                                           path.name))


def arrive(source, target, follower, chance, cuts=3):
    """The file appears in `target` cut at some places, then whole. The follower looks each time; yields what it said."""
    content = source.read_bytes()
    for place in sorted(chance.sample(range(len(content)), cuts)) + [len(content)]:
        with open(target / source.name, 'wb') as handle:
            handle.write(content[:place])
        yield place, follower.changed()


@pytest.mark.parametrize('job_type, classes', JOBS)
def test_half_an_iteration_is_never_there(tmp_path, job_type, classes):
    """A window that shows half an iteration shows a resolution that was never reached."""
    chance = random.Random(job_type)
    job = tmp_path / 'job001'
    follower = Follower(job, job_type)
    assert not follower.changed() and follower.course() is None and follower.status() == ''
    job.mkdir()
    for number in (1, 2):
        paths = in_order(write_iteration(tmp_path / 'whole', job_type, number, classes))
        for path in paths:
            for place, changed in arrive(path, job, follower, chance):
                is_last = path == paths[-1] and place == path.stat().st_size
                assert changed == is_last, '%s at byte %d' % (path.name, place)
                assert sorted(follower.iterations) == list(range(1, number + is_last))
        assert not follower.changed()
    table = follower.course().table
    assert list(table.index) == [1, 2] and table['change_rotations'].tolist() == [8., 4.]
    assert table['resolution'].tolist() == [40., 40.] and follower.final is None


def test_an_iteration_that_is_written_again(tmp_path):
    """A run that goes on rewrites its iteration: torn for a moment, then with other values, which must be the ones shown."""
    for number in (1, 2):
        write_iteration(tmp_path, files.CLASS3D, number, 2)
    follower = Follower(tmp_path, files.CLASS3D)
    assert follower.changed() and sorted(follower.iterations) == [1, 2]
    path = tmp_path / 'run_it002_optimiser.star'
    text = path.read_text()
    path.write_text(text[:-30])
    assert follower.changed() and sorted(follower.iterations) == [1]
    path.write_text(text.replace('ChangesOptimalClasses                        0.125000',
                                 'ChangesOptimalClasses                        0.250000'))
    assert follower.changed()
    assert follower.course().table['change_classes'].tolist() == [0.125, 0.25]


def test_a_folder_that_is_emptied(tmp_path):
    """A run that starts afresh must not keep the curves of the one before."""
    job = tmp_path / 'job001'
    write_iteration(job, files.CLASS3D, 1)
    follower = Follower(job, files.CLASS3D)
    assert follower.changed() and follower.course().last == 1
    shutil.rmtree(job)
    assert follower.changed() and follower.course() is None and not follower.changed()


@pytest.mark.parametrize('job_type, bodies', [(files.REFINE3D, 1), (files.MULTIBODY, 2)])
def test_the_final_result_comes_last(tmp_path, job_type, bodies):
    """Converged is only what has all its final files."""
    chance = random.Random(1)
    job = tmp_path / 'job001'
    write_iteration(job, job_type, 1, bodies)
    follower = Follower(job, job_type)
    assert follower.changed() and judge(follower.course())[0].level != DONE
    (tmp_path / 'whole').mkdir()
    paths = in_order(write_final(tmp_path / 'whole', job_type, bodies))
    for path in paths:
        for place, changed in arrive(path, job, follower, chance):
            is_last = path == paths[-1] and place == path.stat().st_size
            assert changed == is_last and (follower.final is not None) == is_last
    assert follower.course().final == 40. and judge(follower.course())[0].level == DONE


def test_a_writer_at_the_same_time(tmp_path):
    """RELION does not wait for us: whatever it is writing while we read, we neither fail nor show anything untrue."""
    paths = in_order(write_iteration(tmp_path / 'whole', files.CLASS3D, 1, 2))
    job = tmp_path / 'job001'
    job.mkdir()
    done = threading.Event()

    def write():
        chance = random.Random(2)
        while not done.is_set():
            for path in paths:
                content = path.read_bytes()
                with open(job / path.name, 'wb', buffering=0) as handle:
                    for start in range(0, len(content), max(1, len(content) // chance.randint(1, 6))):
                        handle.write(content[start:start + max(1, len(content) // 2)])
                    handle.seek(0)
                    handle.truncate()
                    handle.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        end = time.time() + 1.5
        while time.time() < end:
            follower = Follower(job, files.CLASS3D)
            follower.changed()
            for one in follower.iterations.values():
                assert (one.model.resolution, one.optimiser.change_rotations, len(one.model.classes)) == (40., 8., 2)
    finally:
        done.set()
        writer.join()
    assert Follower(job, files.CLASS3D).changed()


def test_nothing_new_costs_a_look_at_the_folder(tmp_path, monkeypatch):
    """A window stays open for days: no file may be opened again while nothing changes, and only what is new then."""
    for number in (1, 2, 3):
        write_iteration(tmp_path, files.CLASS3D, number, 2)
    asked = []
    whole = follow.is_complete
    monkeypatch.setattr(follow, 'is_complete', lambda *given: asked.append(given[2]) or whole(*given))
    follower = Follower(tmp_path, files.CLASS3D)
    assert follower.changed() and asked == [1, 2, 3]
    assert not any(follower.changed() for _ in range(5)) and asked == [1, 2, 3]
    write_iteration(tmp_path, files.CLASS3D, 4, 2)
    assert follower.changed() and asked == [1, 2, 3, 4]


def test_what_relion_is_doing(tmp_path):
    """How far the iteration is, how long the rest takes, and a run that hangs or ended must not look like one at work."""
    log = tmp_path / 'run.stdout'
    job = tmp_path / 'job001'
    for number in (1, 2, 3):
        for path in write_iteration(job, files.CLASS3D, number):
            os.utime(path, (1e9 + 120 * number, 1e9 + 120 * number))
    follower = Follower(job, files.CLASS3D, log=log)
    assert follower.changed() and follower.progress() is None and follower.status() == ''
    log.write_text(' Expectation iteration 4 of 25\n  10/  40 sec ...............~~(,_,">')
    now = log.stat().st_mtime
    assert follower.iteration_seconds() == 120.
    assert follower.status(now + 5) == ('Iteration 4 of 25, expectation 25 %, 30 s left in this step. '
                                        'About 44 min for the iterations that are left.')
    assert 'printed nothing for 20 min' in follower.status(now + 1200)
    log.write_text(log.read_text() + 'x')
    (job / 'RELION_JOB_EXIT_FAILURE').write_text('')
    follower.changed()
    assert follower.status() == 'RELION failed: see the log.'
    assert [spoken(seconds) for seconds in (40, 720, 12000)] == ['40 s', '12 min', '3 h 20 min']


def test_other_files_are_left_alone(tmp_path):
    """Maps of angular distributions and backups come and go: no reason to draw anew."""
    write_iteration(tmp_path, files.CLASS3D, 1)
    follower = Follower(tmp_path, files.CLASS3D)
    assert follower.changed()
    for name in ('run_it001_class001_angdist.bild', 'run_it002_optimiser.star~', 'note.txt'):
        (tmp_path / name).write_text('x')
    (tmp_path / 'run_it002_optimiser.star').write_text(optimiser_star(2, ['run_it002_model.star']))
    (tmp_path / 'run_it002_data.star').write_text(data_star())
    assert not follower.changed()
