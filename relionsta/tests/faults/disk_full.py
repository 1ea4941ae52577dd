"""Full disks: while RELION writes, while we write, and for every file that we write ourselves."""
import concurrent.futures
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any, Dict, NamedTuple, Sequence, Set, Tuple

import pyworkflow as pw
from pyworkflow.project import Project
from pyworkflow.protocol.constants import MODE_RESUME

from ...protocols.full_disk import SPARE
from .finished import MAKERS, project_case
from .full_disk_writers import WRITERS, prove_writer
from .injectors.disk import NoSmallDisk, SmallDisk, bytes_of, file_size_limit, small_disk
from .injectors.watch import Watch
from .ledger import Ledger
from .same import check_same

DISK_BYTES = 192 << 20
#: What Scipion and our inputs take of the disk from the first step on: logs, run.sh, STAR files.
SLACK = 40 << 10
#: Seconds that a run may take to come to its first step.
PATIENCE = 120
#: Largest file under a limit: Scipion's databases and what we keep back are smaller, maps of 96 pixels are larger.
LIMIT = 3 << 19
#: What a message must say, one of each: what is wrong, how much there is, where, and what to do.
OF_SCIPION = 'database or disk is full'
FULL = (('disk is full', 'disk was full'), (' free ',), ('/Runs/',), ('Continue',))
LIMITED = (('file size', 'file became too large', 'file grow'), ('ulimit -f',), ('Continue', 'again'))


class Case(NamedTuple):
    """A run whose disk fills up. kind: of finished runs, which it is a copy of; part: of what it writes in its job folder
    fits (low, high); limit: instead of that, the largest file, in bytes; values: changed in its form; scipion: the disk may
    be full between two steps, where Scipion itself writes its database and has a message of its own."""

    name: str
    kind: str
    part: Tuple[float, float] = (0.1, 0.8)
    limit: int = 0
    values: Dict[str, Any] = {}
    scipion: bool = False
    quick: bool = False


CASES = (
    Case('extraction, in the images', 'extract', (0.05, 0.4), quick=True),
    Case('extraction, at the end', 'extract', (0.6, 0.8), scipion=True),
    Case('extraction, at the input STAR files', 'extract', (-0.17, -0.12), scipion=True),
    Case('reconstruct particle', 'reconstruct', (0.1, 0.7)),
    Case('reconstruct particle, files that are removed at the end', 'reconstruct', (1.2, 1.4), scipion=True),
    Case('reconstruct particle, a limit of file size', 'reconstruct', limit=LIMIT,
         values={'box_size': 96}),
    Case('3D classification, in the first iteration', 'classify', (0.02, 0.15)),
    Case('3D classification, between the iterations', 'classify', (0.3, 0.8)),
    Case('3D auto-refine with MPI', 'refine3d', (0.02, 0.1)),
    Case('mask', 'mask', (0.1, 0.9)),
    Case('post-processing', 'postprocess', (0.1, 0.8)),
    Case('reconstruct tomograms', 'tomograms', (0.1, 0.8)),
    Case('reconstruct tomograms, a limit of file size', 'tomograms', limit=LIMIT, values={'binned_angpix': 8.0}),
    Case('CTF refinement', 'ctf refine', (0.05, 0.5)),
    Case('Bayesian polishing', 'polish', (0.05, 0.5)),
    Case('import of AreTomo3, copied files', 'import_aretomo3', (0.1, 0.8), values={'copyFiles': True}),
)

#: Kinds of runs that are made of particles in two halves.
HALVED, OF_HALVES = 'halved', ('ctf refine', 'polish')


