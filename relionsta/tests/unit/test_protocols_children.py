"""Which children of a protocol run side by side, and what is watched of them."""
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from relionsta.protocols import child_room
from relionsta.protocols.child_room import fits
from relionsta.protocols.child_runs import isAlive
from relionsta.protocols.children import ChildJob, Output


def _run(gpu=False):
    return SimpleNamespace(usesGpu=lambda: gpu)


def _busy(size, memory=0, gpu=False):
    return SimpleNamespace(size=size, memory=memory, run=_run(gpu))


@pytest.mark.parametrize('size, busy, cores, room', [(1, [1], 2, True), (2, [1], 2, False), (2, [1, 1], 4, True)])
def test_cores_are_shared_out(size, busy, cores, room):
    """More processes than cores make all of them slower, and a queue may end them."""
    assert fits(_run(), size, 0, [_busy(one) for one in busy], cores, [], False) is room


def test_memory_is_shared_out_where_it_is_known(monkeypatch):
    """Two reconstructions that fit one by one can end the computer together."""
    monkeypatch.setattr(child_room, 'machine_memory', lambda: 10e9)
    assert fits(_run(), 1, 3e9, [_busy(1, 4e9)], 8, [], False)
    assert not fits(_run(), 1, 5e9, [_busy(1, 4e9)], 8, [], False)


def test_gpus_are_shared_out():
    """Two runs on one GPU run out of its memory; runs without a GPU need not wait for one."""
    busy = [_busy(1, gpu=True)]
    assert fits(_run(gpu=True), 1, 0, busy, 8, ['1'], True)
    assert not fits(_run(gpu=True), 1, 0, busy, 8, [], True)
    assert not fits(_run(gpu=True), 1, 0, busy, 8, [], False)
    assert fits(_run(), 1, 0, busy, 8, [], True)


def test_a_job_waits_for_the_children_whose_outputs_it_takes():
    """Started too early, it has no input."""
    job = ChildJob('c', 'C', 'ProtStaJoin', {'inputSets': [Output('a', 'outputParticles'), Output(12, 'x')],
                                             'mask': Output('b', 'solventMask'), 'box': 24})
    assert job.needs() == ['a', 'b']


def test_a_process_that_has_ended_is_not_alive():
    """One that was killed stays in the list of processes until its parent looks: it must not be waited for. A number that
    another program has got meanwhile must not be taken for the run, which would stop that program."""
    run, other = (SimpleNamespace(getDbPath=lambda path='Runs/0000%d_X/logs/run.db' % number: path) for number in (12, 13))
    process = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)', '/project', run.getDbPath(), '12'])
    try:
        end = time.time() + 10
        while not isAlive(run, process.pid) and time.time() < end:
            time.sleep(0.05)  # until it has become that program
        assert isAlive(run, process.pid)
        assert not isAlive(other, process.pid) and not isAlive(run, 0) and not isAlive(run, None)
    finally:
        process.kill()
    end = time.time() + 10
    while isAlive(run, process.pid) and time.time() < end:
        time.sleep(0.05)
    assert not isAlive(run, process.pid)  # nobody has waited for it yet
    process.wait()
