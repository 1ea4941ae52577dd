"""Particle subtraction."""
import numpy as np
from pyworkflow.protocol import params

from ..convert.job_inputs import job_inputs, write_job_inputs
from ..convert.subtraction import ORIGINAL, centre_of_mass, finish_revert, finish_subtraction
from ..jobs import files
from ..jobs.subtract import SUBTRACT
from ..objects import SetOfStaParticles
from ..results.iterations import is_converged
from ..results.maps import map_statistics, read_map
from ..star import StarError, read_star
from . import checks, maps
from .image_results import ImageResultsMixin
from .particles import PARTICLES
from .refinement_run import LAST, ProtStaFromRunBase

OUTPUT = 'outputParticles'
WEIGHTS_FOLDER = 'weights'


class ProtStaSubtract(ImageResultsMixin, ProtStaFromRunBase):
    """ Take the density outside of a mask away from the images of particles.

    The map of a refinement or classification, without what is inside of the mask, is projected onto each particle at
    its pose and subtracted. What is left can be classified or refined as a particle of its own: a domain that moves, or
    a small partner on a large complex. The images can be centred on the mask and get a smaller box. Needs 3D
    pseudo-subtomos. Programs that read tilt images (Extract subtomos, Reconstruct particle) show the whole particle
    again. The same protocol gives subtracted particles their first images back, at the poses that they have now.
    """

    _label = 'Particle subtraction'
    _headersAreTrue = False
    _possibleOutputs = {OUTPUT: SetOfStaParticles}
    _job = SUBTRACT
    _filledIn = ('fn_opt', 'fn_mask', 'do_data', 'fn_data', 'do_fliplabel', 'fn_fliplabel')
    _runClasses = 'ProtStaRefine3D,ProtStaClass3D'
    _runLabel = 'Refinement or classification run'
    _runHelp = 'Its map is subtracted from its particles, at the poses that it found.'
    _iterationOfRunHelp = ('The iteration whose map and poses count; -1 is the final result of a 3D auto-refine, the last '
                           'iteration of a 3D classification.')
    _inputCondition = 'not do_fliplabel'
    _why3D = 'relion_particle_subtract writes the first tilt image only of a 2D stack.'

    def _defineInputParams(self, form):
        revert = self._job.option('do_fliplabel')
        form.addParam(revert.name, params.BooleanParam, default=revert.default, label=revert.label, help=revert.help)
        super()._defineInputParams(form)
        form.addParam('someParticles', params.PointerParam, pointerClass='SetOfStaParticles', allowsNull=True,
                      condition=self._inputCondition, label='Particles (optional)',
                      help='A subset of the particles of the run, or symmetry copies of them, at the poses of this set. '
                           'Empty: all particles of the run.')
        form.addParam('keepMask', params.PointerParam, pointerClass='VolumeMask', important=True,
                      condition=self._inputCondition, label='Mask of the signal to keep',
                      help='Soft mask: 1 where the density is to stay, 0 where it is to be subtracted. With the box and '
                           'pixel size of the particles.')
        form.addParam('subtractedParticles', params.PointerParam, pointerClass='SetOfStaParticles', important=True,
                      condition='do_fliplabel', label='Particles to revert',
                      help='Particles of an earlier subtraction, or of any later job on them.')

    # ------------------------------------------------------------------ input
    def _reverts(self):
        return self.do_fliplabel.get()

    def _particlesPointer(self):
        if self._reverts():
            return self.subtractedParticles
        return self.someParticles if self.someParticles.get() is not None else super()._particlesPointer()

    def _inputPointers(self):
        return [self._particlesPointer()] + ([] if self._reverts() else [self.keepMask])

    def _takesAll(self):
        """True where RELION takes the particles from the run itself."""
        return not self._reverts() and self.someParticles.get() is None

    def _inputFiles(self):
        return super()._inputFiles() if self._takesAll() else job_inputs(self._particlesPointer().get(),
                                                                         self._getInputPath())

    def _writeInputs(self):
        if not self._takesAll():
            write_job_inputs(self._particlesPointer().get(), self._getInputPath())

    def _isFinal(self):
        """True where the final result of a refinement is meant."""
        run = self.inputRun.get()
        return (self.runIteration.get() in (LAST, None) and run._job.type == files.REFINE3D
                and is_converged(run._getJobPath()))

    def _optimiser(self):
        if not self._isFinal():
            return super()._optimiser()
        return self.inputRun.get()._getJobPath(files.refine3d_final_files(files.RUN)['optimiser'])

    def _inputValues(self):
        particles = self._getInputPath(PARTICLES)
        if self._reverts():
            return {'do_fliplabel': True, 'fn_fliplabel': particles}
        return {'do_fliplabel': False, 'fn_opt': self._optimiser(), 'fn_mask': maps.relionMap(self.keepMask.get()),
                'do_data': not self._takesAll(), 'fn_data': '' if self._takesAll() else particles}

    def _sourceStar(self):
        """The STAR file of the particles as they go in."""
        if self._takesAll():
            return self._optimiser().replace('_optimiser.star', '_data.star')
        return self._inputFiles().particles

    def getCentre(self):
        """The point that the new images are centred on, (x, y, z) in Å from the centre of the box; None for no change."""
        pixel = self._particlesPointer().get().getSamplingRate()
        if self.do_center_mask.get():
            return centre_of_mass(read_map(maps.mapFile(self.keepMask.get()))) * pixel
        if self.do_center_xyz.get():
            return np.array([self.center_x.get(), self.center_y.get(), self.center_z.get()]) * pixel
        return None

    # ----------------------------------------------------------------- checks
    def _validateInputs(self):
        return self._checkReverted() if self._reverts() else self._checkSubtracted()

    def _checkSubtracted(self):
        errors = self._checkKind() or ([] if self._isFinal() else self._checkRunIteration())
        particles, run = self._particlesPointer().get(), self.inputRun.get()
        if not errors and not self._isFinal() and run._job.type == files.REFINE3D and self.numberOfMpi.get() < 2:
            errors = ['*MPIs*: %d. An iteration of a 3D auto-refine has a map for each half set, for which RELION needs two '
                      'at least; its final result needs one.' % self.numberOfMpi.get()]
        errors = errors or self._checkSome()
        return errors or maps.checkMask('Mask of the signal to keep', self.keepMask.get(), particles.getBoxSize(),
                                        particles.getSamplingRate()) or self._checkBox(particles.getBoxSize())

    def _checkSome(self):
        """Other images than those of the run, for example of symmetry copies, must fit its map all the same."""
        some, whole = self.someParticles.get(), ProtStaFromRunBase._particlesPointer(self).get()
        if some is None or (some.getBoxSize() == whole.getBoxSize()
                            and maps.samePixel(some.getSamplingRate(), whole.getSamplingRate())):
            return []
        return ['*Particles (optional)*: their box is %d pixels of %.4g Å, and the map of the run has %d of %.4g. Choose '
                'particles of the run, or of the same box and pixel size.'
                % (some.getBoxSize(), some.getSamplingRate(), whole.getBoxSize(), whole.getSamplingRate())]

    def _checkBox(self, box):
        new, edge = self.new_box.get(), box / 2
        if new > box:
            return ['*New box size (pix)*: %d, and the particles have %d. Choose a smaller one, or -1.' % (new, box)]
        if self.do_center_xyz.get() and not self.do_center_mask.get():
            far = [name for name in 'xyz' if abs(getattr(self, 'center_' + name).get()) >= edge]
            if far:
                return ['*Center coordinate (pix) - %s*: outside of the box, which reaches from %d to %d.'
                        % (far[0].upper(), -edge, edge - 1)]
        return []

    def _checkReverted(self):
        label, particles = 'Particles to revert', self.subtractedParticles.get()
        errors = checks.checkParticles(label, particles)
        for path in [] if errors else particles.getParticlesStars():
            try:
                if ORIGINAL not in read_star(path, ['particles'])['particles']:
                    errors.append('*%s*: %s does not say which images they had before (%s). Choose particles of a '
                                  'Particle subtraction.' % (label, path, ORIGINAL))
            except StarError as error:
                errors.append('*%s*: %s' % (label, error))
        return errors

    # ---------------------------------------------------------------- output
    def _getImagesStar(self):
        return self._getJobPath(files.SUBTRACT_FILES['reverted' if self._reverts() else 'particles'])

    def _makeOutputs(self):
        target, made = self._getExtraPath(PARTICLES), self._getImagesStar()
        if self._reverts():
            finish_revert(made, self._sourceStar(), target)
        else:
            finish_subtraction(made, self._sourceStar(), target,
                               self.getCentre(), self._getExtraPath(WEIGHTS_FOLDER))
        particles = self._readParticles(target)
        self._defineOutputs(**{OUTPUT: particles})
        self._relateToInputs(particles)

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        particles, size = self.outputParticles, self.outputParticles.getSize()
        lines = ['Box %d pixels of %.4g Å (%.0f Å).' % (particles.getBoxSize(), particles.getSamplingRate(),
                                                       particles.getBoxSize() * particles.getSamplingRate())]
        if self._reverts():
            return ['%d particles have their first images again, at the poses that they have now.' % size] + lines
        kept = map_statistics(maps.mapFile(self.keepMask.get())).mean
        centre = self.getCentre()
        return ['%d of %d particles without the density outside of the mask, which encloses %.1f %% of the box.'
                % (size, self._particlesIn(), 100 * kept),
                'Subtracted: the map of %s of "%s".' % (
                    'the final result' if self._isFinal() else 'iteration %s' % self.getRunIteration(),
                    self.inputRun.get().getRunName())] + lines + [
                'Images centred as before.' if centre is None else
                'Images centred on %.1f, %.1f, %.1f Å from the centre of the map.' % tuple(centre)]

    def _methodsLines(self):
        if self._reverts():
            return ['The first images of %d particles were taken again.' % self.outputParticles.getSize()]
        return ['The density outside of a soft mask was subtracted from %d particles in RELION.'
                % self.outputParticles.getSize()]

    def _moreCitations(self):
        return [] if self._reverts() else ['Bai2015']
