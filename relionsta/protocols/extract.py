"""Extract subtomos."""
import enum

import pyworkflow.utils as pwutils
from pyworkflow.protocol import params

from ..constants import DEFOCUS_HAND
from ..convert.coordinates import coordinates_table, write_particles_star
from ..convert.errors import ConvertError
from ..convert.particles import ids_by_name, read_particles, write_star_of_set
from ..convert.poses import COORDINATES
from ..convert.positions import outside_of_tomograms, tomogram_table
from ..convert.tilt_series import write_tomograms_star
from ..geometry import good_box_size
from ..jobs import files
from ..jobs.extract import EXTRACT, PSEUDO_3D
from ..objects import SetOfStaParticles
from ..star import StarError, read_star, write_star
from . import checks
from .base import ProtStaBase
from .particles import PARTICLES, TOMO_INPUTS

BY_ANGSTROM, BY_BINNING = 0, 1
AS_IMPORTED = 0
HANDS = {1: -1, 2: 1}
#: More particles than this fraction outside of their tomograms is no accident but a wrong pixel size or tomogram.
OUTSIDE_TOLERANCE = 0.01


def markPremultiplied(path, subtomoFormat):
    """Mend RELION 5.1's particles.star of 3D pseudo-subtomos, which denies that they are multiplied by their CTF.

    relion_refine refuses such files; RELION 5.0 wrote the column right.
    """
    if subtomoFormat != PSEUDO_3D:
        return
    blocks = read_star(path)
    blocks['optics']['rlnCtfDataAreCtfPremultiplied'] = 1
    write_star(path, blocks)


class ExtractOutputs(enum.Enum):
    """What extraction makes."""

    outputParticles = SetOfStaParticles


