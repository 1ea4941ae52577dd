"""Keeps RELION from outliving its run, and ends what did.

Scipion stops a run by killing its process and everything below it, and a process that is killed cannot end what it has
started. So RELION is started through this file, run as a script by its own path (the standard library alone, no
site-packages): one process stays below Scipion's and tells how RELION ended, another, below none, starts RELION and ends it
when the first, or the run, is gone: it asks by RELION's own file, then by SIGTERM, then kills.

All processes of a job carry its folder in their environment, those of MPI too: so they are found whoever their parent is.
"""
import os
import re
import select
import signal
import subprocess
import sys
import time
import traceback
from typing import Callable, Collection, List, Optional, Sequence, Set

#: The variable that names the job's folder in the environment of its processes.
MARK = 'RELIONSTA_JOB'
#: RELION ends by itself where it finds this file in the folder of its --pipeline_control.
ABORT = 'RELION_JOB_ABORT_NOW'
#: Seconds that processes get to end: after being asked, after SIGTERM, after SIGKILL (a process in a system call).
ASK_S, TERM_S, KILL_S = 6.0, 5.0, 10.0
#: Seconds that are left to others after the program itself has ended.
LINGER_S = 2.0
PAUSE_S = 0.05
#: Seconds between two looks at the run.
LOOK_S = 0.5
_ASSIGNMENT = re.compile(r'([A-Za-z_]\w*)=(.*)', re.DOTALL)
#: Codes of a shell: not found, cannot be executed, killed by signal n (128 + n).
NOT_FOUND, NOT_EXECUTABLE, SIGNALLED = 127, 126, 128


def job_mark(folder: str) -> str:
    """What processes of the job in this folder have in their variable MARK."""
    return os.path.realpath(folder)


def processes_of(*folders: str) -> List[int]:
    """Numbers of the processes on this computer that belong to the jobs in these folders, but for the caller's own.

    Those of other users cannot be seen. [] where the system has no /proc.
    """
    wanted = {os.fsencode('%s=%s' % (MARK, job_mark(folder))) for folder in folders}
    found = []
    for name in os.listdir('/proc') if os.path.isdir('/proc') else []:
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open('/proc/%s/environ' % name, 'rb') as handle:
                if not wanted.isdisjoint(handle.read().split(b'\0')):
                    found.append(int(name))
        except OSError:  # it has ended, or is another user's
            continue
    return found


def end_processes(*folders: str, spare: Collection[int] = ()) -> bool:
    """End all processes of the jobs in these folders: ask, then SIGTERM, then SIGKILL. True where none is left.

    Returns as soon as none is there, at most ASK_S + TERM_S + KILL_S seconds later. spare: numbers of processes to leave.
    """
    def left() -> List[int]:
        return [number for number in processes_of(*folders) if number not in spare]

    if not left():
        return True
    try:
        asked = [path for path in map(_ask, folders) if path is not None]
        for process in left():
            _tell(process, signal.SIGCONT)  # one that was halted cannot listen
        gone = bool(asked) and _wait(left, ASK_S)
        for number, seconds in ((signal.SIGTERM, TERM_S), (signal.SIGKILL, KILL_S)):
            gone = gone or _wait(left, seconds, number)
        return gone
    finally:
        for folder in folders:
            _remove(os.path.join(folder, ABORT))


def _ask(folder: str) -> Optional[str]:
    """Leave RELION's file; None where there is no such folder any more."""
    path = os.path.join(folder, ABORT)
    try:
        with open(path, 'w'):
            return path
    except OSError:
        return None


def _remove(path: str) -> None:
    if os.path.exists(path):
        try:
            os.remove(path)
        except FileNotFoundError:  # RELION removes it too
            return


def _tell(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:  # it has ended meanwhile
        return


def _wait(left: Callable[[], List[int]], seconds: float, number: int = 0) -> bool:
    """True as soon as nothing is left; every process gets the signal, also one that comes late."""
    end = time.time() + seconds
    told: Set[int] = set()
    while True:
        there = left()
        if not there:
            return True
        for process in set(there) - told if number else ():
            told.add(process)
            _tell(process, number)
        if time.time() > end:
            return False
        time.sleep(PAUSE_S)


def main(folder: str, run: int, words: Sequence[str]) -> int:
    """Run the words of a command for the job in this folder; returns its exit code, as a shell gives it.

    run: number of the process whose end ends the command too, 0 for none on this computer.
    """
    alive, mine = os.pipe()
    answer, his = os.pipe()
    front = os.getpid()
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)  # so that the keeper is below none
        os.close(mine)
        os.close(answer)
        try:
            code = _keep(folder, words, alive, front, run)
            if code is not None:
                os.write(his, b'%d' % code)
        except Exception:
            traceback.print_exc()  # nobody above would: the front ends what is left, and says that it was killed
        finally:
            sys.stderr.flush()  # which _exit does not
            os._exit(0)
    os.close(alive)
    os.close(his)
    os.wait()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    said = os.read(answer, 16)
    if said:
        return int(said)
    # The keeper itself was killed, or has failed
    end_processes(folder, spare=(front, os.getppid()))
    return SIGNALLED + signal.SIGKILL


def _keep(folder: str, words: Sequence[str], alive: int, front: int, run: int) -> Optional[int]:
    """Run the command to its end and return its code; None where it was ended: `alive` was closed, or the run is gone."""
    since = _started(run)
    if run and not since and _started(front):
        return None  # it was killed before anybody looked
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    environ, words = dict(os.environ), list(words)
    assigned = _ASSIGNMENT.fullmatch(words[0])
    while assigned:  # as in a shell
        environ[assigned.group(1)] = assigned.group(2)
        words.pop(0)
        assigned = _ASSIGNMENT.fullmatch(words[0])
    try:
        child = subprocess.Popen(words, env=environ, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        sys.stderr.write('%s: %s\n' % (words[0], error.strerror))
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    while child.poll() is None:
        ready = select.select([alive, wake], [], [], LOOK_S)[0]
        if alive in ready or (since and _started(run) != since):
            end_processes(folder)
            return None
        if wake in ready:
            os.read(wake, 64)
    spare = (front, *_parents(front))
    if not _wait(lambda: [one for one in processes_of(folder) if one not in spare], LINGER_S):
        end_processes(folder, spare=spare)  # of a launcher that was killed
    return child.returncode if child.returncode >= 0 else SIGNALLED - child.returncode


def _status(process: int) -> List[str]:
    """State, parent and so on of a process, as proc(5) has them after its name; [] where it is gone."""
    try:
        with open('/proc/%d/stat' % process) as handle:
            return handle.read().rsplit(')', 1)[1].split()
    except OSError:
        return []


def _started(process: int) -> str:
    """When a process was started, which no later one of its number has; '' where it is gone, or only waits to be noticed."""
    status = _status(process)
    return status[19] if status and status[0] not in 'ZX' else ''


def _parents(process: int) -> List[int]:
    """The shell that Scipion has started the command with, where it did not become the command."""
    return [int(word) for word in _status(process)[1:2]]


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
