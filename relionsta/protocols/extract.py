"""Extract subtomos."""
import enum
import os

from ..convert.coordinates import coordinates_table, write_particles_star
from ..convert.errors import ConvertError
from ..convert.given import check_given
from ..convert.job_inputs import job_inputs, write_job_inputs
from ..convert.marks import remembered_hand
from ..convert.particles import read_particles
from ..convert.tilt_series import DEFAULT_HAND, write_tomograms_star
from ..jobs import files
from ..jobs.extract import EXTRACT, PSEUDO_3D
from ..objects import SetOfStaParticles
from ..results.images import torn_images
from ..star import read_star, write_star
from ..suggest.sizes import suggest_binning, suggest_box, suggest_box_again
from .base import ProtStaBase
from .boxes import describeBox
from .extract_checks import checkSource, lostMotionWarning, outsideWarning
from .extract_form import BY_ANGSTROM, BY_DIAMETER, HANDS, SIZES, defineExtractInputs, sizesOf
from .image_results import ImageResultsMixin
from .particles import PARTICLES, TOMO_INPUTS

TOMOGRAMS = 'tomograms.star'


class ExtractOutputs(enum.Enum):
    """What extraction makes."""

    outputParticles = SetOfStaParticles


class ProtStaExtract(ImageResultsMixin, ProtStaBase):
    """ Crop particles from the tilt images, at any binning.

    Takes the coordinates of any Scipion plugin, with their orientations if they have any, together with the tilt series
    (aligned, not interpolated) and their CTFs; or particles of an earlier step, to extract them again at another binning
    or with other tilt series or CTFs. Start at bin 4 or 8; the box should be 1.5 to 2 times as wide as the particle.
    2D stacks (the default) are the fast form; RELION's 3D pseudo-subtomograms are there as well.
    """

    _label = 'Extract subtomos'
    _possibleOutputs = ExtractOutputs
    _job = EXTRACT
    _filledIn = TOMO_INPUTS + ('binning', 'box_size', 'crop_size')
    _defaultThreads = 2
    _anyVersion = SIZES
    _resumes = True
    _extraConditions = {'box_size_angst': 'sizesBy == %d' % BY_ANGSTROM, 'binned_size_pix': 'sizesBy != %d' % BY_DIAMETER}

    def _defineInputParams(self, form):
        defineExtractInputs(form)

    # ------------------------------------------------------------------ sizes
    def getTiltSeriesPixelSize(self):
        """Å per pixel of the tilt images that the particles come from; None where no input tells."""
        if self.inputTiltSeries.get() is not None:
            return self.inputTiltSeries.get().getSamplingRate()
        particles = self.inputCoordinates.get()
        return particles.getTiltSeriesPixelSize() if isinstance(particles, SetOfStaParticles) else None

    def getBinning(self):
        """Binning that the sizes in the form come to; None where it cannot be told yet."""
        given = self.boxBinning.get()
        if self.sizesBy.get() == BY_DIAMETER and given is None:
            suggested = self.suggestBinning()
            return suggested.value if suggested is not None else self._binningBefore()
        if self.sizesBy.get() != BY_ANGSTROM:
            return given
        pixel, edge, box = self.getTiltSeriesPixelSize(), self.box_size_angst.get(), self.binned_size_pix.get()
        return edge / (pixel * box) if pixel and edge and box else None

    def getBox(self):
        """Box in pixels: the form's, or worked out from the particle; None where it cannot be told yet."""
        if self.sizesBy.get() != BY_DIAMETER:
            return self.binned_size_pix.get()
        suggested = self.suggestBox()
        return None if suggested is None else suggested.value

    def suggestBinning(self):
        """The binning that suits the diameter in the form, with the reason; None without one, or without tilt series."""
        diameter, pixel = self.particleDiameter.get(), self.getTiltSeriesPixelSize()
        return suggest_binning(diameter, pixel) if pixel and diameter and diameter > 0 else None

    def suggestBox(self):
        """The box in pixels that suits the diameter, else the box of the particles, with the reason; None without them."""
        diameter, pixel, binning = self.particleDiameter.get(), self.getTiltSeriesPixelSize(), self.getBinning()
        if not pixel or not binning or binning < 0:
            return None
        if diameter is not None:
            return suggest_box(diameter, pixel * binning) if diameter > 0 else None
        source = self.inputCoordinates.get()
        if not self._isAgain() or not source.getBoxSize():
            return None
        return suggest_box_again(source.getBoxSize(), source.getSamplingRate(), pixel * binning)

    def _binningBefore(self):
        return self.inputCoordinates.get().getParticleBinning() if self._isAgain() else None

    def describeSizes(self):
        """One line on box, pixel size and binning as the form has them, with a hint on the box size."""
        box, binning, pixel = self.getBox(), self.getBinning(), self.getTiltSeriesPixelSize()
        if not box or not binning or not pixel:
            return 'Choose tilt series and give the sizes to see box, pixel size and binning.'
        return describeBox(box, pixel * binning, binning)

    def _inputValues(self):
        values = {'in_optimisation': '', 'use_direct_entries': True, 'in_particles': self._getInputPath(PARTICLES),
                  'in_tomograms': self._tomogramsStar(), 'in_trajectories': self._trajectoriesStar()}
        pixel, binning, box = self.getTiltSeriesPixelSize(), self.getBinning(), self.getBox()
        if box is None:
            return values  # validation tells it
        if self.sizesBy.get() != BY_ANGSTROM and pixel and binning is not None:
            values.update(box_size_angst=round(binning * pixel * box, 6), binned_size_pix=box)
        # what RELION 5.0 takes instead
        precrop = self.precrop_size_angst.get()
        larger = round(precrop / (pixel * binning)) if pixel and binning and precrop and precrop > 0 else -1
        values.update(binning=binning or 1.0, box_size=larger if larger > box else box,
                      crop_size=box if larger > box else -1)
        return values

    def _settingsOf(self, values):
        return sizesOf(self, values)

    # ------------------------------------------------------------------ input
    def getHand(self):
        """rlnTomoHand: the chosen one, else the one that came with the CTFs, else -1.

        In a set of several sessions each series has its own; this is that of the first.
        """
        ctfs = self.inputCtfs.get()
        first = ctfs.getFirstItem() if ctfs is not None and ctfs.getSize() else None
        return HANDS.get(self.hand.get()) or remembered_hand(first, ctfs) or DEFAULT_HAND

    def _isAgain(self):
        """True where particles are extracted again."""
        return isinstance(self.inputCoordinates.get(), SetOfStaParticles)

    def _keepsTomograms(self):
        """True where the tilt series are those that the particles know."""
        return self._isAgain() and self.inputTiltSeries.get() is None

    def getCoordinates(self):
        """A pointer to the coordinates that the particles come from; None for particles without."""
        source = self.inputCoordinates
        return source.get().getCoordinates3D(asPointer=True) if self._isAgain() else source

    def _tomogramsStar(self):
        return (job_inputs(self.inputCoordinates.get(), self._getInputPath()).tomograms if self._keepsTomograms()
                else self._getInputPath(TOMOGRAMS))

    def keepsTrajectories(self):
        """Motion belongs to the alignment that it was fitted with: with other tilt series there is none."""
        if not self._isAgain():
            return False
        known, chosen = self.inputCoordinates.get().getTiltSeries(), self.inputTiltSeries.get()
        return chosen is None or (known is not None and known.getObjId() == chosen.getObjId())

    def _trajectoriesStar(self):
        return (job_inputs(self.inputCoordinates.get(), self._getInputPath()).trajectories if self.keepsTrajectories()
                else '')

    def _writeInputs(self):
        source, star = self.inputCoordinates.get(), self._getInputPath(PARTICLES)
        if self._isAgain():
            write_job_inputs(source, self._getInputPath())
        if self._keepsTomograms():
            return
        coordinates = self.getCoordinates()
        write_tomograms_star(self._getInputPath(), self.inputTiltSeries.get(), self.inputCtfs.get(),
                             tomograms=coordinates.get().getPrecedents() if coordinates is not None else None,
                             hand=HANDS.get(self.hand.get()), ts_ids=source.getTSIds())
        if not self._isAgain():
            write_particles_star(star, coordinates_table(source), self._getInputPath(TOMOGRAMS))

    def _removeTorn(self):
        for path in torn_images(self._getJobPath()):
            os.remove(path)

    # ---------------------------------------------------------------- output
    def _getImagesStar(self):
        return self._getJobPath(files.EXTRACT_FILES['particles'])

    def _makeOutputs(self):
        source, star = self.inputCoordinates.get(), self._getImagesStar()
        check_given(star, self._getInputPath(PARTICLES), every=False)
        if self.getEnumText('subtomo_format') == PSEUDO_3D:
            _markPremultiplied(star)
        particles = SetOfStaParticles.create(self._getPath())
        # RELION writes trajectories anew where it leaves particles out.
        fewer = self._getJobPath(files.EXTRACT_FILES['trajectories'])
        read_particles(star, particles, self.getCoordinates(), self._tomogramsStar(),
                       fewer if os.path.exists(fewer) else self._trajectoriesStar() or None,
                       source if self._isAgain() else None)
        self._rememberSeries(source, particles)
        if particles.getSize() == 0:
            raise ValueError('No particle was extracted: all %d are too close to the edge in too many images, or seen in '
                             'fewer than %d. Choose a smaller box, or fewer images in "Minimum nr. frames".'
                             % (source.getSize(), self.min_frames.get()))
        particles.write()
        self._defineOutputs(**{ExtractOutputs.outputParticles.name: particles})
        for pointer in (self.inputCoordinates, self.inputTiltSeries, self.inputCtfs):
            if pointer.get() is not None:
                self._defineSourceRelation(pointer, particles)

    def _rememberSeries(self, source, particles):
        """Let the particles know the sets that their tilt series come from, for jobs that refine those."""
        if self._keepsTomograms():
            particles.setTiltSeries(source.getTiltSeries(asPointer=True))
            particles.setCtfs(source.getCtfs(asPointer=True))
        else:
            particles.setTiltSeries(self.inputTiltSeries)
            particles.setCtfs(self.inputCtfs)

    # ----------------------------------------------------------------- checks
    def _validateInputs(self):
        return checkSource(self)

    def _inputWarnings(self):
        try:
            return lostMotionWarning(self) if self._isAgain() else outsideWarning(self.inputCoordinates.get())
        except ConvertError:
            return []  # validation tells it

    # ---------------------------------------------------------------- reports
    def _summaryLines(self):
        particles, source = self.outputParticles, self.inputCoordinates.get()
        lost = source.getSize() - particles.getSize()
        return ['%d of %d particles extracted from %d tilt series%s.' % (
                    particles.getSize(), source.getSize(), len(particles.getTSIds()),
                    '; %d were too close to the edge' % lost if lost else ''),
                describeBox(particles.getBoxSize(), particles.getSamplingRate(), particles.getParticleBinning()),
                'Kind: %s%s.' % (particles.getKind(), ', float16' if self.do_float16.get() else ''),
                self._describeHand()] + self._workedOutLines()

    def _workedOutLines(self):
        """Why the sizes are what they are, where they were worked out."""
        if self.sizesBy.get() != BY_DIAMETER or self.suggestBox() is None:
            return []
        binning = self.suggestBinning() if self.boxBinning.get() is None else None
        return (['Binning %s.' % binning.text()] if binning is not None else []) + ['Box %s.' % self.suggestBox().text()]

    def _describeHand(self):
        return 'Tilt series as before.' if self._keepsTomograms() else 'Handedness of defocus %+d.' % self.getHand()

    def _methodsLines(self):
        particles = self.outputParticles
        return ['%d particles were extracted in RELION as %s with a box of %d pixels at %.4g Å/pixel.'
                % (particles.getSize(), particles.getKind(), particles.getBoxSize(), particles.getSamplingRate())]


def _markPremultiplied(path):
    """Mend RELION 5.1's particles.star of 3D pseudo-subtomos, which denies that they are multiplied by their CTF.

    relion_refine refuses such files; RELION 5.0 wrote the column right.
    """
    blocks = read_star(path)
    blocks['optics']['rlnCtfDataAreCtfPremultiplied'] = 1
    write_star(path, blocks)
