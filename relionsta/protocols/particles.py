"""What the protocols share that take a set of particles to RELION and bring particles back."""
from pyworkflow.protocol import params

from ..convert.given import check_given
from ..convert.job_inputs import PARTICLES as PARTICLES
from ..convert.job_inputs import job_inputs, write_job_inputs
from ..convert.particles import read_particles
from ..objects import SetOfStaParticles
from . import checks
from .base import ProtStaBase

#: RELION's options for its own input files, which the Scipion objects replace.
TOMO_INPUTS = ('in_optimisation', 'use_direct_entries', 'in_particles', 'in_tomograms', 'in_trajectories')


class ProtStaParticlesBase(ProtStaBase):
    """A RELION job on a set of particles."""

    #: False for jobs that read tilt images and not the particles' own
    _needsImages = True
    #: when the inputs are asked for, as a condition of the form
    _inputCondition = None

    def _defineInputParams(self, form):
        form.addParam('inputParticles', params.PointerParam, pointerClass='SetOfStaParticles', important=True,
                      label='Particles', condition=self._inputCondition,
                      help='Particles of Extract subtomos or of any later job, also subsets of them: RELION gets exactly '
                           'the particles, poses and half sets of this set.')

    def _particlesPointer(self):
        """The pointer to the particles that RELION works on."""
        return self.inputParticles

    def _inputPointers(self):
        """The inputs that outputs are made of, as Scipion's relations tell them."""
        return [self._particlesPointer()]

    def _relateToInputs(self, *outputs):
        """Scipion's relations of the outputs to what they come from."""
        for output in outputs:
            for pointer in self._inputPointers():
                if pointer.get() is not None:
                    self._defineSourceRelation(pointer, output)

    def _inputFiles(self):
        """The particles, tomograms and trajectories that RELION gets ('' for none): the set's own, or one of all where
        the set was joined."""
        return job_inputs(self.inputParticles.get(), self._getInputPath())

    def _inputValues(self):
        files = self._inputFiles()
        return {'in_optimisation': '', 'use_direct_entries': True, 'in_particles': files.particles,
                'in_tomograms': files.tomograms, 'in_trajectories': files.trajectories}

    def _writeInputs(self):
        write_job_inputs(self.inputParticles.get(), self._getInputPath())

    def _validateInputs(self):
        return checks.checkParticles('Particles', self.inputParticles.get(), extracted=self._needsImages)

    def _readParticles(self, path, tomogramsStar=None, trajectoriesStar=None, outdatedBy=None, renamed=False):
        """A new SetOfStaParticles of this run from a STAR file that RELION wrote for the input particles.

        tomogramsStar, trajectoriesStar: where the job made new ones; else those that it got go on. outdatedBy: what the
        job is called if its changes are not in the images. renamed: they are copies with names of their own; else they must
        be those that RELION got (StarError). Particles keep the object ids that they had, so that
        Scipion can intersect and subtract the sets.
        """
        source, files = self._particlesPointer().get(), self._inputFiles()
        if not renamed:
            check_given(path, files.particles)
        particles = SetOfStaParticles.create(self._getPath())
        read_particles(path, particles, source.getCoordinates3D(asPointer=True), tomogramsStar or files.tomograms,
                       trajectoriesStar or files.trajectories, source,
                       outdatedBy or source.getOutdatedBy())
        particles.setTiltSeries(source.getTiltSeries(asPointer=True))
        particles.setCtfs(source.getCtfs(asPointer=True))
        particles.write()
        return particles

    def _particlesIn(self):
        return self._particlesPointer().get().getSize()
