"""Disks that are full, small, read-only or strange are found before a run starts."""
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, NamedTuple, Tuple
from unittest import mock

import pyworkflow
from pyworkflow.project import Project

from relionsta import protocols
from relionsta.runtime import machine
from relionsta.runtime.doctor import examine
from relionsta.tests.protocols.test_refusals import TRIED_WHERE_THEY_RUN, RefusalCase

from .injectors.disk import NoSmallDisk, SmallDisk, read_only, small_disk
from .ledger import Ledger
from .told import check_told, class3d

SMALL = 400 << 20  # bytes of the small disk


def exotic(ledger: Ledger, road: Any) -> None:
    """A file system that tells nothing, or nonsense, stops nobody."""
    real = os.statvfs
    nothing = os.statvfs_result((4096, 0, 0, 0, 0, 0, 0, 0, 0, 255))
    for what, fault in (('that is not supported', mock.Mock(side_effect=OSError(errno.ENOSYS, 'not supported'))),
                        ('of zeros', mock.Mock(return_value=nothing))):
        with ledger.case('disk: statvfs %s' % what), mock.patch.object(os, 'statvfs', fault):
            protocol = class3d(road)
            assert protocol.validate() == [] and protocol.warnings() == [], protocol.validate() + protocol.warnings()
    with ledger.case('disk: one that counts no files'):
        def uncounted(path: Any) -> os.statvfs_result:
            told = list(real(path))
            told[5:8] = [0, 0, 0]
            return os.statvfs_result(told)
        with mock.patch.object(os, 'statvfs', uncounted):
            assert class3d(road).validate() == []


def disks(ledger: Ledger, road: Any) -> None:
    """Real disks in every state, and what is said of them."""
    place = ledger.folder / 'disk'
    try:
        with small_disk(place, SMALL) as disk:
            shutil.copytree(road.project.path, str(place / 'project'), symlinks=True)
            copy = _opened(place / 'project', road)
            for row in DISKS:
                with ledger.case('disk: %s' % row.what):
                    _check_disk(row, disk, copy)
            disk.empty()
            with ledger.case('disk: read-only'), read_only(place / 'project', ledger.folder / 'read only'):
                check_told(class3d(_opened(ledger.folder / 'read only', road)).validate(), ('nothing can be', 'read-only'))
                _check_commands(ledger.folder / 'read only', copy, 'nothing can be written')
    except NoSmallDisk as error:
        ledger.open('small, full and read-only disks', 'this process may not mount file systems (%s).' % error,
                    'Run the campaign as root, in a container for example.')
    finally:
        os.chdir(road.project.path)


def _opened(folder: Path, road: Any) -> '_Copied':
    """A copy of the road's project."""
    project = Project(pyworkflow.Config.getDomain(), str(folder))
    project.load()
    return _Copied(project, {job: project.getProtocol(run.getObjId()) for job, run in road.done.items()})


class _Copied(NamedTuple):
    """A project and its runs by job, as a Road has them."""

    project: Any
    done: Dict[str, Any]


class Disk(NamedTuple):
    """A state of the disk: options of a mount, bytes that are left free (all where 0); words of the error, or of the
    warning; values of a classification."""

    what: str
    options: str = 'rw'
    leave: int = 0
    error: Tuple[str, ...] = ()
    warning: Tuple[str, ...] = ()
    values: Tuple[Tuple[str, Any], ...] = ()
    said: str = ''


DISKS = (
    Disk('full', leave=0x1000, error=('*Disk*', '4.1 kB are free'), said='nothing can be written'),
    Disk('nearly full', leave=5 << 20, error=('*Disk*', 'only 5'), said='only 5'),
    Disk('low', leave=50 << 20, warning=('*Disk*', 'only 52', 'soon')),
    Disk('too small for the run', leave=50 << 20, error=('*Disk*', '999 iterations of 1 class of 24 pixels', '52', ' free'),
         values=(('nr_iter', 999),)),
    Disk('hardly large enough for the run', leave=50 << 20, warning=('*Disk*', '600 iterations', '52', ' free'),
         values=(('nr_iter', 600),)),
    Disk('without room for files', 'nr_inodes=1200', error=('*Disk*', 'files', 'only', 'df -i'), values=(('nr_iter', 999),)),
    Disk('as it should be', 'nr_inodes=100000'),
)


def _check_disk(row: Disk, disk: SmallDisk, copy: _Copied) -> None:
    disk.empty()
    if row.leave:
        disk.leave(row.leave)
    disk.remount(row.options)
    protocol = class3d(copy, **dict(row.values))
    errors = protocol.validate()
    warnings = [] if errors else protocol.warnings()
    for words, told in ((row.error, errors), (row.warning, warnings)):
        if words:
            check_told(told, words)
    assert bool(errors) == bool(row.error), errors
    if row.said:
        _check_commands(Path(copy.project.path), copy, row.said)


def _check_commands(folder: Path, copy: _Copied, said: str) -> None:
    """The doctor and the check of a run, on the command line, say it too."""
    found = [one for one in examine(folder) if one.what in ('Project', 'Runs')]
    assert all(one.fix for one in found) and len(found) == 2, found
    done = subprocess.run([sys.executable, '-m', 'relionsta', 'check', str(folder), '--run',
                           str(copy.done['class3d'].getObjId())], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, check=False)
    assert done.returncode == 1 and said in done.stdout and 'Traceback' not in done.stdout, done.stdout


def every_protocol(ledger: Ledger, road: Any) -> None:
    """Every protocol finds it, not only those that run RELION."""
    RefusalCase.setUpClass()
    case = RefusalCase('part')
    for name in sorted(set(protocols.__all__) - set(TRIED_WHERE_THEY_RUN)):
        with ledger.case('disk: read-only, for %s' % name), mock.patch.object(
                machine, 'refusal', return_value='the disk is read-only'):
            protocol = case.new(name, **case.good(name))
            check_told(protocol.validate(), ('nothing can be written', 'read-only'))
