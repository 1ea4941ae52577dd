"""What CTF refinement and Bayesian polishing share: particles and a reference against the tilt images."""
import os

from pyworkflow.object import Pointer
from pyworkflow.protocol import params
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries

from ..convert.refined_series import comes_from, copy_ctfs, copy_tilt_series, read_refined
from ..convert.relion_series import read_tomograms_star
from ..jobs import files
from ..objects import SetOfStaParticles
from ..results.arrived import first_missing
from ..results.maps import MapError
from ..results.motion import check_motion
from ..results.series_changes import check_same_images, series_changes, tilt_series_files, tilt_series_tables
from ..results.unfinished import Tomogram, left_unfinished
from ..star import read_star
from ..star.optimisation_set import read_optimisation_set
from ..suggest.sizes import suggest_estimation_box
from . import checks, maps
from .boxes import checkBoxFits, checkStacks, firstStack, stackSize
from .particles import TOMO_INPUTS, ProtStaParticlesBase

PARTICLES, TILT_SERIES, CTFS = 'outputParticles', 'tiltSeries', 'ctfs'
RESULT = files.CTF_REFINE_FILES['optimisation_set']


class ProtStaSeriesRefineBase(ProtStaParticlesBase):
    """A job that refines tilt series with the help of the particles in them."""

    _possibleOutputs = {PARTICLES: SetOfStaParticles, TILT_SERIES: SetOfTiltSeries, CTFS: SetOfCTFTomoSeries}
    _filledIn = TOMO_INPUTS + ('in_halfmaps', 'in_refmask', 'in_post')
    _emptyMeans = {'box_size': '1.5 times that of the reference'}
    _needsImages = False
    _resumes = True
    _defaultThreads = 2
    _optionalOutputs = (TILT_SERIES, CTFS)
    #: True for a job that changes the alignment, False for one that changes the CTFs
    _refinesAlignment = False

    def _defineInputParams(self, form):
        super()._defineInputParams(form)
        form.addParam('referenceVolume', params.PointerParam, pointerClass='Volume', important=True,
                      label='Reference map with half maps',
                      help='At the pixel size of the tilt series: make it with Reconstruct particle at binning 1, from '
                           'these particles after a 3D auto-refine. Its unfiltered half maps are used.')
        form.addParam('solventMask', params.PointerParam, pointerClass='VolumeMask', allowsNull=True,
                      label='Reference mask (optional)',
                      help='A soft mask around the particle with the box and pixel size of the reference. Advised: without '
                           'it, noise of the solvent is compared too.')
        form.addParam('inputPostprocess', params.PointerParam, pointerClass='ProtStaPostProcess', allowsNull=True,
                      label='Post-processing (optional)',
                      help='The post-processing run of the reference: its FSC says how far each frequency can be trusted. '
                           'Empty: RELION compares the two half maps itself.')

    # ------------------------------------------------------------------ input
    def suggestBox(self):
        """The box for estimation that suits the reference, with the reason; None while there is none."""
        reference = self.referenceVolume.get()
        if reference is None:
            return None
        try:
            box, pixel = maps.boxSize(reference), reference.getSamplingRate()
        except MapError:
            return None  # validation tells it
        return suggest_estimation_box(box, pixel, pixel)

    def getBox(self):
        """The box for estimation in pixels: the form's, else the one that suits the reference."""
        given, suggested = self.box_size.get(), self.suggestBox()
        return suggested.value if given is None and suggested is not None else given

    def _inputValues(self):
        return dict(super()._inputValues(), **({} if self.getBox() is None else {'box_size': self.getBox()}),
                    in_halfmaps=maps.firstHalf(self.referenceVolume.get(), self._getInputPath()),
                    in_refmask=maps.relionMap(self.solventMask.get()), in_post=self._postprocessStar())

    def _postprocessStar(self):
        run = self.inputPostprocess.get()
        return '' if run is None else run._getJobPath(files.POSTPROCESS_FILES['star'])

    def _writeInputs(self):
        super()._writeInputs()
        maps.linkHalves(self.referenceVolume.get(), self._getInputPath())

    def _inputPointers(self):
        return super()._inputPointers() + [self.referenceVolume, self.solventMask]

    # ------------------------------------------------------------- going on
    def _wantedFiles(self):
        """What RELION leaves of a tomogram that is finished (results.unfinished)."""
        raise NotImplementedError

    def _removeTorn(self):
        """All but the files of finished tomograms; RELION does the others again."""
        known = self._inputFiles()
        images = tilt_series_tables(known.tomograms)
        particles = read_star(known.particles, ['particles'])['particles']['rlnTomoName'].value_counts()
        tomograms = {name: Tomogram(len(images[name]), count) for name, count in particles.items()}
        for path in left_unfinished(self._getJobPath(), tomograms, self._wantedFiles()):
            os.remove(path)

    # ----------------------------------------------------------------- checks
    def _validateInputs(self):
        particles = self.inputParticles.get()
        return (super()._validateInputs() or self._checkSplit(particles) or self._checkReference(particles)
                or self._checkRest(particles))

    def _checkSplit(self, particles):
        if checks.halfSets(particles) == {1, 2}:
            return []
        return ['*Particles*: they are not split into two half sets (rlnRandomSubset), and RELION compares each half with '
                'the reference of its own. Run 3D auto-refine on them first.']

    def _checkReference(self, particles):
        label, volume = 'Reference map with half maps', self.referenceVolume.get()
        errors = maps.checkMap(label, volume) or maps.checkHalfMaps(label, volume)
        rate, pixel = volume.getSamplingRate(), particles.getTiltSeriesPixelSize()
        if not errors and not maps.samePixel(rate, pixel):
            errors = ['*%s*: it has %.4g Å/pixel and the tilt series have %.4g, and RELION compares them as they are. Make '
                      'a reference with Reconstruct particle: "Use the particles\' box and binning?" No, binning 1.'
                      % (label, rate, pixel)]
        box, needed = self.getBox(), maps.boxSize(volume) if not errors else 0
        if not errors and needed > box:
            errors = ['*Box size for estimation (pix)*: %d, and the box of the reference is %d pixels. Give at least %d.'
                      % (box, needed, needed)]
        return errors

    def _checkRest(self, particles):
        """Mask and FSC against the reference, the box against the tilt images, and those themselves."""
        volume, mask, run = self.referenceVolume.get(), self.solventMask.get(), self.inputPostprocess.get()
        box, pixel = maps.boxSize(volume), volume.getSamplingRate()
        errors = [] if mask is None else maps.checkMask('Reference mask (optional)', mask, box, pixel, whose='the reference')
        if not errors and run is not None:
            errors = self._checkPostprocess(run, box, pixel)
        stars = particles.getTomogramsStars()
        errors = errors or checkStacks('Particles', *stars)
        return errors or checkBoxFits('Box size for estimation (pix)', self.getBox() * pixel,
                                      stackSize(firstStack(stars[0])), pixel)

    def _checkPostprocess(self, run, box, pixel):
        """The FSC must be that of the reference's shells: RELION takes it by their number."""
        label, sharpened = 'Post-processing (optional)', getattr(run, 'sharpenedVolume', None)
        if sharpened is None:
            return ['*%s*: %s has no result. Run it first.' % (label, run.getRunName())]
        return (maps.checkFile(label, self._postprocessStar())
                or maps.checkMap(label, sharpened, box, pixel, whose='the reference'))

    def _inputWarnings(self):
        particles = self.inputParticles.get()
        return checks.idleRanks(self.numberOfMpi.get(), len(particles.getTSIds()), 'tilt series of these particles')

    # ---------------------------------------------------------------- output
    def getMade(self):
        """The files of the result (OptimisationSet). StarError where what RELION has written is not whole."""
        return read_optimisation_set(self._getJobPath(RESULT), whole=True)

    def _getResultPaths(self):
        return [self._getJobPath(RESULT)]

    def _missingResult(self):
        return super()._missingResult() or first_missing(self._getNamedPaths())

    def _getNamedPaths(self):
        """The files of this job that its optimisation set names, with those of the tilt series."""
        made = self.getMade()
        new = [path for path in (made.particles, made.tomograms, made.trajectories) if path and self._getJobPath() in path]
        series = tilt_series_files(made.tomograms) if made.tomograms in new and os.path.isfile(made.tomograms) else []
        return new + series

    def _makeOutputs(self):
        made, known = self.getMade(), self._inputFiles()
        if made.tomograms != known.tomograms:
            check_same_images(known.tomograms, made.tomograms)
        if made.trajectories and made.trajectories != known.trajectories:
            check_motion(made.trajectories, known.particles, made.tomograms)
        outputs = self._refinedSets(made.tomograms) if made.tomograms != known.tomograms else {}
        for output in outputs.values():
            output.write()
        self._defineOutputs(**outputs)
        particles = self._readParticles(made.particles, made.tomograms, made.trajectories, outdatedBy=self._job.label)
        for name, tell in ((TILT_SERIES, particles.setTiltSeries), (CTFS, particles.setCtfs)):
            if name in outputs:
                tell(Pointer(self, extended=name))
        particles.write()
        self._defineOutputs(**{PARTICLES: particles})
        self._relateToInputs(particles, *outputs.values())
        self.summaryVar.set('\n'.join(self._describe(known, made)))

    def _refinedSets(self, star):
        """Scipion's sets of the tilt series that RELION has refined, by the name of the output.

        Copies of the sets that the particles come from; where those are not known, as after a join, both sets are made
        from RELION's files alone.
        """
        particles, refined = self.inputParticles.get(), read_refined(star)
        series, ctfs = particles.getTiltSeries(), particles.getCtfs()
        newSeries = SetOfTiltSeries.create(self._getPath(), template='tiltseries')
        newCtfs = SetOfCTFTomoSeries.create(self._getPath(), template='ctftomoseries')
        if ctfs is None or not set(refined) <= set(ctfs.getTSIds()) or not comes_from(refined, series):
            newCtfs.setSetOfTiltSeries(Pointer(self, extended=TILT_SERIES))
            read_tomograms_star(star, newSeries, newCtfs)
            return {TILT_SERIES: newSeries, CTFS: newCtfs}
        if self._refinesAlignment:
            copy_tilt_series(refined, series, newSeries)
            return {TILT_SERIES: newSeries}
        copy_ctfs(refined, ctfs, series, newCtfs)
        newCtfs.setSetOfTiltSeries(particles.getTiltSeries(asPointer=True))
        return {CTFS: newCtfs}

    # --------------------------------------------------------------- reports
    def _describe(self, known, made):
        """Lines on what has changed. known: RELION's input files; made: its results."""
        raise NotImplementedError

    def getChanges(self):
        """What has changed in each tilt image (see results.series_changes); ValueError where there is no result."""
        return series_changes(self._inputFiles().tomograms, self.getMade().tomograms)

    def _summaryLines(self):
        lines = self.summaryVar.get('').splitlines()
        if self.box_size.get() is None and self.suggestBox() is not None:
            lines.append('Box size for estimation %s.' % self.suggestBox().text())
        if self.outputParticles.getOutdatedBy():
            lines.append('The images of the particles are as before: extract them again. Analyze Results opens the form, '
                         'filled in.')
        return lines
