"""What is there, what is missing and what to do."""
import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, NamedTuple

from .build import RELION_HOME, RelionNotFound, find_build
from .tk import has_tkinter

PACKAGES = ('scipion-pyworkflow', 'scipion-em', 'scipion-em-tomo', 'scipion-app', 'numpy', 'pandas', 'scipy', 'mrcfile',
            'matplotlib')
LOW_MEMORY = 4 * 1024 ** 3
LOW_DISK = 10 * 1024 ** 3


class Finding(NamedTuple):
    """One thing that was looked at: what it is, what was found, and what to do (empty where all is well)."""

    what: str
    found: str
    fix: str = ''


def examine() -> List[Finding]:
    """Look at Python, Scipion, Tk, RELION, MPI, memory and disk."""
    return [_python(), _tk()] + _packages() + _relion() + [_memory(), _disk()]


def report(findings: List[Finding]) -> str:
    """The findings as text, one line each, with what to do below those that need it."""
    width = max(len(finding.what) for finding in findings)
    lines = []
    for finding in findings:
        lines.append('%s  %-*s  %s' % ('!!' if finding.fix else 'ok', width, finding.what, finding.found))
        if finding.fix:
            lines.append('    %s  -> %s' % (' ' * width, finding.fix))
    return '\n'.join(lines)


def _python() -> Finding:
    found = '%d.%d.%d (%s)' % (sys.version_info[:3] + (sys.executable,))
    return Finding('Python', found, '' if sys.version_info >= (3, 8) else 'Use Python 3.8 or newer.')


def _tk() -> Finding:
    if has_tkinter():
        return Finding('Tk', 'present')
    return Finding('Tk', 'missing: Scipion does not start without it',
                   'Run `python -m relionsta install-tk`, or install python3-tk.')


def _packages() -> List[Finding]:
    findings = []
    for name in PACKAGES:
        try:
            findings.append(Finding(name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            fix = 'Run `pip install %s` (scipion-app only outside of an installed Scipion).' % name
            findings.append(Finding(name, 'missing', fix))
    return findings


def _relion() -> List[Finding]:
    where = 'RELION_HOME is set' if os.environ.get(RELION_HOME) else 'RELION_HOME is not set'
    try:
        build = find_build()
    except RelionNotFound as missing:
        return [Finding('RELION', 'none (%s)' % where, str(missing))]
    findings = [Finding('RELION', '%s; %s' % (build.describe(), where))]
    if not build.has_mpi:
        findings.append(Finding('MPI', 'no relion_refine_mpi', '3D auto-refine needs it: build RELION with MPI.'))
    else:
        findings.append(_mpi(build.home))
    return findings


def _mpi(home: Path) -> Finding:
    inside = home / 'bin' / 'mpirun'
    launcher = str(inside) if inside.exists() else shutil.which('mpirun')
    if launcher is None:
        return Finding('MPI', 'no mpirun', 'Put the mpirun that RELION was built with into PATH.')
    done = subprocess.run([launcher, '-n', '2', 'hostname'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, universal_newlines=True, check=False, timeout=120)
    if done.returncode:
        return Finding('MPI', '%s does not start two processes' % launcher, done.stdout.strip().splitlines()[-1][:300])
    return Finding('MPI', '%s starts two processes' % launcher)


def _memory() -> Finding:
    total = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    found = '%d GB, %d cores' % (total // 1024 ** 3, os.cpu_count() or 1)
    return Finding('Memory', found, '' if total >= LOW_MEMORY else 'RELION needs at least 4 GB for small boxes.')


def _disk() -> Finding:
    free = shutil.disk_usage(os.getcwd()).free
    return Finding('Disk here', '%d GB free' % (free // 1024 ** 3),
                   '' if free >= LOW_DISK else 'Extraction writes much: work where more is free.')
