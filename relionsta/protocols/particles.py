"""What the protocols share that take a set of particles to RELION and bring particles back."""
from pyworkflow.protocol import params

from ..convert.particles import ids_by_name, read_particles, write_star_of_set
from ..objects import SetOfStaParticles
from . import checks, maps
from .base import ProtStaBase

#: RELION's options for its own input files, which the Scipion objects replace.
TOMO_INPUTS = ('in_optimisation', 'use_direct_entries', 'in_particles', 'in_tomograms', 'in_trajectories')
#: The same for the jobs of relion_refine.
REFINE_INPUTS = TOMO_INPUTS + ('fn_ref', 'fn_mask', 'fn_cont')
PARTICLES = 'particles.star'


class ProtStaParticlesBase(ProtStaBase):
    """A RELION job on a set of particles."""

    #: False for jobs that read tilt images and not the particles' own
    _needsImages = True

    def _defineInputParams(self, form):
        form.addParam('inputParticles', params.PointerParam, pointerClass='SetOfStaParticles', important=True,
                      label='Particles',
                      help='Particles of Extract subtomos or of any later job, also subsets of them: RELION gets exactly '
                           'the particles, poses and half sets of this set.')

    def _inputValues(self):
        particles = self.inputParticles.get()
        return {'in_optimisation': '', 'use_direct_entries': True,
                'in_particles': self._getInputPath(PARTICLES),
                'in_tomograms': particles.getTomogramsStar() or '',
                'in_trajectories': particles.getTrajectoriesStar() or ''}

    def _writeInputs(self):
        write_star_of_set(self.inputParticles.get(), self._getInputPath(PARTICLES))

    def _validateInputs(self):
        return checks.checkParticles('Particles', self.inputParticles.get(), extracted=self._needsImages)

    def _readParticles(self, path):
        """A new SetOfStaParticles of this run from a STAR file that RELION wrote for the input particles.

        Particles keep the object ids that they had, so that Scipion can intersect and subtract the sets.
        """
        source = self.inputParticles.get()
        particles = SetOfStaParticles.create(self._getPath())
        read_particles(path, particles, source.getCoordinates3D(asPointer=True), source.getTomogramsStar(),
                       source.getTrajectoriesStar(), ids_by_name(source))
        particles.write()
        return particles

    def _particlesIn(self):
        return self.inputParticles.get().getSize()


class ProtStaRefineBase(ProtStaParticlesBase):
    """A job of relion_refine: particles against a reference, with an optional mask."""

    _filledIn = REFINE_INPUTS
    _referenceHelp = ''

    def _defineInputParams(self, form):
        super()._defineInputParams(form)
        form.addParam('referenceVolume', params.PointerParam, pointerClass='Volume', important=True,
                      label='Reference map', help=self._referenceHelp)
        form.addParam('solventMask', params.PointerParam, pointerClass='VolumeMask', allowsNull=True,
                      label='Reference mask (optional)',
                      help='A soft solvent mask with the same box and pixel size as the particles. Empty: a sphere of the '
                           'mask diameter.')

    def _inputValues(self):
        values = super()._inputValues()
        values.update(fn_ref=maps.relionMap(self.referenceVolume.get()),
                      fn_mask=maps.relionMap(self.solventMask.get()), fn_cont='')
        return values

    def _validateInputs(self):
        errors = super()._validateInputs()
        if errors:
            return errors
        particles, mask = self.inputParticles.get(), self.solventMask.get()
        errors = self._checkReference(particles) + self._checkDiameter(particles)
        if mask is not None:
            errors += maps.checkMask('Reference mask', mask, particles.getBoxSize(), particles.getSamplingRate())
        return errors

    def _checkReference(self, particles):
        """The reference must fit the particles, or RELION must have been told to make it fit."""
        box, pixel = particles.getBoxSize(), particles.getSamplingRate()
        if self.trust_ref_size.get():
            box = pixel = None
        return maps.checkMap('Reference map', self.referenceVolume.get(), box, pixel)

    def _checkDiameter(self, particles):
        """RELION takes a mask diameter beyond the box without a word."""
        edge = particles.getBoxSize() * particles.getSamplingRate()
        diameter = self.particle_diameter.get()
        if diameter <= edge:
            return []
        return ['*Mask diameter (A)*: %g Å, and the box is only %.0f Å wide (%d pixels of %.4g Å). Choose at most %.0f; '
                '90 %% of the box (%.0f Å) is usual.' % (diameter, edge, particles.getBoxSize(),
                                                        particles.getSamplingRate(), edge, 0.9 * edge)]

    def _inputWarnings(self):
        """RELION scales, crops or pads a reference of another size, as it is told to."""
        particles, reference = self.inputParticles.get(), self.referenceVolume.get()
        other = maps.checkMap('Reference map', reference, particles.getBoxSize(), particles.getSamplingRate())
        return ['%s RELION will resize it, as "Resize reference if needed?" says.' % text for text in other]

    def _relateToInputs(self, *outputs):
        """Scipion's relations of the outputs to what they come from."""
        for output in outputs:
            for pointer in (self.inputParticles, self.referenceVolume, self.solventMask):
                if pointer.get() is not None:
                    self._defineSourceRelation(pointer, output)

    def _moreCitations(self):
        return ['Scheres2012']
