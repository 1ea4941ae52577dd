"""What is wrong with the computer is found before a run starts: its folder, disk, RELION, processes and memory.

Real disks (in memory) where this process may mount them, real launchers of MPI, real and played programs of RELION.
"""
import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple, Tuple
from unittest import mock

from pyworkflow.object import Pointer

from relionsta.demo.project import new_protocol
from relionsta.jobs.disk import WITHIN, room_for
from relionsta.protocols import preflight
from relionsta.protocols.needs import roomOf, sizesOf
from relionsta.results.iterations import complete_iterations
from relionsta.runtime import build, machine
from relionsta.runtime.build import RELION_HOME, find_build
from relionsta.runtime.doctor import examine, report
from relionsta.tests.protocols.case import shared_road
from relionsta.tests.protocols.scene import SETTINGS

from .injectors.played import PlayedRelion
from .ledger import Ledger
from .preflight_disks import disks, every_protocol, exotic
from .told import check_told, class3d

CPU = 'RELION version: 5.1.0 \nPrecision: BASE=double\n'
#: Jobs of the road that RELION's programs did.
MEASURED = ('extract', 'reconstruct', 'class3d', 'classify', 'mask', 'refine3d', 'postprocess')


def run(ledger: Ledger) -> None:
    """All cases of the group."""
    road = shared_road()
    before = os.getcwd()
    os.chdir(road.project.path)
    try:
        road.until('postprocess')
        _estimates(ledger, road)
        _relions(ledger, road)
        _memory(ledger, road)
        exotic(ledger, road)
        if not ledger.quick:
            _more_estimates(ledger, road)
            _ranks(ledger, road)
            disks(ledger, road)
            every_protocol(ledger, road)
            _quick_on_many(ledger)
    finally:
        os.chdir(before)


# ------------------------------------------------------------------- estimates
def _estimates(ledger: Ledger, road: Any) -> None:
    """What was estimated, beside what RELION has written."""
    for job in MEASURED:
        with ledger.case('disk: %s' % job):
            _check_estimate(ledger, job, road.done[job])


def _check_estimate(ledger: Ledger, name: str, protocol: Any) -> None:
    sizes = sizesOf(protocol)
    if protocol._job.type == 'relion.refine3d.tomo':  # nobody knows its number before
        sizes = sizes._replace(iterations=complete_iterations(protocol._getJobPath(), protocol._job.type)[-1])
    room = room_for(protocol._job.type, protocol.getValues(), sizes)
    files = [path for path in Path(protocol._getJobPath()).rglob('*') if path.is_file()]
    written = sum(path.stat().st_size for path in files)
    ledger.note('disk %s' % name, round(room.bytes / written, 3))
    assert written / WITHIN <= room.bytes <= written * WITHIN, '%s: estimated %d, written %d' % (name, room.bytes, written)
    assert len(files) / 3 <= room.files + 2, '%s: estimated %d files, written %d' % (name, room.files, len(files))


def _more_estimates(ledger: Ledger, road: Any) -> None:
    """Jobs that the road has not, or other forms of its jobs."""
    done = road.done
    source = dict(inputCoordinates=Pointer(done['import_picks'], extended='outputCoordinates'), box_size_angst=192.0,
                  inputTiltSeries=Pointer(done['import_aretomo3'], extended='tiltSeries'), binned_size_pix=SETTINGS.box,
                  inputCtfs=Pointer(done['import_aretomo3'], extended='ctfs'))
    for name, protocol, values in (
            ('3D pseudo-subtomos', 'ProtStaExtract', dict(source, subtomo_format='3D pseudo-subtomos')),
            ('images of 4 bytes a pixel', 'ProtStaExtract', dict(source, do_float16=False)),
            ('tomograms', 'ProtStaReconstructTomograms', dict(
                inputTiltSeries=source['inputTiltSeries'], inputCtfs=source['inputCtfs'], do_fourier=False, do_proj=False,
                binned_angpix=20.0)),
            ('local resolution', 'ProtStaLocalResolution', dict(
                inputVolume=Pointer(done['refine3d'], extended='refinedVolume'),
                solventMask=Pointer(done['mask'], extended='solventMask')))):
        with ledger.case('disk: %s' % name):
            protocol = new_protocol(road.project, protocol, name, values)
            room = roomOf(protocol)
            road.launch(protocol)
            assert roomOf(protocol) == room, 'the estimate before the run was %s, after it %s' % (room, roomOf(protocol))
            _check_estimate(ledger, name, protocol)


