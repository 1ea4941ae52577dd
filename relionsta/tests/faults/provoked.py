"""Failures that real programs are made to have: what is given, and by which name the failure must be known."""
import os
from typing import Callable, List, NamedTuple, Tuple

from .injectors import damage
from .injectors.bench import Bench

#: An auto-refine.
AUTO = ('--auto_refine', '--split_random_halves', '--low_resol_join_halves', '40', '--healpix_order', '2',
        '--auto_local_healpix_order', '2', '--offset_range', '1', '--offset_step', '2')
COORDINATES = tuple('rlnCenteredCoordinate%sAngst' % axis for axis in 'XYZ')
SIZES = tuple('rlnTomoSize%s' % axis for axis in 'XYZ')
TILTS = 7  # of the first tilt series


class Provoked(NamedTuple):
    """A command that must fail. name: of the failure; what: was done; command: made on a bench; memory: bytes that it may
    have, 0 for all; quick: tried with the tests as well."""

    name: str
    what: str
    command: Callable[[Bench], List[str]]
    memory: int = 0
    quick: bool = False


def _mask(bench: Bench, mask: str) -> List[str]:
    optimiser = os.path.join(bench.refine_folder, 'run_optimiser.star')
    return ['relion_particle_subtract', '--i', optimiser, '--mask', mask, '--o', bench.new()]


def _images(bench: Bench, path: str, **values: float) -> List[str]:
    return bench.refine(particles=bench.star(bench.particles, damage.first_image(
        damage.write_stack(path, int(values.get('images', TILTS - 1)), bench.box, values.get('value', 0.0)))))


def _cut_image(bench: Bench, part: float) -> List[str]:
    image = damage.cut(bench.first_image(), bench.new('.mrcs'), part)
    return bench.refine(particles=bench.star(bench.particles, damage.first_image(image)))


def _pseudo(bench: Bench) -> List[str]:
    """3D pseudo-subtomos as RELION 5.1 writes them."""
    extract = [word for word in bench.subtomo() if word not in ('--stack2d', '--float16')]
    bench.run(extract)
    return bench.refine(particles=os.path.join(extract[extract.index('--o') + 1], 'particles.star'))


def _trajectories(bench: Bench, tilts: int, leave_out: int = 0) -> List[str]:
    path = damage.write_trajectories(bench.refined, bench.new('.star'), tilts, leave_out)
    return bench.subtomo('--mot', path, particles=bench.refined)


def _program(bench: Bench, old: bytes, new: bytes) -> List[str]:
    path = os.path.join(bench.new(), 'relion_refine')
    damage.other_bytes(str(bench.home / 'usr' / 'bin' / 'relion_refine'), path, old, new)
    os.chmod(path, 0o755)
    return [path, '--version']


def _file(bench: Bench, content: bytes, mode: int) -> List[str]:
    path = os.path.abspath(os.path.join(bench.new(), 'relion_refine'))
    with open(path, 'wb') as file:
        file.write(content)
    os.chmod(path, mode)
    return ['/bin/sh', '-c', '"%s"' % path]


def _ends(bench: Bench, signal: int) -> List[str]:
    """One of two MPI processes is ended by a signal."""
    work = 'if [ "${OMPI_COMM_WORLD_RANK:-0}" = 1 ]; then kill -%d $$; fi; sleep 9' % signal
    return ['mpirun', '-n', '2', 'sh', '-c', work]


def _wide(bench: Bench) -> List[str]:
    """An average with a box that no small machine holds."""
    return [str(bench.home / 'usr' / 'bin' / 'relion_tomo_reconstruct_particle'), '--p', bench.particles, '--t',
            bench.tomograms, '--o', bench.new(), '--b', '512', '--bin', '1', '--j', '1', '--j_out', '1', '--j_in', '1']


