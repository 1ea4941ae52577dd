"""Runs, projects and processes at the same time, on the same inputs: none meets another's files or locks."""
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

import pyworkflow as pw
from pyworkflow.project import Project

from ...protocols.child_runs import changeProject
from .finished import MAKERS, project_case
from .injectors.checksums import marks_of, new_files
from .injectors.watch import Watch
from .ledger import Ledger
from .same import check_same

#: Seconds that runs may take together on a busy machine.
PATIENCE = 300
#: What Scipion itself writes in the folder of a project.
RECORDS = ('project.sqlite', 'settings.sqlite', 'Logs', 'Runs', 'Tmp', 'Uploads', '.lock')
#: Changes of a project by each of two processes.
CHANGES = 25

_CHANGER = '''
import sys, pyworkflow as pw
from relionsta.protocols.child_runs import changeProject, newRun
path, name, number, shared = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
pw.Config.getDomain().getProtocols()
for one in range(number):
    with changeProject(path) as project:
        both = project.getProtocol(shared)
        both.setObjComment(both.getObjComment() + name[0])
        project.mapper.store(both)
        run = newRun(project, 'ProtStaMask', '%s %d' % (name, one), {'inimask_threshold': 0.1 + one})
        project._setupProtocol(run)
        project.mapper.store(run)
'''
_WRITER = '''
import sys
from relionsta.whole import whole
path, word = sys.argv[1], sys.argv[2]
for one in range(400):
    with whole(path) as partial:
        partial.write_text(word * 5000)
'''


class Pair(NamedTuple):
    """Two runs of a kind at once. apart: in two projects."""

    name: str
    kind: str
    apart: bool = False


PAIRS = (
    Pair('two extractions', 'extract'),
    Pair('two reconstructions in two projects', 'reconstruct', apart=True),
    Pair('two classifications', 'classify'),
    Pair('two classifications in two projects', 'classify', apart=True),
    Pair('two masks in two projects', 'mask', apart=True),
    Pair('two imports', 'import_aretomo3'),
)


def run(ledger: Ledger) -> None:
    """What several processes do to one file; then the pairs, and what they do to one project and one folder."""
    with ledger.case('two processes write one file'):
        _prove_file(ledger.folder)
    if ledger.quick:
        return
    case = project_case()
    runs = _references(case, {pair.kind for pair in PAIRS})
    here = os.getcwd()
    for pair in PAIRS:
        with ledger.case(pair.name):
            try:
                _prove_pair(pair, case.proj, runs[pair.kind], ledger.folder)
            finally:
                os.chdir(here)
    with ledger.case('two processes change one project', tries=2):
        _prove_project(case.proj, ledger.folder)
        os.chdir(here)
    with ledger.case('a demo that is started twice in a folder'):
        _prove_demo(ledger.folder / 'demo')


def _references(case: Any, kinds: Sequence[str]) -> Dict[str, Any]:
    runs: Dict[str, Any] = {}
    for one in MAKERS:
        if one.name in kinds:
            runs[one.name] = one.make(case, runs)
    case.road.until('import_aretomo3')
    return dict(runs, import_aretomo3=case.done['import_aretomo3'])


def _prove_pair(pair: Pair, project: Any, reference: Any, place: Path) -> None:
    """Both finish, each with the result of a run alone, and neither leaves a file outside of its own folder."""
    projects = [project, _copied(project, place / 'another project') if pair.apart else project]
    runs = []
    for one in projects:
        run = one.copyProtocol(one.getProtocol(reference.getObjId()))
        one.saveProtocol(run)
        one.mapper.commit()
        runs.append(run)
    tops = [Path(one.path) for one in projects]
    before = marks_of(tops)
    with Watch(str(tops[0])) as watch:
        for one, run in zip(projects, runs):
            os.chdir(one.path)
            one.launchProtocol(run, wait=False)
        for one, run in zip(projects, runs):
            _wait(one, run)
        at_top = {event.path for event in watch.events(1.0) if event.what == 'made'}
    strange = [path for path in at_top if os.sep not in path and not path.startswith(RECORDS)]
    assert not strange, 'files in the folder of the project: %s' % ', '.join(strange)
    owned = ['%s/%s/' % (os.path.realpath(one.path), run.getWorkingDir()) for one, run in zip(projects, runs)]
    foreign = [path for path in new_files(tops, before) if not path.startswith(tuple(owned))
               and not os.path.basename(path).startswith(RECORDS)]
    assert not foreign, 'files outside of the two runs: %s' % ', '.join(foreign[:5])
    for one, run in zip(projects, runs):
        os.chdir(one.path)
        assert run.isFinished(), run.getErrorMessage()
        check_same(run, reference)
        _check_database(one.getDbPath())


