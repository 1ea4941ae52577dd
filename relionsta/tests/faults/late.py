"""Late, stale, scrambled and foreign files: what is not there yet is waited for, what is not of this run is no output."""
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple

from pyworkflow.protocol.constants import MODE_RESTART

from relionsta.protocols.own_inputs import mendOwnInputs

from .finished import MAKERS, finished, project_case
from .injectors import late as harm
from .injectors.played import PlayedRelion
from .injectors.tear import Snapshot
from .ledger import Ledger
from .reading import ITERATIVE, REFUSALS, Answer, followed, make_outputs

QUICK = ('extract', 'class3d')
#: Kinds whose program is played by one that ends well and writes nothing.
EMPTY_HANDED = ('extract', 'reconstruct', 'class3d', 'mask', 'postprocess')
#: Seconds that the cases wait for files that come, and for those that do not.
PATIENCE, SHORT = 20., 0.1
MRC, STAR = '.mrc', '.star'


#: Case, reason, advice.
FEWER_EXTRACTED = (
    'extraction that lists fewer particles than it got, in a file that is whole',
    'RELION leaves out particles that are seen in too few images, and says of none of them that it did.',
    'The summary tells how many of the particles were extracted: compare.')


class Harm(NamedTuple):
    """Harm to one file that the outputs are made of. ending: of the files that it is for."""

    name: str
    do: Callable[[Path], None]
    ending: str = ''


#: After each of them the outputs are refused, with the name of the file.
HARMS = (Harm('gone', harm.be_gone), Harm('a folder', harm.be_a_folder), Harm('a link to nothing', harm.lead_nowhere),
         Harm('another box', harm.crop, MRC), Harm('another pixel size', harm.rescale, MRC))
#: The same, for the files of particles.
OF_PARTICLES = (Harm('fewer particles', harm.lose_row), Harm('particles of another run', harm.rename_rows))


def run(ledger: Ledger) -> None:
    """All kinds of jobs that have files of RELION as results."""
    names = QUICK if ledger.quick else [one.name for one in MAKERS if one.name != 'halved']
    runs = finished(*names)
    for name in names:
        late_run(ledger, name, runs[name].getObjId())
    _own_inputs(ledger, runs['class3d'])
    if not ledger.quick:
        _own_inputs(ledger, runs['extract'])
    for name in () if ledger.quick else EMPTY_HANDED:
        _empty_handed(ledger, name, runs[name])
    ledger.open(*FEWER_EXTRACTED)
    if not ledger.quick:
        _foreign_iteration(ledger, runs['class3d'].getObjId(), runs['classify'].getObjId())


def late_run(ledger: Ledger, name: str, number: int) -> None:
    """The cases of one run."""
    project = project_case().proj

    def load() -> Any:
        return project.getProtocol(number)

    one = load()
    folder, snapshot = Path(one._getJobPath()), Snapshot(Path(one._getPath()))
    truth = make_outputs(load())
    iterative = type(one).__name__ in ITERATIVE
    seen = followed(load()) if iterative else Answer({})
    snapshot.restore()
    # What symmetry expansion hands on is our own file; RELION's is read to make it
    named = one._getResultPaths() if name == 'symmetry expand' else truth.files
    results = sorted(Path(path) for path in named if os.path.abspath(path).startswith(os.path.abspath(str(folder)) + os.sep))
    cases: Dict[str, Callable[[], None]] = {
        'files that come late and grow': lambda: _late(load, results, truth, ledger),
        'scrambled times': lambda: _scrambled(load, folder, truth, seen, ledger)}
    if iterative:
        cases['iterations of an earlier run'] = lambda: _stale(load, folder, truth)
    maps = [path for path in results if path.parent == folder]
    harms = [(one, path) for one in HARMS for path in _some(maps if one.do is harm.rescale else results, one.ending, ledger)]
    particles = [path for path in results if path.suffix == STAR and _lists_particles(path)]
    harms += [(one, path) for one in OF_PARTICLES for path in particles if not (
        name.endswith('extract') and one.do is harm.lose_row)]
    for case, path in harms:
        cases['%s: %s' % (path.name, case.name)] = lambda case=case, path=path: _refused(load, case, path)  # type: ignore[misc]
    for case_name, check in cases.items():
        try:
            with ledger.case('%s, %s' % (name, case_name)):
                check()
        finally:
            snapshot.restore()


def _lists_particles(path: Path) -> bool:
    return '\ndata_particles' in path.read_text()