# ----------------------------------------------------------------------- RELION
class Wrong(NamedTuple):
    """A RELION that will not do. made: changes the home of a played RELION; words: of the message."""

    what: str
    words: Tuple[str, ...]
    version: str = CPU
    made: Callable[[Path], None] = lambda home: None
    values: Tuple[Tuple[str, Any], ...] = ()


def _remove(*names: str) -> Callable[[Path], None]:
    def change(home: Path) -> None:
        for name in names:
            (home / 'bin' / name).unlink()
    return change


def _script(text: str, mode: int = 0o755) -> Callable[[Path], None]:
    def change(home: Path) -> None:
        (home / 'bin' / 'relion_refine').write_text(text)
        (home / 'bin' / 'relion_refine').chmod(mode)
    return change


WRONG = (
    Wrong('RELION 4', ('RELION 4.0.1', 'needs RELION 5'), version='RELION version: 4.0.1-commit-ex417f \n'),
    Wrong('RELION 3.1', ('RELION 3.1.4', 'needs RELION 5'), version='RELION version: 3.1.4 \n'),
    Wrong('a program without --version', ('does not tell its version', 'unknown'),
          made=_script('#!/bin/sh\necho unknown option >&2\nexit 1\n')),
    Wrong('a program that says nothing', ('does not tell its version', 'printed nothing'), made=_script('#!/bin/sh\n')),
    Wrong('a program that crashes', ('does not tell its version',), made=_script('#!/bin/sh\nkill -11 $$\n')),
    Wrong('a program that hangs', ('no answer',), made=_script('#!/bin/sh\nexec sleep 30\n')),
    Wrong('a program of another processor', ('does not start',), made=_script('\x7fELF junk')),
    Wrong('a program that may not be run', ('no program bin/relion_refine',), made=_script('#!/bin/sh\n', 0o644)),
    Wrong('no programs at all', ('no program bin/relion_refine',), made=lambda home: shutil.rmtree(str(home / 'bin'))),
    Wrong('no programs of MPI', ('no MPI programs',), made=_remove('relion_refine_mpi')),
    Wrong('a build without GPU', ('*Use GPU acceleration?*', 'without GPU support'), values=(('useGpu', True),)),
    Wrong('a build without Blush', ('Blush', 'relion_python_blush'), values=(('do_blush', True),)),
)


def _relions(ledger: Ledger, road: Any) -> None:
    """Each is refused by the validation of a run, and told by the doctor where it is no choice of the run."""
    for number, row in enumerate(WRONG[:1] + WRONG[-2:-1] if ledger.quick else WRONG):
        with ledger.case('RELION: %s' % row.what), mock.patch.object(build, 'PATIENCE', 1.0):
            relion = PlayedRelion(ledger.folder / ('relion%d' % number), row.version)
            row.made(relion.home)
            with relion.used():
                check_told(class3d(road, **dict(row.values)).validate(), row.words)
                if not row.values:
                    found = [one.found + ' ' + one.fix for one in examine() if one.fix]
                    assert any(row.words[0] in text or 'relion_refine_mpi' in text for text in found), found
    with ledger.case('RELION: a program of a job missing'):
        relion = PlayedRelion(ledger.folder / 'relion', CPU)
        _remove('relion_tomo_align')(relion.home)
        with relion.used():
            text = report(examine())
        assert 'relion_tomo_align' in text and '!!' in text, text