PROVOKED: Tuple[Provoked, ...] = (
    # ---- maps and masks
    Provoked('REFERENCE_SIZE', 'reference of another box', lambda b: b.refine(reference=b.map(32)), quick=True),
    Provoked('REFERENCE_SIZE', 'reference of another pixel size', lambda b: b.refine(reference=b.map(pixel=5.0))),
    Provoked('REFERENCE_SHAPE', 'reference that is no cube', lambda b: b.refine(reference=b.map(sizes=(24, 24, 30)))),
    Provoked('MASK_SIZE', 'post-processing, mask of another box', lambda b: b.postprocess(mask=b.map(32))),
    Provoked('MASK_RANGE', 'post-processing, a map as mask', lambda b: b.postprocess(mask=b.map(value=5.0))),
    Provoked('MASK_RANGE', 'subtraction, a map as mask', lambda b: _mask(b, b.map(value=5.0)), quick=True),
    Provoked('MASK_SHAPE', 'subtraction, mask of another box', lambda b: _mask(b, b.map(32))),
    Provoked('MASK_REFERENCE_SIZE', 'CTF refinement, mask of another box', lambda b: b.ctf(mask=b.map(32))),
    Provoked('REFERENCE_TOO_BIG', 'CTF refinement, box below that of the reference', lambda b: b.ctf(box='16')),
    Provoked('NOT_AN_FSC', 'CTF refinement, another STAR file as FSC', lambda b: b.ctf(fsc=b.tomograms)),
    Provoked('NO_REFERENCES', 'CTF refinement without half maps', lambda b: b.ctf(references=False)),
    Provoked('NO_HALF_MAP', 'second half map missing', lambda b: b.postprocess(half=b.map(suffix='_half1.mrc'))),
    Provoked('HALF_MAP_NAME', 'half map of another name', lambda b: b.postprocess(half=b.map(suffix='_even.mrc'))),
    Provoked('HALF_MAP_SIZES', 'half maps of two boxes', lambda b: b.postprocess(half=b.unlike_halves())),
    Provoked('MTF', 'another STAR file as MTF', lambda b: b.postprocess() + ['--mtf', b.tomograms]),
    Provoked('NO_IMAGE', 'reference missing', lambda b: b.refine(reference='gone.mrc')),
    # ---- particles
    Provoked('NO_TOMOGRAMS', 'no tomograms given', lambda b: b.refine(tomograms='')),
    Provoked('NO_VISIBLE_FRAMES', 'no visible frames',
             lambda b: b.refine(particles=b.without(b.particles, 'particles', 'rlnTomoVisibleFrames'))),
    Provoked('NO_COORDINATES', 'refinement, no coordinates',
             lambda b: b.refine(particles=b.without(b.particles, 'particles', *COORDINATES))),
    Provoked('NO_COORDINATES', 'extraction, no coordinates',
             lambda b: b.subtomo(particles=b.without(b.particles, 'particles', *COORDINATES))),
    Provoked('NO_TOMOGRAM_NAME', 'no tomogram names',
             lambda b: b.refine(particles=b.without(b.particles, 'particles', 'rlnTomoName')), quick=True),
    Provoked('NO_OPTICS', 'optics group that is not there',
             lambda b: b.refine(particles=b.star(b.particles, damage.column('particles', 'rlnOpticsGroup', 2)))),
    Provoked('TABLE_ROW', 'extraction, optics group that is not there',
             lambda b: b.subtomo(particles=b.star(b.particles, damage.column('particles', 'rlnOpticsGroup', 2)))),
    Provoked('NO_OPTICS_TABLE', 'no optics table',
             lambda b: b.refine(particles=b.star(b.particles, damage.no_block('optics')))),
    Provoked('OPTICS_DIFFER', 'another voltage than the tilt series',
             lambda b: b.subtomo(particles=b.star(b.particles, damage.column('optics', 'rlnVoltage', 200.0)))),
    Provoked('OTHER_TOMOGRAMS', 'particles of other tomograms',
             lambda b: b.subtomo(particles=b.star(b.particles, damage.column('particles', 'rlnTomoName', 'TS_77')))),
    Provoked('NO_PARTICLES', 'a table without rows', lambda b: b.subtomo(particles=b.star(b.particles, damage.no_rows))),
    Provoked('NOT_PREMULTIPLIED', '3D pseudo-subtomos as RELION 5.1 marks them', _pseudo),
    Provoked('IMAGE_SHAPES', 'stacks that are not said to be such',
             lambda b: b.refine(particles=b.star(b.particles, damage.no_block('general')))),
    Provoked('NO_IMAGE', 'image of a particle missing',
             lambda b: b.refine(particles=b.star(b.particles, damage.first_image('gone.mrcs'))), quick=True),
    Provoked('SHORT_STACK', 'a particle with too few images', lambda b: _images(b, b.new('.mrcs'), images=2)),
    Provoked('ZERO_WEIGHTS', 'an image of no numbers', lambda b: _images(b, b.new('.mrcs'), value=float('nan'))),
    Provoked('ZERO_WEIGHTS', 'an image cut short', lambda b: _cut_image(b, 0.2)),
    Provoked('TORN_IMAGE', 'an empty image file', lambda b: _cut_image(b, 0.0)),
    Provoked('TORN_STAR', 'particles cut within a row', lambda b: b.refine(particles=damage.cut(
        b.particles, b.new('.star'), 0.8))),
    Provoked('TORN_STAR', 'continued from another STAR file',
             lambda b: ['relion_refine', '--continue', b.particles, '--o', b.new() + 'run']),
    Provoked('NO_STAR', 'particles missing', lambda b: b.refine(particles='gone.star'), quick=True),
    Provoked('NO_STAR', 'optimiser missing',
             lambda b: ['relion_refine', '--continue', 'gone_it003_optimiser.star', '--o', b.new() + 'run']),
    Provoked('NO_STAR', 'trajectories missing', lambda b: b.subtomo('--mot', 'gone.star')),
    Provoked('HALF_SETS', 'CTF refinement without half sets', lambda b: b.ctf(particles=b.particles)),
    Provoked('SEGFAULT', 'CTF refinement without optics table',
             lambda b: b.ctf(particles=b.star(b.refined, damage.no_block('optics')))),
    Provoked('SEGFAULT', 'particles without images',
             lambda b: b.refine(particles=b.without(b.particles, 'particles', 'rlnImageName')), quick=True),
    # ---- tilt series
    Provoked('NO_STAR', 'tilt series file missing', lambda b: b.subtomo(tomograms=b.star(
        b.tomograms, damage.column('global', 'rlnTomoTiltSeriesStarFile', 'gone.star')))),
    Provoked('SEGFAULT', 'tilt series without their files',
             lambda b: b.subtomo(tomograms=b.without(b.tomograms, 'global', 'rlnTomoTiltSeriesStarFile'))),
    Provoked('NO_TILT_COLUMN', 'no doses',
             lambda b: b.subtomo(tomograms=b.series(damage.tilt_column('rlnMicrographPreExposure')))),
    Provoked('NO_LABEL', 'no defocus', lambda b: b.subtomo(tomograms=b.series(damage.tilt_column('rlnDefocusU')))),
    Provoked('NO_LABEL', 'no voltage', lambda b: b.subtomo(tomograms=b.without(b.tomograms, 'global', 'rlnVoltage'))),
    Provoked('NO_PIXEL', 'no pixel size',
             lambda b: b.subtomo(tomograms=b.without(b.tomograms, 'global', 'rlnTomoTiltSeriesPixelSize'))),
    Provoked('NO_TOMOGRAM_SIZE', 'no tomogram size',
             lambda b: b.subtomo(tomograms=b.without(b.tomograms, 'global', *SIZES))),
    Provoked('NO_TABLE', 'tilt series under another name', lambda b: b.subtomo(tomograms=b.series(damage.other_name))),
    Provoked('NO_IMAGE', 'tilt images missing',
             lambda b: b.subtomo(tomograms=b.series(damage.tilt_image('TS_0', 'GONE_')))),
    Provoked('MRC_STACK_NAME', 'tilt stack without :mrcs',
             lambda b: b.subtomo(tomograms=b.series(damage.tilt_image(':mrcs', '')))),
    Provoked('TILT_IMAGE', 'tilt image beyond the stack',
             lambda b: b.subtomo(tomograms=b.series(damage.tilt_image('1@', '99@')))),
    Provoked('TRAJECTORIES', 'trajectories of too few tilts', lambda b: _trajectories(b, TILTS - 1)),
    Provoked('TRAJECTORIES', 'trajectories of too few particles', lambda b: _trajectories(b, TILTS, 4)),
    # ---- settings
    Provoked('ONE_REFERENCE', 'auto-refine with two references', lambda b: b.mpi(3, b.refine(*AUTO) + ['--K', '2'])),
    Provoked('FAST_SUBSETS', 'fast subsets in one iteration', lambda b: b.refine('--skip_align', '--fast_subsets')),
    Provoked('SYMMETRY', 'unknown symmetry', lambda b: b.refine('--skip_align', '--sym', 'X9'), quick=True),
    Provoked('NO_BOX', 'extraction without a box', lambda b: b.subtomo(box=())),
    Provoked('ARGUMENTS', 'average without a box', lambda b: [
        'relion_tomo_reconstruct_particle', '--p', b.particles, '--t', b.tomograms, '--o', b.new(), '--j', '1']),
    Provoked('NO_FOLDER', 'no folder for the results', lambda b: b.refine(out='nowhere/run')),
    Provoked('BLUSH', 'Blush that is not installed', lambda b: b.refine('--skip_align', '--blush')),
    # ---- processes
    Provoked('MPI_ODD', 'auto-refine in 4 processes', lambda b: b.mpi(4, b.refine(*AUTO))),
    Provoked('MPI_THREE', 'auto-refine in 2 processes', lambda b: b.mpi(2, b.refine(*AUTO))),
    Provoked('MPI_THREE', 'auto-refine without MPI', lambda b: b.refine(*AUTO)),
    Provoked('MPI_TWO', 'classification in 1 process of MPI', lambda b: b.mpi(1, b.refine())),
    Provoked('MPI_TWO', 'extraction in 1 process of MPI', lambda b: b.mpi(1, b.subtomo())),
    Provoked('MPI_GRADIENT', 'gradient descent in 2 processes', lambda b: b.mpi(2, b.refine('--grad', '--denovo_3dref'))),
    Provoked('MPI_SLOTS', 'more processes than slots', lambda b: b.strict_mpi(99, ['relion_refine_mpi', '--version'])),
    Provoked('NO_PROGRAM', 'a program of MPI missing', lambda b: ['mpirun', '-n', '2', 'relion_gone_mpi']),
    Provoked('NO_PROGRAM', 'a program missing', lambda b: ['/bin/sh', '-c', 'relion_gone --i x']),
    Provoked('NO_MPIRUN', 'no mpirun', lambda b: ['/bin/sh', '-c', 'PATH=/nowhere; mpirun -n 2 x']),
    Provoked('NOT_RUNNABLE', 'a program that may not be run', lambda b: _file(b, b'#!/bin/sh\n', 0o644)),
    Provoked('NOT_RUNNABLE', 'a program of another processor', lambda b: _file(
        b, b'\x7fELF\x02\x01\x01' + bytes(9) + b'\x02\x00\xb7\x00' + bytes(60), 0o755)),
    Provoked('LIBRARY', 'a library missing', lambda b: _program(b, b'libfftw3f.so.3', b'libfftw9f.so.3'), quick=True),
    Provoked('LIBRARY', 'a system that is too old', lambda b: _program(b, b'GLIBC_2.34', b'GLIBC_9.94')),
    Provoked('TIME_LIMIT', 'the time of MPI is over', lambda b: ['mpirun', '--timeout', '1', '-n', '2', 'sleep', '9']),
    Provoked('MEMORY', 'too little memory', _wide, memory=600 << 20),
    Provoked('MEMORY', 'a process of MPI is killed', lambda b: _ends(b, 9)),
    Provoked('SEGFAULT', 'a process of MPI crashes', lambda b: _ends(b, 11)),
    Provoked('BUS_ERROR', 'a process of MPI loses its memory', lambda b: _ends(b, 7)),
    Provoked('ILLEGAL_INSTRUCTION', 'a process of MPI on an old processor', lambda b: _ends(b, 4)),
    Provoked('ENDED', 'a process of MPI is told to stop', lambda b: _ends(b, 15)),
    Provoked('MEMORY', 'the program is killed', lambda b: ['/bin/sh', '-c', 'kill -9 $$']),
    Provoked('BUS_ERROR', 'the program loses its memory', lambda b: ['/bin/sh', '-c', 'kill -7 $$']),
    # ---- disks
    Provoked('NO_PERMISSION', 'a folder that nobody may make', lambda b: b.subtomo(out='/sys/kernel/relionsta/')),
    Provoked('CANNOT_WRITE', 'a file in the place of the folder', lambda b: b.refine(out=b.tomograms + '/run')),
)