def run(ledger: Ledger) -> None:
    """All writers, then the cases that this selection has; where no small disk can be had, only limits of file size."""
    cases = [case for case in CASES if case.quick or not ledger.quick]
    place = ledger.folder / 'small disk'
    try:
        with small_disk(place, 1 << 20) as disk:
            _prove_writers(ledger, disk)
    except NoSmallDisk as reason:
        ledger.open('a small disk', 'this user may not mount one (%s).' % reason,
                    'Run the campaign as root, or where users may have name spaces of their own (unshare): without a disk '
                    'limits of file size are tried alone.')
        place.mkdir(exist_ok=True)
        disk, cases = SmallDisk(place, bounded=False), [case for case in cases if case.limit]
        _prove_writers(ledger, disk)
        if cases:
            _prove_runs(ledger, disk, cases)
    else:
        with small_disk(place, DISK_BYTES + bytes_of(project_case().proj.path)) as disk:
            _prove_runs(ledger, disk, cases)


def _prove_writers(ledger: Ledger, disk: SmallDisk) -> None:
    for writer in WRITERS:
        with ledger.case('our file: %s' % writer.name):
            prove_writer(writer, disk, ledger.folder / 'plain')


def _prove_runs(ledger: Ledger, disk: SmallDisk, cases: Sequence[Case]) -> None:
    """Each case in a copy of the project on the disk."""
    runs = _references({case.kind for case in cases})
    here = os.getcwd()
    try:
        project = _copied(project_case().proj, disk.folder / 'a project')
        for case in cases:
            with ledger.case(case.name), disk.given_back():
                _prove(case, project, disk, runs[case.kind], ledger.random.uniform(*case.part))
        if disk.bounded and not ledger.quick:
            with ledger.case('3D classification, while the outputs are made'), disk.given_back():
                _prove_outputs(project, disk, runs['classify'])
            with ledger.case('export to RELION'), disk.given_back():
                _prove_export(project, disk, runs['postprocess'])
            with ledger.case("Scipion's own databases, not a byte left"), disk.given_back():
                _prove_databases(project, disk, runs['mask'])
    finally:
        os.chdir(here)


def _references(kinds: Set[str]) -> Dict[str, Any]:
    """A finished run of each kind, in the project that the tests share."""
    runs: Dict[str, Any] = {}
    for one in MAKERS:
        if one.name in kinds or (one.name == HALVED and kinds & set(OF_HALVES)) or one.name == 'extract':
            runs[one.name] = one.make(project_case(), runs)
    return dict(runs, import_aretomo3=project_case().done['import_aretomo3'])


def _copied(project: Any, target: Path) -> Project:
    """A copy of the project with its runs; it becomes the working directory."""
    shutil.copytree(project.path, str(target), symlinks=True)
    copy = Project(pw.Config.getDomain(), str(target))
    copy.load()
    return copy


def _prove(case: Case, project: Project, disk: SmallDisk, reference: Any, part: float) -> None:
    """The run fails with a clear message and no output that is not whole; Continue comes to the result of the reference."""
    run = _copy(project, reference, case.values)
    if case.limit:
        with file_size_limit(case.limit):
            project.launchProtocol(run, wait=True)
    else:
        _launch_with(project, disk, run, SLACK + int(part * _written(reference)))
    _check_failed(run, LIMITED if case.limit else FULL, case.scipion)
    if list(run.iterOutputAttributes()):  # all was done, and then Scipion had no room to say so
        check_same(run, reference)
    disk.empty()
    _go_on(project, run)
    if not case.limit:
        check_same(run, reference)


def _prove_outputs(project: Project, disk: SmallDisk, reference: Any) -> None:
    """Outputs that do not fit, of a run whose RELION is done: those of another iteration."""
    run = _copy(project, reference, {})
    project.launchProtocol(run, wait=True)
    assert run.isFinished(), run.getErrorMessage()
    run.outputIteration.set(1)
    run.runMode.set(MODE_RESUME)
    _launch_with(project, disk, run, 6 << 10)
    _check_failed(run, FULL, scipion=True)
    disk.empty()
    _go_on(project, run)
    assert '_it001_' in run.outputParticles.getParticlesStars()[0]
    assert run.outputParticles.getSize() == reference.outputParticles.getSize()


