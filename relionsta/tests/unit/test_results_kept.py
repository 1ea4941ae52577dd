"""The iteration that a run goes on from, which RELION writes once more first."""
import pytest

from relionsta.jobs import files
from relionsta.results.iterations import last_complete
from relionsta.results.kept import forget, give_back, keep_iteration
from relionsta.tests.unit.relion_job_folder import write_iteration


@pytest.mark.parametrize('job_type', [files.CLASS3D, files.REFINE3D, files.INITIAL_MODEL])
def test_an_iteration_that_was_torn_comes_back(tmp_path, job_type):
    """A kill while RELION writes it once more must not cost an iteration that was complete."""
    folder, kept = tmp_path / 'job001', tmp_path / 'kept'
    write_iteration(folder, job_type, 2)
    paths = write_iteration(folder, job_type, 3)
    texts = {path: path.read_bytes() for path in paths}
    keep_iteration(folder, kept, 3)
    assert give_back(folder, kept, job_type) is None  # nothing has happened yet
    for torn in paths:
        for length in (0, 20):
            torn.write_bytes(texts[torn][:length])
            assert last_complete(folder, job_type) == 2, torn
            assert give_back(folder, kept, job_type) == 3
            assert {path: path.read_bytes() for path in paths} == texts
    assert not list(folder.glob('*.part'))
    forget(kept)
    torn.unlink()
    assert give_back(folder, kept, job_type) is None


def test_a_copy_that_was_cut_off_is_not_used(tmp_path):
    """The kill may come while the copy is made."""
    folder, kept = tmp_path / 'job001', tmp_path / 'kept'
    for iteration in (2, 3):
        paths = write_iteration(folder, files.CLASS3D, iteration)
    keep_iteration(folder, kept, 3)
    for path in paths:
        whole = (kept / path.name).read_bytes()
        (kept / path.name).write_bytes(whole[:len(whole) // 2])
        path.unlink()
        assert give_back(folder, kept, files.CLASS3D) is None
        (kept / path.name).write_bytes(whole)
        path.write_bytes(whole)
    assert give_back(folder, tmp_path / 'none', files.CLASS3D) is None


def test_only_the_iteration_is_copied(tmp_path):
    """Its copy takes the place of an older one, and other iterations stay where they are."""
    folder, kept = tmp_path / 'job001', tmp_path / 'kept'
    for iteration in (2, 3):
        write_iteration(folder, files.CLASS3D, iteration)
        keep_iteration(folder, kept, iteration)
    assert {path.name[:len('run_it003')] for path in kept.iterdir()} == {'run_it003'}
