"""Symmetry expansion."""
import enum

from ..convert.errors import ConvertError
from ..convert.expand import expand_by_angles, expand_helix
from ..convert.halves import split_halves
from ..jobs import files
from ..jobs.symmetry_expand import SYMMETRY_EXPAND
from ..objects import SetOfStaParticles
from ..star import read_star, write_star
from ..star.trajectories import read_trajectories, write_trajectories
from .particles import PARTICLES, ProtStaParticlesBase


class SymmetryExpandOutputs(enum.Enum):
    """What symmetry expansion makes."""

    outputParticles = SetOfStaParticles


class ProtStaSymmetryExpand(ProtStaParticlesBase):
    """ Give each particle a copy for every asymmetric unit, at the pose in which that unit stands as the first.

    For focused classification or refinement of one unit of a symmetric particle: refine with the symmetry, expand, then
    classify without alignment inside a mask of one unit, in C1. Copies have names of their own (TS_01/1_s1, TS_01/1_s2),
    share the image of their particle until they are extracted again, and stay in its half set. Do not average expanded
    particles with the symmetry, and do not remove duplicates from them: the copies lie in one place.
    """

    _label = 'Symmetry expansion'
    _possibleOutputs = SymmetryExpandOutputs
    _job = SYMMETRY_EXPAND
    _filledIn = ('fn_in',)
    _needsImages = False

    def _inputValues(self):
        return {'fn_in': self._inputFiles().particles}

    def _writeInputs(self):
        super()._writeInputs()
        # A later split would put copies of one particle into both halves.
        split_halves(self._getInputPath(PARTICLES))

    # ---------------------------------------------------------------- output
    def _getResultPaths(self):
        return [] if self.do_helix.get() else [self._getJobPath(files.SYMMETRY_EXPAND_FILES['expanded'])]

    def _makeOutputs(self):
        inputs = self._inputFiles()
        star, motion = (self._getJobPath(files.SYMMETRY_EXPAND_FILES[role]) for role in ('particles', 'trajectories'))
        expanded = self._expand(read_star(inputs.particles))
        if inputs.trajectories:
            known = read_trajectories(inputs.trajectories)
            write_trajectories(motion, {new: known[old] for new, old in expanded.old_names.items()})
        write_star(star, expanded.blocks)
        particles = self._readParticles(star, trajectoriesStar=motion if inputs.trajectories else None, renamed=True)
        self._defineOutputs(**{SymmetryExpandOutputs.outputParticles.name: particles})
        self._relateToInputs(particles)

    def _expand(self, blocks):
        if self.do_helix.get():
            return expand_helix(blocks, self.helical_nr_asu.get(), self.helical_twist.get(), self.helical_rise.get())
        path = self._getJobPath(files.SYMMETRY_EXPAND_FILES['expanded'])
        try:
            return expand_by_angles(blocks, read_star(path, ['particles'], complete=True)['particles'])
        except ConvertError as error:
            raise ConvertError('%s: %s' % (path, error)) from error

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        particles, source = self.outputParticles, self.inputParticles.get()
        lines = ['%d particles of %d, %s.' % (particles.getSize(), source.getSize(), self._symmetry())]
        if particles.getBoxSize():
            lines.append('The copies share the images of their particles until they are extracted again.')
        lines.append('Go on in C1; copies of one particle are in the same half set.')
        return lines

    def _symmetry(self):
        if self.do_helix.get():
            return '%d units of a helix (twist %g°, rise %g Å)' % (self.helical_nr_asu.get(), self.helical_twist.get(),
                                                                   self.helical_rise.get())
        return 'symmetry ' + self.sym_name.get()

    def _methodsLines(self):
        return ['The particles were expanded by symmetry in RELION to %d (%s).' % (self.outputParticles.getSize(),
                                                                                  self._symmetry())]
