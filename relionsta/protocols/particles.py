"""What the protocols share that take a set of particles to RELION and bring particles back."""
import pyworkflow.utils as pwutils
from pyworkflow.protocol import params

from ..convert.particles import ids_by_name, read_particles, write_star_of_set
from ..objects import SetOfStaParticles
from . import checks
from .base import ProtStaBase

#: RELION's options for its own input files, which the Scipion objects replace.
TOMO_INPUTS = ('in_optimisation', 'use_direct_entries', 'in_particles', 'in_tomograms', 'in_trajectories')
PARTICLES = 'particles.star'


class ProtStaParticlesBase(ProtStaBase):
    """A RELION job on a set of particles."""

    #: False for jobs that read tilt images and not the particles' own
    _needsImages = True

    def _defineInputParams(self, form):
        form.addParam('inputParticles', params.PointerParam, pointerClass='SetOfStaParticles', important=True,
                      label='Particles',
                      help='Particles of Extract subtomos or of any later job, also subsets and joined sets of them: '
                           'RELION gets exactly the particles, poses and half sets of this set.')

    def _inputValues(self):
        particles = self.inputParticles.get()
        return {'in_optimisation': '', 'use_direct_entries': True,
                'in_particles': self._getInputPath(PARTICLES),
                'in_tomograms': (particles.getTomogramsStar() or '') if particles else '',
                'in_trajectories': (particles.getTrajectoriesStar() or '') if particles else ''}

    def convertInputStep(self):
        pwutils.makePath(self._getInputPath())
        write_star_of_set(self.inputParticles.get(), self._getInputPath(PARTICLES))

    def _validateInputs(self):
        return checks.checkParticles('Particles', self.inputParticles.get(), extracted=self._needsImages)

    def _checkReference(self, label, volume):
        """The reference must fit the particles, or RELION must have been told to make it fit."""
        particles = self.inputParticles.get()
        if self.trust_ref_size.get():
            return checks.checkMap(label, volume)
        return checks.checkMap(label, volume, box=particles.getBoxSize(), pixel=particles.getSamplingRate())

    def _checkMask(self, label, mask):
        if mask is None:
            return []
        particles = self.inputParticles.get()
        return checks.checkMap(label, mask, box=particles.getBoxSize(), pixel=particles.getSamplingRate())

    def _checkDiameter(self):
        """RELION takes a mask diameter beyond the box without a word."""
        particles = self.inputParticles.get()
        edge = particles.getBoxSize() * particles.getSamplingRate()
        diameter = self.particle_diameter.get()
        if diameter <= edge:
            return []
        return ['*Mask diameter (A)*: %g Å, and the box is only %.0f Å wide (%d pixels of %.4g Å). Choose at most %.0f; '
                '90 %% of the box (%.0f Å) is usual.' % (diameter, edge, particles.getBoxSize(),
                                                        particles.getSamplingRate(), edge, 0.9 * edge)]

    def _readParticles(self, path):
        """A new SetOfStaParticles of this run from a STAR file that RELION wrote for the input particles."""
        source = self.inputParticles.get()
        particles = SetOfStaParticles.create(self._getPath())
        read_particles(path, particles, source.getCoordinates3D(asPointer=True), source.getTomogramsStar(),
                       source.getTrajectoriesStar(), ids=ids_by_name(source))
        particles.write()
        return particles

    def _particlesIn(self):
        return self.inputParticles.get().getSize()