class ProtStaExtract(ProtStaBase):
    """ Crop particles from the tilt images, at any binning.

    Takes the coordinates of any Scipion plugin, with their orientations if they have any, together with the tilt series
    (aligned, not interpolated) and their CTFs; or particles of an earlier step, to extract them again at another binning
    or after CTF refinement and polishing. Start at bin 4 or 8; the box should be 1.5 to 2 times as wide as the particle.
    2D stacks (the default) are the fast form; RELION's 3D pseudo-subtomograms are there as well.
    """

    _label = 'Extract subtomos'
    _possibleOutputs = ExtractOutputs
    _job = EXTRACT
    _filledIn = TOMO_INPUTS + ('binning', 'box_size', 'crop_size')
    _defaultThreads = 2
    _extraConditions = {'box_size_angst': 'sizesBy == %d' % BY_ANGSTROM}

    def _defineInputParams(self, form):
        form.addParam('inputCoordinates', params.PointerParam, pointerClass='SetOfCoordinates3D, SetOfStaParticles',
                      important=True, label='Coordinates or particles',
                      help='3D coordinates of any plugin, at any binning and pixel size; or particles of an earlier '
                           'step, to extract them again.')
        form.addParam('inputTiltSeries', params.PointerParam, pointerClass='SetOfTiltSeries', allowsNull=True,
                      label='Tilt series',
                      help='The raw (not interpolated) tilt series with their alignment. May stay empty for particles of '
                           'an earlier step: then those that the particles know are used.')
        form.addParam('inputCtfs', params.PointerParam, pointerClass='SetOfCTFTomoSeries', allowsNull=True,
                      label='CTFs', help='The CTF of the same tilt series; needed where tilt series are given.')
        form.addParam('hand', params.EnumParam, choices=['as imported (-1 if unknown)', '-1', '+1'],
                      default=AS_IMPORTED, display=params.EnumParam.DISPLAY_COMBO, label='Handedness of defocus',
                      help='rlnTomoHand: the side of the tilted specimen that is more out of focus. -1 is right for most '
                           'data. A wrong value costs resolution and shows as CTF-refined defocus that drifts across '
                           'the field.')
        section = form.addSection(label='Reconstruct')
        section.addParam('sizesBy', params.EnumParam, choices=['box in Å and in pixels (RELION)', 'binning and pixels'],
                         default=BY_ANGSTROM, display=params.EnumParam.DISPLAY_HLIST, label='Sizes are given as',
                         help='RELION takes the box in Å and its size in pixels after binning; the binning follows: box '
                              'in Å / (pixel size of the tilt series x box in pixels). Or give the binning and the box '
                              'in pixels. The wand beside the box shows what comes out, and a good size for it.')
        section.addParam('boxBinning', params.FloatParam, default=4, condition='sizesBy == %d' % BY_BINNING,
                         label='Binning', help='Pixel size of the particles / pixel size of the tilt series.')

    # ------------------------------------------------------------------ sizes
    def getTiltSeriesPixelSize(self):
        """Å per pixel of the tilt images that the particles come from; None where no input tells."""
        if self.inputTiltSeries.get() is not None:
            return self.inputTiltSeries.get().getSamplingRate()
        particles = self.inputCoordinates.get()
        return particles.getTiltSeriesPixelSize() if isinstance(particles, SetOfStaParticles) else None

    def getBinning(self):
        """Binning that the sizes in the form come to; None where no input tells the pixel size."""
        pixel = self.getTiltSeriesPixelSize()
        if self.sizesBy.get() == BY_BINNING:
            return self.boxBinning.get()
        return self.box_size_angst.get() / (pixel * self.binned_size_pix.get()) if pixel else None

    def describeSizes(self):
        """One line on box, pixel size and binning as the form has them, with a hint on the box size."""
        box, binning, pixel = self.binned_size_pix.get(), self.getBinning(), self.getTiltSeriesPixelSize()
        if not binning or not pixel:
            return 'Box %d pixels; choose tilt series to see its size in Å.' % box
        text = 'Box %d pixels of %.4g Å = %.0f Å at binning %.4g (Nyquist %.4g Å)' % (
            box, pixel * binning, box * pixel * binning, binning, 2 * pixel * binning)
        good = good_box_size(box)
        return text + ('.' if good == box else '; %d is quicker to transform.' % good)

    def _inputValues(self):
        values = {'in_optimisation': '', 'use_direct_entries': True, 'in_particles': self._getInputPath(PARTICLES),
                  'in_tomograms': self._tomogramsStar(), 'in_trajectories': ''}
        source = self.inputCoordinates.get()
        if isinstance(source, SetOfStaParticles) and self.inputTiltSeries.get() is None:
            values['in_trajectories'] = source.getTrajectoriesStar() or ''
        pixel, binning, box = self.getTiltSeriesPixelSize(), self.getBinning(), self.binned_size_pix.get()
        if self.sizesBy.get() == BY_BINNING and pixel:
            values['box_size_angst'] = round(binning * pixel * box, 6)
        # what RELION 5.0 takes instead
        precrop = self.precrop_size_angst.get()
        larger = round(precrop / (pixel * binning)) if pixel and binning and precrop > 0 else -1
        values.update(binning=binning or 1, box_size=larger if larger > box else box,
                      crop_size=box if larger > box else -1)
        return values

    def getHand(self):
        """rlnTomoHand: the chosen one, else the one that came with the CTFs, else -1."""
        chosen = HANDS.get(self.hand.get())
        if chosen is not None:
            return chosen
        remembered = getattr(self.inputCtfs.get(), DEFOCUS_HAND, None)
        return remembered.get() if remembered is not None else -1

    def _getTomograms(self):
        source = self.inputCoordinates.get()
        if isinstance(source, SetOfStaParticles):
            source = source.getCoordinates3D()
        return source.getPrecedents() if source is not None else None

    def _tomogramsStar(self):
        if self.inputTiltSeries.get() is not None:
            return self._getInputPath('tomograms.star')
        source = self.inputCoordinates.get()
        return (source.getTomogramsStar() or '') if isinstance(source, SetOfStaParticles) else ''

    # ------------------------------------------------------------------ steps
    def convertInputStep(self):
        pwutils.makePath(self._getInputPath())
        source = self.inputCoordinates.get()
        particles = isinstance(source, SetOfStaParticles)
        if self.inputTiltSeries.get() is not None:
            write_tomograms_star(self._getInputPath(), self.inputTiltSeries.get(), self.inputCtfs.get(),
                                 tomograms=self._getTomograms(), hand=self.getHand(), ts_ids=source.getTSIds())
        if particles:
            write_star_of_set(source, self._getInputPath(PARTICLES))
        else:
            write_particles_star(self._getInputPath(PARTICLES), coordinates_table(source),
                                 self._getInputPath('tomograms.star'))

    def createOutputStep(self):
        source = self.inputCoordinates.get()
        values = self.getValues()
        particles = SetOfStaParticles.create(self._getPath())
        markPremultiplied(self._getJobPath(files.EXTRACT_FILES['particles']), values['subtomo_format'])
        again = isinstance(source, SetOfStaParticles)
        read_particles(self._getJobPath(files.EXTRACT_FILES['particles']), particles,
                       source.getCoordinates3D(asPointer=True) if again else self.inputCoordinates,
                       values['in_tomograms'], values['in_trajectories'] or None, ids=self._idsByName())
        if particles.getSize() == 0:
            raise ValueError('No particle was extracted: all %d are too close to the edge in too many images, or seen in '
                             'fewer than %d. Choose a smaller box or fewer images (Minimum nr. frames).'
                             % (source.getSize(), self.min_frames.get()))
        particles.write()
        self._defineOutputs(**{ExtractOutputs.outputParticles.name: particles})
        for pointer in (self.inputCoordinates, self.inputTiltSeries, self.inputCtfs):
            if pointer.get() is not None:
                self._defineSourceRelation(pointer, particles)

    def _idsByName(self):
        """Particle name -> object id of the input item: a particle keeps its id, as Scipion's subsets expect."""
        source = self.inputCoordinates.get()
        if isinstance(source, SetOfStaParticles):
            return ids_by_name(source)
        table = coordinates_table(source)
        return dict(zip(table['rlnTomoParticleName'], table.index.tolist()))

    # ----------------------------------------------------------------- checks
    def _validateInputs(self):
        source, series, ctfs = self.inputCoordinates.get(), self.inputTiltSeries.get(), self.inputCtfs.get()
        if source.getSize() == 0:
            return ['*Coordinates or particles*: the set is empty. Choose another set.']
        if series is None:
            if not isinstance(source, SetOfStaParticles):
                return ['*Tilt series*: empty, and coordinates alone do not know their tilt images. Choose the aligned '
                        'tilt series that these coordinates belong to.']
            return checks.checkParticles('Coordinates or particles', source, extracted=False) + self._checkBox(None)
        if ctfs is None:
            return ['*CTFs*: empty, and RELION needs the defocus of every image. Choose the CTFs of these tilt series.']
        errors = checks.unknownTomograms('Coordinates or particles', source.getTSIds(), series.getTSIds(),
                                         'in the tilt series')
        errors += checks.unknownTomograms('Tilt series', source.getTSIds(), ctfs.getTSIds(), 'in the CTFs')
        if not errors:
            errors += self._checkPositions(source) + self._checkBox(series)
        return errors

    def _checkBox(self, series):
        """RELION makes up values beyond the resolution of the images, and drops all particles of too wide a box."""
        if self.getBinning() < 0.999:
            return ['*Binning*: %.3g, so the particles would have smaller pixels (%.4g Å) than the tilt images (%.4g Å). '
                    'Choose a larger box in Å, or fewer pixels.'
                    % (self.getBinning(), self.getBinning() * self.getTiltSeriesPixelSize(), self.getTiltSeriesPixelSize())]
        if series is None:
            return []
        box = self.getBinning() * series.getSamplingRate() * self.binned_size_pix.get()
        nx, ny = series.getFirstItem().getDim()[:2]
        narrow = min(nx, ny) * series.getSamplingRate()
        if box < narrow:
            return []
        return ['*Box size*: %.0f Å, and the tilt images are %.0f x %.0f Å (%d x %d pixels of %.4g Å). Choose a box '
                'well below %.0f Å.' % (box, nx * series.getSamplingRate(), ny * series.getSamplingRate(), nx, ny,
                                      series.getSamplingRate(), narrow)]

    def _checkPositions(self, source):
        """Positions must lie in their tomograms: RELION never looks."""
        if isinstance(source, SetOfStaParticles):
            return []
        try:
            table = coordinates_table(source)
        except (ConvertError, StarError) as error:
            return ['*Coordinates or particles*: %s' % error]
        outside = outside_of_tomograms(table[COORDINATES], table['rlnTomoName'], tomogram_table(source.getPrecedents()))
        if outside.mean() <= OUTSIDE_TOLERANCE:
            return []
        worst = table.loc[outside, 'rlnTomoName'].value_counts().index[0]
        return ['*Coordinates or particles*: %d of %d positions lie outside of their tomograms (most in %s). The pixel '
                'size of the coordinates (%.4g Å) or their tomograms are wrong: import them again with the pixel size '
                'of the tomogram that they were picked in.'
                % (outside.sum(), len(table), worst, source.getSamplingRate())]

    # ---------------------------------------------------------------- reports
    def _summaryLines(self):
        particles = self.outputParticles
        before, after = self.inputCoordinates.get().getSize(), particles.getSize()
        return ['%d of %d particles extracted from %d tilt series%s.' % (
                    after, before, len(particles.getTSIds()),
                    '' if after == before else '; %d were too close to the edge' % (before - after)),
                self.describeSizes(),
                'Kind: %s%s.' % (particles.getKind(), ', float16' if self.do_float16.get() else '')]

    def _methods(self):
        if not self.isFinished():
            return []
        particles = self.outputParticles
        return ['%d particles were extracted in RELION as %s with a box of %d pixels at %.4g Å/pixel.'
                % (particles.getSize(), particles.getKind(), particles.getBoxSize(), particles.getSamplingRate())]