def _copied(project: Any, target: Path) -> Project:
    shutil.rmtree(str(target), ignore_errors=True)
    shutil.copytree(project.path, str(target), symlinks=True)
    copy = Project(pw.Config.getDomain(), str(target))
    copy.load()
    return copy


def _wait(project: Any, run: Any) -> None:
    """Until the run has ended; as the GUI does, its state is read from its own database."""
    os.chdir(project.path)
    end = time.time() + PATIENCE
    while run.isActive():
        assert time.time() < end, 'it has not ended after %d s' % PATIENCE
        time.sleep(0.3)
        project._updateProtocol(run)


def _check_database(path: str) -> None:
    with sqlite3.connect(path) as database:
        assert database.execute('PRAGMA integrity_check').fetchone() == ('ok',), path


def _both(code: str, *arguments: Sequence[str]) -> List[int]:
    """The exit codes of processes that run this code at the same time, each with its arguments."""
    running = [subprocess.Popen([sys.executable, '-c', code, *given]) for given in arguments]
    return [one.wait(timeout=PATIENCE) for one in running]


def _prove_file(folder: Path) -> None:
    """The file is always that of one of them, and nothing else is left."""
    place = folder / 'one file'
    shutil.rmtree(str(place), ignore_errors=True)
    place.mkdir()
    path = place / 'both.txt'
    assert _both(_WRITER, [str(path), 'a'], [str(path), 'b']) == [0, 0]
    assert path.read_text() in ('a' * 5000, 'b' * 5000) and os.listdir(str(place)) == ['both.txt']


def _prove_project(project: Any, folder: Path) -> None:
    """No change of either is lost, be it a new run or what both add to one that is there; the database is whole."""
    copy = _copied(project, folder / 'changed project')
    shared = copy.getRuns()[0].getObjId()
    codes = _both(_CHANGER, *([copy.path, name, str(CHANGES), str(shared)] for name in ('one', 'Other')))
    assert codes == [0, 0], codes
    _check_database(copy.getDbPath())
    with changeProject(copy.path) as changed:
        labels = {run.getObjLabel() for run in changed.getRuns()}
        comment = changed.getProtocol(shared).getObjComment()
    assert [comment.count(letter) for letter in 'oO'] == [CHANGES, CHANGES], 'of changes of one run is left: %s' % comment
    missing = {'%s %d' % (name, one) for name in ('one', 'Other') for one in range(CHANGES)} - labels
    assert not missing, 'changes were lost: %s' % ', '.join(sorted(missing))


def _prove_demo(folder: Path) -> None:
    """The second one says that there is another, and touches nothing."""
    shutil.rmtree(str(folder), ignore_errors=True)
    command = [sys.executable, '-m', 'relionsta', 'demo', '--folder', str(folder)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        _until(lambda: (folder / 'lock').exists())
        second = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
                                check=False, timeout=PATIENCE)
        assert second.returncode == 1 and 'Another demo is at work' in second.stdout, second.stdout
        assert first.poll() is None, 'the first one has ended'
    finally:
        os.killpg(first.pid, 15)
        first.wait()


def _until(found: Callable[[], bool]) -> None:
    end = time.time() + PATIENCE
    while not found():
        assert time.time() < end, 'it does not come'
        time.sleep(0.2)
