"""Programs that are kept from outliving their run; stand-ins for RELION that end in good and bad ways."""
import os
import signal
import subprocess
import sys
import textwrap
import time
from unittest import mock

import pytest

from relionsta.runtime import keeper

pytestmark = pytest.mark.skipif(not os.path.isdir('/proc'), reason='processes of others are found in /proc')
WAIT_S = 20.0


def start(folder, *words, run=0, **how):
    """The keeper as runs start it."""
    folder.mkdir(exist_ok=True)
    environ = dict(os.environ, **{keeper.MARK: keeper.job_mark(str(folder))})
    return subprocess.Popen([sys.executable, '-I', '-S', keeper.__file__, str(folder), str(run), *words], env=environ, **how)


def python(text):
    return [sys.executable, '-c', textwrap.dedent(text)]


def until(what):
    end = time.time() + WAIT_S
    while not what():
        assert time.time() < end, 'it has not come about in %g s' % WAIT_S
        time.sleep(0.02)


@pytest.mark.parametrize('words, code', [
    (['sh', '-c', 'exit 0'], 0), (['sh', '-c', 'exit 3'], 3), (['sh', '-c', 'kill -9 $$'], 137),
    (['sh', '-c', 'kill -11 $$'], 139), (['no such program'], 127), (['/etc/passwd'], 126),
    (['ONE=1', 'TWO=a b=c', 'sh', '-c', 'test "$ONE $TWO" = "1 a b=c"'], 0)])
def test_the_code_is_that_of_the_program(tmp_path, words, code):
    """Scipion goes by it, and the reason of a failure is told from it."""
    assert start(tmp_path / 'a job', *words, stderr=subprocess.DEVNULL).wait(WAIT_S) == code


@pytest.mark.parametrize('words, told', [(['no such program'], 'no such program: No such file'), (['ONE=1'], 'Traceback')])
def test_why_nothing_was_started_is_told(tmp_path, words, told):
    """Python 3.8 keeps what goes to standard error until it ends, and the keeper ends at once; the run showed no reason."""
    front = start(tmp_path / 'job', *words, stderr=subprocess.PIPE, universal_newlines=True)
    assert told in front.communicate(timeout=WAIT_S)[1] and front.returncode


def test_a_run_that_was_gone_before_starts_nothing(tmp_path):
    """Killed in the moment before the keeper looks, it would be watched for never having been there."""
    run = subprocess.Popen(['true'])
    run.wait()
    front = start(tmp_path / 'job', 'touch', str(tmp_path / 'started'), run=run.pid)
    assert front.wait(WAIT_S) == 128 + signal.SIGKILL and not (tmp_path / 'started').exists()


def test_output_and_blanks_go_through(tmp_path):
    """What RELION prints is the log, and paths have blanks and quotes."""
    done = start(tmp_path / 'job', 'printf', '%s|', "it's", 'a b', '', '$HOME', stdout=subprocess.PIPE)
    assert done.communicate(timeout=WAIT_S)[0] == b"it's|a b||$HOME|"


def test_it_is_asked_first(tmp_path):
    """RELION that ends by itself leaves no half-written file; its own process is not even told."""
    folder = tmp_path / 'job'
    front = start(folder, *python('''
        import os, time
        while not os.path.exists(%r):
            time.sleep(0.01)
        open(%r, 'w').close()
        ''' % (str(folder / keeper.ABORT), str(tmp_path / 'well'))))
    until(lambda: len(keeper.processes_of(str(folder))) >= 3)
    front.kill()
    until(lambda: not keeper.processes_of(str(folder)))
    assert (tmp_path / 'well').exists()
    assert not (folder / keeper.ABORT).exists()


def test_a_run_that_is_gone_takes_its_program_along(tmp_path):
    """The run's process was killed, and a shell between the two lives on and waits."""
    folder = tmp_path / 'job'
    run = subprocess.Popen(['sleep', '100'])
    start(folder, 'sleep', '100', run=run.pid)
    until(lambda: len(keeper.processes_of(str(folder))) >= 3)
    run.kill()  # and nobody waits for it, as a window that is busy
    with mock.patch.object(keeper, 'ASK_S', 0.2):
        until(lambda: not keeper.processes_of(str(folder)))
    run.wait()


@pytest.mark.parametrize('deaf', [False, True])
def test_what_does_not_listen_is_killed(tmp_path, deaf):
    """Ranks that hang take no signal but the last; those in sessions of their own have to be found."""
    folder = tmp_path / 'job'
    start(folder, *python('''
        import os, signal, time
        if %r:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for _ in range(2):
            if os.fork() == 0:
                os.setsid()
        if %r:
            os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(100)
        ''' % (deaf, deaf)))
    until(lambda: len(keeper.processes_of(str(folder))) >= 6)
    with mock.patch.object(keeper, 'ASK_S', 0.2), mock.patch.object(keeper, 'TERM_S', 0.5):
        assert keeper.end_processes(str(folder))
    assert keeper.processes_of(str(folder)) == []
    assert not (folder / keeper.ABORT).exists()


def test_ranks_of_a_dead_launcher_are_ended(tmp_path):
    """Or they would wait for messages for ever, and the next try would find them in its folder."""
    folder = tmp_path / 'job'
    front = start(folder, *python('''
        import os, signal, time
        if os.fork() == 0:
            os.setsid()
            time.sleep(100)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
        '''))
    assert front.wait(WAIT_S) == 137
    assert keeper.processes_of(str(folder)) == []


def test_the_keeper_itself_is_killed(tmp_path):
    """Then the other of the two ends the program and says so."""
    folder = tmp_path / 'job'
    front = start(folder, 'sleep', '100')
    until(lambda: len(keeper.processes_of(str(folder))) >= 3)
    with mock.patch.object(keeper, 'ASK_S', 0.2):
        back = next(one for one in keeper.processes_of(str(folder)) if one != front.pid and _runs(one, 'keeper.py'))
        os.kill(back, signal.SIGKILL)
        assert front.wait(WAIT_S) == 137
    assert keeper.processes_of(str(folder)) == []


def _runs(process, name):
    with open('/proc/%d/cmdline' % process) as handle:
        return name in handle.read()


def test_other_jobs_are_left_alone(tmp_path):
    """Two runs of one project, and folders whose names begin alike."""
    one, other = tmp_path / 'job', tmp_path / 'job2'
    fronts = [start(folder, 'sleep', '100') for folder in (one, other)]
    until(lambda: all(len(keeper.processes_of(str(folder))) >= 3 for folder in (one, other)))
    with mock.patch.object(keeper, 'ASK_S', 0.2):
        assert keeper.end_processes(str(one))
    assert fronts[0].wait(WAIT_S) != 0
    assert len(keeper.processes_of(str(other))) >= 3 and fronts[1].poll() is None
    with mock.patch.object(keeper, 'ASK_S', 0.2):
        assert keeper.end_processes(str(other))
