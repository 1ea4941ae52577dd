"""How much memory a reconstruction takes, and what this computer has."""
import pytest

from relionsta.jobs.reconstruct import memory_bytes
from relionsta.runtime import machine


@pytest.mark.parametrize('box, threads, megabytes', [(128, 1, 249), (128, 2, 303), (200, 1, 803), (200, 2, 997)])
def test_memory_is_what_relion_was_seen_to_take(box, threads, megabytes):
    """Peak of relion_tomo_reconstruct_particle 5.1, some 40 MB of program and images among it: a wrong estimate stops good
    runs, or lets the machine swap."""
    estimate = memory_bytes(box, threads) / 1e6
    assert 0.9 * (megabytes - 40) < estimate < 1.05 * megabytes
    assert memory_bytes(box, threads, mpi=3) == 3 * memory_bytes(box, threads)


def test_memory_of_this_computer(tmp_path, monkeypatch):
    """In a container its limit counts, not the host's memory."""
    whole = machine.memory_bytes()
    assert whole is None or whole > 2 ** 27
    limit = tmp_path / 'memory.max'
    monkeypatch.setattr(machine, '_LIMIT', limit)
    without = machine.memory_bytes()
    limit.write_text('max\n')
    assert machine.memory_bytes() == without
    limit.write_text('1048576\n')
    assert machine.memory_bytes() in (1048576, None)
