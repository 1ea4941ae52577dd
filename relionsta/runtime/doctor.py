"""What is there, what is missing and what to do."""
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, NamedTuple, Optional, Pattern

from ..amounts import bytes_text
from . import machine
from .build import RELION_HOME, RelionNotFound, find_build
from .tk import has_tkinter

PACKAGES = ('scipion-pyworkflow', 'scipion-em', 'scipion-em-tomo', 'scipion-app', 'numpy', 'pandas', 'scipy', 'mrcfile',
            'matplotlib')
#: Bytes.
LOW_MEMORY, LOW_DISK = 4e9, 10e9
LOW_FILES = 100000
#: Seconds for a program to answer.
PATIENCE = 60.0
#: Programs that list GPUs, the option for it, and what counts one.
_GPU_LISTERS = (('nvidia-smi', '-L', re.compile(r'^GPU \d+', re.MULTILINE)), ('rocm-smi', '-i', re.compile(r'GPU\[\d+\]')))
#: The fewest processes of a 3D auto-refine.
RANKS = 3
#: What the jobs start, beside relion_refine.
PROGRAMS = ('relion_tomo_subtomo', 'relion_tomo_reconstruct_particle', 'relion_tomo_refine_ctf', 'relion_tomo_align',
            'relion_tomo_reconstruct_tomogram', 'relion_postprocess', 'relion_mask_create', 'relion_particle_subtract',
            'relion_particle_symmetry_expand', 'relion_flex_analyse')


class Finding(NamedTuple):
    """One thing that was looked at: what it is, what was found, and what to do (empty where all is well)."""

    what: str
    found: str
    fix: str = ''


def examine(project: Optional[Path] = None) -> List[Finding]:
    """Look at Python, Scipion, Tk, RELION, GPU, MPI, memory and disk. project: folder of a Scipion project, or None."""
    return ([_python(), _tk()] + _packages() + _relion() + [_memory(), _disk('Disk here', os.getcwd())]
            + ([] if project is None else _project(project)))


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
    findings = [Finding('RELION', '%s; %s' % (build.describe(), where)), _gpu(build.has_gpu)] + _programs(build.home)
    if not build.has_mpi:
        findings.append(Finding('MPI', 'no relion_refine_mpi', '3D auto-refine needs it: build RELION with MPI.'))
    else:
        findings.append(_mpi(build.home))
    return findings


def _gpu(built: bool) -> Finding:
    """GPUs as their driver lists them, and whether RELION can use them."""
    there = sum(_listed(*lister) for lister in _GPU_LISTERS)
    found = '%s; RELION is built %s GPUs' % ('%d here' % there if there else 'none here', 'for' if built else 'without')
    if there and not built:
        return Finding('GPU', found, 'To use them, set RELION_HOME to a RELION that was built for GPUs.')
    if built and not there:
        return Finding('GPU', found, 'Choose No in "Use GPU acceleration?" for runs on this computer, or mend the driver of '
                                     'its GPU (%s list none).' % ' and '.join(name for name, _, _ in _GPU_LISTERS))
    return Finding('GPU', found)


def _listed(name: str, option: str, mark: Pattern[str]) -> int:
    """GPUs that a program lists; 0 where it is not there, or does not answer."""
    program = shutil.which(name)
    if program is None:
        return 0
    try:
        done = subprocess.run([program, option], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              stdin=subprocess.DEVNULL, universal_newlines=True, check=False, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return len(set(mark.findall(done.stdout))) if done.returncode == 0 else 0


def _programs(home: Path) -> List[Finding]:
    """A finding where programs are missing that jobs start."""
    missing = [name for name in PROGRAMS if not os.access(str(home / 'bin' / name), os.X_OK)]
    if not missing:
        return []
    return [Finding('Programs', '%d missing in %s: %s' % (len(missing), home / 'bin', ', '.join(missing)),
                    'Install RELION 5 whole, or set RELION_HOME to one that is.')]


def _mpi(home: Path) -> Finding:
    inside = home / 'bin' / 'mpirun'
    launcher = str(inside) if inside.exists() else shutil.which('mpirun')
    if launcher is None:
        return Finding('MPI', 'no mpirun', 'Put the mpirun that RELION was built with into PATH.')
    wrong = '%s does not start %d processes, as a 3D auto-refine needs' % (launcher, RANKS)
    try:
        done = subprocess.run([launcher, '-n', str(RANKS), 'hostname'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, universal_newlines=True, check=False, timeout=PATIENCE)
    except OSError as error:
        return Finding('MPI', wrong, 'It cannot be started: %s. Install MPI again.' % error.strerror)
    except subprocess.TimeoutExpired:
        return Finding('MPI', wrong, 'It gives no answer within %g s. Look at the name and network of this computer '
                                     '(`hostname`, /etc/hosts, firewall), which MPI asks first.' % PATIENCE)
    if done.returncode:
        said = [line.strip() for line in done.stdout.splitlines() if any(char.isalpha() for char in line)]
        return Finding('MPI', wrong, 'It says: %s' % (' '.join(said)[:300] or 'nothing, and ends with %d' % done.returncode))
    return Finding('MPI', '%s starts %d processes' % (launcher, RANKS))


def _memory() -> Finding:
    total = machine.memory_bytes()
    if total is None:
        return Finding('Memory', 'the system does not tell')
    return Finding('Memory', '%s, %d cores' % (bytes_text(total), machine.cores()),
                   '' if total >= LOW_MEMORY else 'RELION needs at least %s for small boxes.' % bytes_text(LOW_MEMORY))


def _disk(what: str, folder: str) -> Finding:
    space = machine.space(folder)
    if space is None:
        return Finding(what, 'its file system does not tell what is free')
    found = '%s free' % bytes_text(space.bytes)
    if space.files is not None and space.files < LOW_FILES:
        return Finding(what, '%s, and room for %d files' % (found, space.files),
                       'Extraction writes a file for each particle: work on a disk that takes more (`df -i`).')
    return Finding(what, found, '' if space.bytes >= LOW_DISK else 'Extraction writes much: work where more is free.')


def _project(folder: Path) -> List[Finding]:
    """What can be written in a project, and in its folder Runs, which may be a link to another disk."""
    if not os.path.isfile(str(folder / 'project.sqlite')):
        return [Finding('Project', '%s is no Scipion project' % folder, 'Give the folder that holds project.sqlite.')]
    findings = []
    for what, place in (('Project', str(folder)), ('Runs', machine.nearest(str(folder / 'Runs')))):
        why = machine.refusal(place)
        findings.append(_disk(what, place) if not why else Finding(
            what, '%s: nothing can be written: %s' % (place, why),
            machine.remedy(why)))
    return findings
