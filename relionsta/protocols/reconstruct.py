"""Reconstruct particle."""
from pwem.objects import Volume
from pyworkflow.protocol import params

from ..convert.halves import has_both_halves, split_halves
from ..convert.volumes import make_volume
from ..geometry import good_box_size
from ..jobs import files
from ..jobs.reconstruct import RECONSTRUCT, memory_bytes
from .boxes import checkBoxFits, checkStacks, describeBox, firstStack, stackSize
from .checks import halfSets
from .maps import boxSize, samePixel
from .particles import PARTICLES, TOMO_INPUTS, ProtStaParticlesBase

#: What Reconstruct particle makes (not an Enum: both are of one class, which an Enum would take for one).
AVERAGE, HELICAL = 'average', 'helicalAverage'
BOX = 'Box size (binned pix)'


class ProtStaReconstruct(ProtStaParticlesBase):
    """ Average particles from the tilt images, at the poses that they have.

    The quickest look at whether picks and orientations are right, and the way to a reference at any binning: the tilt
    series are read, not the extracted images, so a bin-1 map can be made from particles that were aligned at bin 4: choose
    binning 1 and leave the box empty, and it is as wide in Å as before. Two half maps are made as well, from the
    particles' half sets. For a helix, a map with the symmetry imposed in real space comes with them.
    """

    _label = 'Reconstruct particle'
    _possibleOutputs = {AVERAGE: Volume, HELICAL: Volume}
    _optionalOutputs = (HELICAL,)
    _job = RECONSTRUCT
    _filledIn = TOMO_INPUTS
    _emptyMeans = {'binning': 'that of the particles', 'box_size': 'as wide as that of the particles'}
    _defaultThreads = 2
    _needsImages = False

    def _defineInputParams(self, form):
        super()._defineInputParams(form)
        form.addParam('splitHalves', params.BooleanParam, default=True,
                      label='Split into random half sets if there are none?',
                      help='Half maps need half sets (rlnRandomSubset). Particles that have not been through a 3D '
                           'auto-refine have none; they are split at random, the same way each time. Half sets that '
                           'are there are never changed.')

    # ------------------------------------------------------------------ sizes
    def getBinning(self):
        """Pixel size of the map / that of the tilt images: the form's, else that of the particles; None if neither is."""
        given = self.binning.get()
        return self.inputParticles.get().getParticleBinning() if given is None else given

    def getBox(self):
        """Box in pixels of the map: the form's, else as wide in Å as that of the particles; None where they have none.

        At another binning than the particles' it is the next even size that transforms quickly.
        """
        particles, binning, given = self.inputParticles.get(), self.getBinning(), self.box_size.get()
        if given is not None or not particles.getBoxSize() or not binning or binning < 0:
            return given
        if samePixel(binning, particles.getParticleBinning()):
            return particles.getBoxSize()
        return good_box_size(particles.getBoxSize() * particles.getParticleBinning() / binning)

    def describeSizes(self):
        """One line on box, pixel size and binning as the form has them."""
        if self.inputParticles.get() is None or not self.getBinning() or not self.getBox():
            return 'Choose particles (with images), or give binning and box, to see what they come to.'
        return describeBox(self.getBox(), self._getPixel(), self.getBinning())

    def _getPixel(self):
        """Å per pixel of the map."""
        return self.inputParticles.get().getTiltSeriesPixelSize() * self.getBinning()

    # ------------------------------------------------------------------ input
    def _inputValues(self):
        values = super()._inputValues()
        for name, value in (('binning', self.getBinning()), ('box_size', self.getBox())):
            if value is not None:
                values[name] = value
        return values

    def _writeInputs(self):
        super()._writeInputs()
        if self.splitHalves.get():
            split_halves(self._getInputPath(PARTICLES))

    def _validateInputs(self):
        errors, particles = super()._validateInputs(), self.inputParticles.get()
        if errors:
            return errors
        binning = self.getBinning()
        errors = ['*%s*: empty, and these particles have no images yet whose %s it could be. Give a number.' % (label, what)
                  for label, what, missing in (('Binning factor', 'binning', binning is None),
                                               (BOX, 'width', self.getBox() is None and binning != 0)) if missing]
        if self.do_helix.get() and not self.splitHalves.get() and 0 in halfSets(particles):
            errors.append('*Apply helical symmetry?*: Yes, and RELION then needs half maps, but these particles have no '
                          'half sets. Choose Yes in "Split into random half sets if there are none?".')
        errors = errors or checkStacks('Particles', *particles.getTomogramsStars())
        if errors or not binning > 0:
            return errors  # RELION's own limits are told with the other options
        return checkBoxFits(
            BOX, self.getBox() * self._getPixel(), stackSize(firstStack(particles.getTomogramsStar())),
            particles.getTiltSeriesPixelSize())

    def estimateMemory(self):
        """Bytes that the run takes, measured; 0 where box or binning are missing."""
        return memory_bytes(self.getBox(), self.numberOfThreads.get(), self.numberOfMpi.get()) if self.getBox() else 0

    # ---------------------------------------------------------------- output
    def _getResultPaths(self):
        return [path for kind in self._kinds() for path in [self._merged(kind), *self._halves(kind)]]

    def _kinds(self):
        """What the names of the files of each map begin with."""
        return ['', 'helical_'] if self.getValues()['do_helix'] else ['']

    def _merged(self, kind):
        return self._getJobPath(files.RECONSTRUCT_FILES[kind + 'merged'])

    def _halves(self, kind):
        """The half maps that there must be."""
        both = has_both_halves(self._getInputPath(PARTICLES))
        return [self._getJobPath(files.RECONSTRUCT_FILES[kind + name]) for name in ('half1', 'half2') if both]

    def _makeOutputs(self):
        made = {name: self._volume(kind, self.getMapBox()) for name, kind in zip((AVERAGE, HELICAL), self._kinds())}
        self._defineOutputs(**made)
        for volume in made.values():
            self._defineSourceRelation(self.inputParticles, volume)

    def getMapBox(self):
        """Edge of the maps in voxels."""
        values = self.getValues()
        return values['crop_size'] if 0 < values['crop_size'] < values['box_size'] else values['box_size']

    def _volume(self, kind, box):
        """A map with its half maps, if there are any; kind: what the names of its files begin with."""
        return make_volume(self._merged(kind), self._getPixel(), self._halves(kind), box=box,
                           statistics=kind == self._kinds()[0])

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        average, particles = self.average, self.inputParticles.get()
        return ['Average of %d particles from %d tilt series.' % (particles.getSize(), len(particles.getTSIds())),
                 describeBox(boxSize(average), average.getSamplingRate(),
                             average.getSamplingRate() / particles.getTiltSeriesPixelSize()),
                 'Symmetry %s%s.' % (self.sym_name.get(), '; helix: twist %g degrees, rise %g Å' % (
                     self.helical_twist.get(), self.helical_rise.get()) if self.do_helix.get() else ''),
                 'With two half maps.' if average.getHalfMaps() else 'No half maps: the particles are not in two half sets.']

    def _methodsLines(self):
        particles, rate = self.inputParticles.get(), self.average.getSamplingRate()
        return ['%d particles were averaged from the tilt images in RELION at %.4g Å/pixel (binning %.4g).'
                % (particles.getSize(), rate, rate / particles.getTiltSeriesPixelSize())]