def _go_on(project: Project, run: Any) -> None:
    run.runMode.set(MODE_RESUME)
    project.launchProtocol(run, wait=True)
    assert run.isFinished(), 'it did not go on after space was made: %s' % run.getErrorMessage()


def _written(reference: Any) -> int:
    """Bytes that a finished run has written for good; of an import, those that it would copy."""
    if hasattr(reference, '_getJobPath'):
        return bytes_of(os.path.join(reference.getProject().path, reference._getJobPath()))
    return bytes_of(reference.filesPath.get())


def _copy(project: Project, reference: Any, values: Dict[str, Any]) -> Any:
    run = project.copyProtocol(project.getProtocol(reference.getObjId()))
    for name, value in values.items():
        getattr(run, name).set(value)
    project.saveProtocol(run)
    project.mapper.commit()
    return run


def _launch_with(project: Project, disk: SmallDisk, run: Any, free: int) -> None:
    """Run it; others fill the disk when its first step has begun, after all checks, and leave so many bytes to it."""
    folder, name = os.path.split(run.getWorkingDir())
    with concurrent.futures.ThreadPoolExecutor(1) as pool, Watch(folder) as watch:
        filled = pool.submit(_fill, watch, name, disk, free)
        project.launchProtocol(run, wait=True)
        filled.result()


def _fill(watch: Watch, name: str, disk: SmallDisk, free: int) -> None:
    watch.wait('%s/logs/%s' % (name, SPARE), 'closed', timeout=PATIENCE)
    disk.leave(free)


def _check_failed(run: Any, wanted: Sequence[Sequence[str]], scipion: bool) -> None:
    """The reason is told (scipion: or Scipion's own message), nothing half-made is registered, the databases are whole."""
    told = run.getErrorMessage()
    assert run.isFailed(), 'it is %s' % run.getStatus()
    assert (scipion and told.strip().endswith(OF_SCIPION)) or all(
        any(word in told for word in words) for words in wanted), told
    assert not os.path.exists(run._getLogsPath(SPARE)), 'the room that was kept back was not given back'
    for path in (run.getDbPath(), run.getProject().getDbPath()):
        with sqlite3.connect(path) as database:
            assert database.execute('PRAGMA integrity_check').fetchone() == ('ok',), path


def _prove_export(project: Project, disk: SmallDisk, reference: Any) -> None:
    """A folder for RELION appears whole or not at all."""
    target = disk.folder / 'exported'
    run = project.newProtocol(project.getDomain().getProtocols()['ProtStaExportRelion'])
    run.inputResult.set(project.getProtocol(reference.getObjId()))
    run.inputResult.setExtended('sharpenedVolume')
    run.exportFolder.set(str(target))
    project.saveProtocol(run)
    project.mapper.commit()
    _launch_with(project, disk, run, 8 << 10)
    _check_failed(run, FULL, scipion=True)
    assert not target.exists(), sorted(os.listdir(str(target)))
    disk.empty()
    run.runMode.set(MODE_RESUME)
    project.launchProtocol(run, wait=True)
    assert run.isFinished() and (target / 'default_pipeline.star').exists(), run.getErrorMessage()


def _prove_databases(project: Project, disk: SmallDisk, reference: Any) -> None:
    """Where not even Scipion can write, the project opens again after space is made, and the run goes on."""
    run = _copy(project, reference, {})
    number = run.getObjId()
    disk.leave(0)
    try:
        project.launchProtocol(run, wait=True)
    except (OSError, sqlite3.OperationalError):
        pass  # Scipion's own message: it cannot write its database
    disk.empty()
    again = Project(pw.Config.getDomain(), project.path)
    again.load()
    run = again.getProtocol(number)
    assert list(run.iterOutputAttributes()) == []
    run.runMode.set(MODE_RESUME)
    again.launchProtocol(run, wait=True)
    assert run.isFinished(), run.getErrorMessage()
    check_same(run, reference)