def _some(paths: List[Path], ending: str, ledger: Ledger) -> List[Path]:
    """One of the files of a kind."""
    found = [path for path in paths if path.name.endswith(ending)]
    return [found[int(ledger.random.integers(len(found)))]] if found else []


def _late(load: Callable[[], Any], results: List[Path], truth: Answer, ledger: Ledger) -> None:
    writer = harm.Slowly(harm.take_away(results), ledger.random)
    writer.start()
    try:
        found = make_outputs(load(), PATIENCE)
    finally:
        writer.join()
    # The set remembers when its file was written, so that is no part of what is compared
    assert found.values == truth.values, 'another answer'


def _scrambled(load: Callable[[], Any], folder: Path, truth: Answer, seen: Answer, ledger: Ledger) -> None:
    harm.scramble_times(folder, ledger.random)
    assert make_outputs(load()).values == truth.values, 'another answer'
    if seen.values:
        assert followed(load()).values == seen.values, 'the live view shows something else'


def _stale(load: Callable[[], Any], folder: Path, truth: Answer) -> None:
    """Two more iterations than were asked for, newer than all else."""
    numbers = load().getCompleteIterations()
    for path in sorted(folder.glob('run_it%03d_*' % numbers[-1])):
        for later in (1, 2):
            shutil.copy(str(path), str(path).replace('_it%03d_' % numbers[-1], '_it%03d_' % (numbers[-1] + later)))
    assert make_outputs(load()).values == truth.values, 'another answer'


def _refused(load: Callable[[], Any], case: Harm, path: Path) -> None:
    case.do(path)
    start = time.monotonic()
    try:
        make_outputs(load(), SHORT)
    except REFUSALS as error:
        assert path.name in str(error), 'the file is not named: %s' % error
        assert time.monotonic() - start < PATIENCE
        return
    raise AssertionError('it became an output')


def _foreign_iteration(ledger: Ledger, target: int, source: int) -> None:
    """The last iteration of another run, copied in with all its files."""
    project = project_case().proj
    run, other = project.getProtocol(target), project.getProtocol(source)
    snapshot = Snapshot(Path(run._getPath()))
    number, theirs = run.getIteration(), other.getIteration()
    for path in Path(other._getJobPath()).glob('run_it%03d_*' % theirs):
        name = path.name.replace('_it%03d_' % theirs, '_it%03d_' % number)
        text = path.read_bytes()
        if path.name.endswith('_optimiser.star'):
            text = re.sub(rb'(_rlnCurrentIteration\s+)\d+', b'\\g<1>%d' % number, text)
        Path(run._getJobPath(), name).write_bytes(text)
    try:
        with ledger.case('class3d, an iteration of another run'):
            try:
                make_outputs(project.getProtocol(target))
            except REFUSALS as error:
                assert 'of another run' in str(error), error
            else:
                raise AssertionError('it became an output')
    finally:
        snapshot.restore()


def _own_inputs(ledger: Ledger, done: Any) -> None:
    """A file that we wrote for RELION is torn before RELION starts, and Continue skips the step that wrote it."""
    run = project_case().proj.getProtocol(done.getObjId())
    folder, snapshot = Path(run._getInputPath()), Snapshot(Path(run._getPath()))
    stars = [path for path in sorted(folder.rglob('*.star')) if not path.is_symlink()]
    for path in stars:
        before = path.read_bytes()
        with ledger.case('our own %s is torn before RELION starts' % path.name):
            path.write_bytes(before[:len(before) // 2] + bytes(len(before) - len(before) // 2))
            mendOwnInputs(run)
            assert path.read_bytes() == before, 'RELION would get the torn file'
        snapshot.restore()


def _empty_handed(ledger: Ledger, name: str, done: Any) -> None:
    """RELION ends without an error and has written nothing: no outputs, and the missing file is named."""
    case = project_case()
    relion = PlayedRelion(ledger.folder / 'played')
    relion.says(end=0)
    copy = case.proj.copyProtocol(done)
    copy.runMode.set(MODE_RESTART)
    with ledger.case('%s, RELION ends well and has written nothing' % name), relion.used():
        case.proj.launchProtocol(copy, wait=True)
        assert copy.isFailed(), copy.getStatus()
        assert not [output for output, _ in copy.iterOutputAttributes()], 'there are outputs'
        told = copy.getErrorMessage()
        assert 'is not there' in told and '.' in told, told