# -------------------------------------------------------------- memory and ranks
def _memory(ledger: Ledger, road: Any) -> None:
    protocol = class3d(road, nr_classes=3, numberOfMpi=2)
    needed = protocol.estimateMemory()
    refine = road.done['refine3d']
    for what, one, part, errors, warnings in (
            ('half of it', protocol, 0.5, 1, 0), ('just enough', protocol, 1.0, 0, 1), ('plenty', protocol, 2.0, 0, 0),
            ('half of it for an auto-refine', refine, 0.5, 1, 0)):
        with ledger.case('memory: %s' % what), mock.patch.object(
                machine, 'memory_bytes', return_value=int(part * one.estimateMemory())):
            told = [text for text in one.validate() if text.startswith('*Memory*')]
            assert len(told) == errors, told
            told += [text for text in one.warnings() if text.startswith('*Memory*')]
            assert len(told) == errors + warnings, told
            for text in told:
                check_told([text], ('box %d' % SETTINGS.box, 'MPI process', 'MB'))
    with ledger.case('memory: a queue has its own'), mock.patch.object(machine, 'memory_bytes', return_value=needed // 2):
        protocol._useQueue.set(True)
        assert protocol.validate() == [], protocol.validate()
    with ledger.case('memory: nobody knows'), mock.patch.object(machine, 'memory_bytes', return_value=None):
        assert class3d(road).validate() == []


def _strict_home(folder: Path, launcher: str = '') -> Path:
    """The RELION of this computer with an mpirun that keeps to its slots, as that of other computers does."""
    home = find_build().home
    (folder / 'bin').mkdir(parents=True, exist_ok=True)
    for path in (home / 'bin').iterdir():
        if path.name != 'mpirun' and not (folder / 'bin' / path.name).exists():
            (folder / 'bin' / path.name).symlink_to(path)
    strict = (home / 'bin' / 'mpirun').read_text().replace('--oversubscribe ', '')
    (folder / 'bin' / 'mpirun').write_text(launcher or strict)
    (folder / 'bin' / 'mpirun').chmod(0o755)
    return folder


def _ranks(ledger: Ledger, road: Any) -> None:
    """More processes than slots are an error where the launcher refuses them, else at most a warning."""
    many = 8 * machine.cores() + 1
    with ledger.case('MPI: many processes where they may share cores'):
        protocol = class3d(road, numberOfMpi=many)
        assert protocol.validate() == [], protocol.validate()
        check_told(protocol.warnings(), ('*MPIs*', str(many), 'wait for each other'))
    for what, launcher, words in (('not enough slots', '', ('*MPIs*', str(many), 'slots')),
                                  ('a launcher that is broken', '#!/bin/sh\necho mpirun: cannot execute: error\nexit 2\n',
                                   ('*MPIs*', 'cannot execute'))):
        with ledger.case('MPI: %s' % what):
            home = _strict_home(ledger.folder / ('strict%d' % len(what)), launcher)
            with mock.patch.dict(os.environ, {RELION_HOME: str(home)}):
                check_told(class3d(road, numberOfMpi=many).validate(), words)
                assert class3d(road).validate() == []
                if launcher:
                    assert 'does not start' in report(examine())
                else:
                    protocol = class3d(road, numberOfMpi=many)
                    host = road.project.getHostConfig(protocol.getHostName())
                    with _changed(host.mpiCommand, 'mpirun --oversubscribe -np %(JOB_NODES)d %(COMMAND)s'):
                        assert protocol.validate() == [], protocol.validate()
    with ledger.case('MPI: a queue has its own'):
        home = _strict_home(ledger.folder / 'strict queue')
        with mock.patch.dict(os.environ, {RELION_HOME: str(home)}):
            protocol = class3d(road, numberOfMpi=many)
            protocol._useQueue.set(True)
            assert protocol.validate() == [], protocol.validate()


@contextlib.contextmanager
def _changed(attribute: Any, value: Any) -> Iterator[None]:
    before = attribute.get()
    attribute.set(value)
    try:
        yield
    finally:
        attribute.set(before)


# ------------------------------------------------------------------- how quick
class _Many:
    """As much of a set of 100,000 particles as the checks before a run may ask for: no list of its particles."""

    def __init__(self, particles: Any):
        self._particles = particles

    def __getattr__(self, name: str) -> Any:
        if name in ('iterItems', '__iter__', 'getFiles'):
            raise AssertionError('every particle was looked at')
        return getattr(self._particles, name)

    def getSize(self) -> int:
        """Many."""
        return 100000


def _quick_on_many(ledger: Ledger) -> None:
    """The checks of the computer take as long for many particles as for few: none is read."""
    with ledger.case('100,000 particles'):
        protocol = class3d(shared_road())
        many = _Many(protocol.inputParticles.get())
        with mock.patch.object(protocol, '_particlesPointer', return_value=mock.Mock(get=lambda: many)):
            start = time.time()
            assert preflight.errors(protocol) == [], preflight.errors(protocol)
            preflight.warnings(protocol)
            seconds = time.time() - start
            assert roomOf(protocol).bytes > 6e6 * 3, roomOf(protocol)
        ledger.note('seconds for 100,000 particles', round(seconds, 3))
        assert seconds < 1.0, seconds
