"""Finds and kills the processes of a Scipion run: RELION's ranks, their launcher, the run's own process, its keepers."""
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any, Collection, Dict, Iterable, Iterator, List, Set

import psutil

#: Whom a case may kill, in words -> the kinds of processes.
WHO: Dict[str, Iterable[str]] = {
    'RELION': ('relion',),
    'one rank': ('relion',),
    'the launcher of MPI': ('launcher',),
    "the run's process": ('run',),
    'both': ('run', 'keeper', 'launcher', 'relion'),
    'all but RELION': ('run', 'keeper'),
}
_PAUSE_S = 0.01


def processes(run: Any) -> Dict[str, List[psutil.Process]]:
    """The processes that name the run's folder in their command, by kind: relion, launcher, keeper, run, other.

    Looks at commands and not at the mark that the runs leave in the environment, which is what is tested. Runs of other
    projects have the same names: those are known by the project in the command, or as the folder that a process is in.
    """
    found: Dict[str, List[psutil.Process]] = {kind: [] for kind in ('relion', 'launcher', 'keeper', 'run', 'other')}
    folder, project = os.path.basename(run.getWorkingDir()), os.path.realpath(run.getProject().path)
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if process.pid == os.getpid() or not any(folder in word for word in words):
                continue
            if process.status() != psutil.STATUS_ZOMBIE and _is_in(process, words, project):
                found[_kind(words)].append(process)
        except (psutil.Error, FileNotFoundError):  # of one that has just ended, psutil says the latter for its folder
            continue
    return found


@contextlib.contextmanager
def _halted(run: Any, besides: Collection[int]) -> Iterator[Set[int]]:
    """Within: RELION's processes that name the run's folder, found by a quick look, stand still, but for those `besides`."""
    folder, project = os.fsencode(os.path.basename(run.getWorkingDir())), os.path.realpath(run.getProject().path)
    found = set()
    for number in filter(str.isdigit, os.listdir('/proc')):
        with contextlib.suppress(OSError):  # it has ended
            place = Path('/proc', number)
            if int(number) not in besides and (place / 'comm').read_bytes().startswith(b'relion_') and (
                    folder in (place / 'cmdline').read_bytes() and os.readlink(str(place / 'cwd')) == project):
                os.kill(int(number), signal.SIGSTOP)
                found.add(int(number))
    try:
        yield found
    finally:
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _is_in(process: psutil.Process, words: List[str], project: str) -> bool:
    """True for a process of this project, by its folder or by a path in its command (also one in quotes, for a shell)."""
    return os.path.realpath(process.cwd()) == project or any(project in word for word in words)


def _kind(words: List[str]) -> str:
    program = os.path.basename(words[0])
    if program.startswith('relion_'):
        return 'relion'
    if program.startswith(('mpirun', 'prterun', 'orterun', 'mpiexec')):
        return 'launcher'
    if any(os.path.basename(word) == 'keeper.py' for word in words):
        return 'keeper'
    if program not in ('sh', 'dash', 'bash') and any(os.path.basename(word) == 'pw_protocol_run.py' for word in words):
        return 'run'
    return 'other'


def wait_for(run: Any, ranks: int, timeout: float = 120.0, besides: Collection[int] = ()) -> Dict[str, List[psutil.Process]]:
    """The run's processes as soon as RELION is there with so many ranks, those with the numbers `besides` not counted.

    RELION is halted while the others are looked for, which takes time on a busy computer. Raises TimeoutError if it does
    not come.
    """
    end = time.time() + timeout
    while time.time() < end:
        with _halted(run, besides) as programs:
            if len(programs) >= ranks:
                found = processes(run)
                if sum(one.pid not in besides for one in found['relion']) >= ranks:
                    return found
        time.sleep(_PAUSE_S)
    raise TimeoutError('RELION did not start in %s; the run is %s' % (run.getWorkingDir(), run.getStatus()))


def kill(found: Dict[str, List[psutil.Process]], who: str, number: int = signal.SIGKILL) -> List[int]:
    """Send a signal to those of the processes that `who` (of WHO) says; returns their numbers."""
    chosen = [process for kind in WHO[who] for process in found[kind]]
    told = []
    for process in chosen[-1:] if who == 'one rank' else chosen:
        try:
            os.kill(process.pid, number)
            told.append(process.pid)
        except ProcessLookupError:
            continue
    return told


def gone(run: Any, timeout: float) -> bool:
    """True as soon as no process of the run is left; False where one is still there after so many seconds."""
    end = time.time() + timeout
    while any(processes(run).values()):
        if time.time() > end:
            return False
        time.sleep(_PAUSE_S)
    return True
