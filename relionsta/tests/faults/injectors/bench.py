"""Bad inputs for RELION's programs, made from good ones of a finished road, and the programs run on them."""
import os
import resource
import subprocess
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import mrcfile
import numpy as np
import pandas as pd

from relionsta.runtime.build import find_build
from relionsta.star import read_star, write_star

Blocks = Dict[str, pd.DataFrame]


class Said(NamedTuple):
    """What a program printed on its two streams, and its code as Python's subprocess gives it."""

    out: str
    err: str
    code: int


class Bench:
    """Where one bad input after the other is made. The good ones: particles with and without half sets, tomograms, a
    reference with half maps, a mask, and the folder of an auto-refine. Paths are as RELION gets them: from the project.
    """

    def __init__(self, folder: Path, done: Dict[str, object]):
        self.folder = Path(os.path.relpath(str(folder)))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home = find_build().home
        extract, refine = done['extract'], done['refine3d']
        self.particles = extract.outputParticles.getParticlesStars()[0]
        self.tomograms = extract.outputParticles.getTomogramsStar()
        self.refined = refine.outputParticles.getParticlesStars()[0]
        self.refine_folder = refine._getJobPath()
        self.halves = refine.refinedVolume.getHalfMaps().split(',')
        self.reference = done['reconstruct'].average.getFileName()
        self.mask = done['mask'].solventMask.getFileName()
        self.fsc = done['postprocess']._getJobPath('postprocess.star')
        self.box, self.pixel = extract.outputParticles.getBoxSize(), extract.outputParticles.getSamplingRate()
        self._number = 0

    def new(self, suffix: str = '') -> str:
        """A path of its own; a folder, with a slash at its end, where no suffix is given."""
        self._number += 1
        path = self.folder / ('bad%03d%s' % (self._number, suffix))
        if suffix:
            return str(path)
        path.mkdir(exist_ok=True)
        return str(path) + '/'

    def star(self, source: str, change: Callable[[Blocks], None]) -> str:
        """A copy of a STAR file with a change; returns its path."""
        blocks, path = dict(read_star(source)), self.new('.star')
        change(blocks)
        write_star(path, blocks)
        return path

    def without(self, source: str, block: str, *labels: str) -> str:
        """A copy of a STAR file that lacks columns."""
        return self.star(source, lambda blocks: blocks.update({block: blocks[block].drop(columns=list(labels))}))

    def series(self, change: Callable[[Blocks], None]) -> str:
        """A tomograms.star whose first tilt series has another STAR file."""
        def first(blocks: Blocks) -> None:
            table = blocks['global'].copy()
            table.loc[0, 'rlnTomoTiltSeriesStarFile'] = self.star(table.loc[0, 'rlnTomoTiltSeriesStarFile'], change)
            blocks['global'] = table
        return self.star(self.tomograms, first)

    def map(self, size: int = 0, value: float = 1.0, pixel: float = 0.0, suffix: str = '.mrc',
            sizes: Tuple[int, ...] = ()) -> str:
        """A map with a ball in it; returns its path."""
        path = self.new(suffix)
        shape = sizes or (size or self.box,) * 3
        z, y, x = (np.arange(n) - n // 2 for n in shape)
        ball = z[:, None, None] ** 2 + y[:, None] ** 2 + x ** 2 < (min(shape) / 4) ** 2
        with mrcfile.new(path, np.where(ball, value, 0.0).astype(np.float32), overwrite=True) as mrc:
            mrc.voxel_size = pixel or self.pixel
        return path

    def unlike_halves(self) -> str:
        """The first of two half maps of different boxes."""
        path = self.map(suffix='_half1.mrc')
        os.replace(self.map(self.box + 8), path.replace('half1', 'half2'))
        return path

    def first_image(self) -> str:
        """The stack of the first particle."""
        return read_star(self.particles)['particles']['rlnImageName'].iloc[0]

    # --------------------------------------------------------------- commands
    def refine(self, *more: str, particles: str = '', tomograms: Optional[str] = None, reference: str = '',
               out: str = '') -> List[str]:
        """A classification of one iteration without alignment."""
        tomograms = self.tomograms if tomograms is None else tomograms
        return (['relion_refine', '--o', out or self.new() + 'run', '--i', particles or self.particles]
                + (['--tomograms', tomograms] if tomograms else [])
                + ['--ref', reference or self.reference, '--ini_high', '40', '--ctf', '--iter', '1', '--tau2_fudge', '1',
                   '--particle_diameter', '170', '--K', '1', '--flatten_solvent', '--zero_mask', '--norm', '--scale', '--j',
                   '1', '--random_seed', '1', '--dont_combine_weights_via_disc'] + list(more or ('--skip_align',)))

    def subtomo(self, *more: str, particles: str = '', tomograms: str = '',
                box: Sequence[str] = ('--b', '24', '--bin', '1.6'), out: str = '') -> List[str]:
        """An extraction as 2D stacks."""
        return (['relion_tomo_subtomo', '--p', particles or self.particles, '--t', tomograms or self.tomograms,
                 '--theme', 'classic', '--o', out or self.new()] + list(box)
                + ['--stack2d', '--float16', '--min_frames', '1', '--j', '1'] + list(more))

    def ctf(self, *more: str, particles: str = '', references: bool = True, mask: str = '', fsc: str = '',
            box: str = '48') -> List[str]:
        """A CTF refinement (its program shares inputs and checks with Bayesian polishing)."""
        halves = ['--ref1', self.halves[0], '--ref2', self.halves[1]] if references else []
        return (['relion_tomo_refine_ctf', '--p', particles or self.refined, '--t', self.tomograms, '--theme', 'classic',
                 '--o', self.new(), '--b', box] + halves
                + ['--mask', mask or self.mask, '--fsc', fsc or self.fsc, '--do_defocus', '--j', '1'] + list(more))

    def postprocess(self, half: str = '', mask: str = '') -> List[str]:
        """A post-processing without sharpening."""
        return ['relion_postprocess', '--i', half or self.halves[0], '--mask', mask or self.mask, '--o', self.new() + 'post',
                '--angpix', '-1', '--adhoc_bfac', '-500']

    def mpi(self, ranks: int, command: List[str]) -> List[str]:
        """The same with the MPI form of the program."""
        return ['mpirun', '-n', str(ranks), command[0] + '_mpi'] + command[1:]

    def strict_mpi(self, ranks: int, command: List[str]) -> List[str]:
        """The same under an mpirun that keeps to its slots, as that of a computer's own MPI does."""
        launcher = self.home / 'usr' / 'bin' / 'mpirun.openmpi'
        prefixes = ['%s=%s' % (name, self.home / 'usr') for name in ('OPAL_PREFIX', 'PRTE_PREFIX', 'PMIX_PREFIX')]
        as_root = ['%s_ALLOW_RUN_AS_ROOT%s=1' % (name, more) for name in ('OMPI', 'PRTE') for more in ('', '_CONFIRM')]
        return ['env'] + prefixes + as_root + [str(launcher), '-n', str(ranks)] + command

    def run(self, command: List[str], memory: int = 0, seconds: float = 120.0, **environ: str) -> Said:
        """Run a command as a run would; memory: bytes of address space that it may have."""
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if memory:
                resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        variables = dict(os.environ, PATH='%s:%s' % (self.home / 'bin', os.environ['PATH']), **environ)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              env=variables, preexec_fn=limit, timeout=seconds, check=False)
        return Said(done.stdout.decode(errors='replace'), done.stderr.decode(errors='replace'), done.returncode)
