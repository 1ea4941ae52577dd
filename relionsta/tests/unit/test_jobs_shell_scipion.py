"""Arguments through Scipion's own runner: what is typed is what the program receives."""
import logging
import subprocess
import sys
from types import SimpleNamespace

import pytest
from pyworkflow.object import String
from pyworkflow.protocol.executor import StepExecutor
from pyworkflow.protocol.launch import _submit
from pyworkflow.utils import Environ, process

from relionsta.jobs.shell import shell_arguments
from relionsta.tests.unit.test_jobs_shell import HOSTILE

RECORDER = '#!%s\nimport sys\nopen(%r, "wb").write(b"\\0".join(arg.encode() for arg in sys.argv[1:]))\n'
#: A launcher with Scipion's own placeholders: it drops what mpirun would take for itself.
LAUNCHER = 'sh -c \'shift 1; exec "$@"\' sh %(JOB_NODES)d %(COMMAND)s'


@pytest.fixture
def recorder(tmp_path):
    """A program that writes its arguments down, and the place where."""
    program, record = tmp_path / 'relion_recorder', tmp_path / 'arguments'
    program.write_text(RECORDER % (sys.executable, str(record)))
    program.chmod(0o755)
    return SimpleNamespace(program=str(program), got=lambda: record.read_bytes().decode().split('\0'))


@pytest.fixture
def host():
    return SimpleNamespace(mpiCommand=String(LAUNCHER))


@pytest.mark.parametrize('gpus', [[], [0, 1]])
@pytest.mark.parametrize('mpi', [1, 3])
def test_hostile_tokens_arrive(recorder, host, mpi, gpus, monkeypatch) -> None:
    """Scipion makes a string of the command, formats it with % in some cases, and gives it to a shell."""
    executor = StepExecutor(host)
    executor.protocol = SimpleNamespace(getSubmitDict=dict)
    monkeypatch.setattr(executor, 'getGpuList', lambda: gpus)
    executor.runJob(logging.getLogger('test'), recorder.program, shell_arguments(HOSTILE), numberOfMpi=mpi,
                    env=Environ(PATH='/usr/bin:/bin'))
    assert recorder.got() == HOSTILE


@pytest.mark.parametrize('mpi', [1, 3])
def test_hostile_tokens_arrive_through_a_queue(recorder, host, mpi, tmp_path) -> None:
    """Queues get the command inside a script that is made with % as well."""
    submit = {'JOB_SCRIPT': str(tmp_path / 'job.sh')}
    submit['JOB_COMMAND'] = process.buildRunCommand(
        recorder.program, shell_arguments(HOSTILE), mpi, host, Environ(PATH='/usr/bin:/bin'), context=submit)
    queue = SimpleNamespace(getSubmitTemplate=lambda: '#!/bin/sh\n%(JOB_COMMAND)s\n',
                            getSubmitCommand=lambda: 'sh %(JOB_SCRIPT)s; echo 1')
    _submit(queue, submit)
    assert recorder.got() == HOSTILE


def test_doubled_percents_would_arrive_doubled(recorder, host) -> None:
    """Why nothing is doubled: Scipion reads no % in arguments, with MPI or without, unless they hold %(GPU)s."""
    for mpi in (1, 3):
        command = process.buildRunCommand(recorder.program, '100%%', mpi, host, Environ(PATH='/usr/bin:/bin'),
                                          context={})
        subprocess.run(command, shell=True, check=True)
        assert recorder.got() == ['100%%']
