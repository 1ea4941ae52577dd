"""Reconstruct tomograms."""
from itertools import islice

import pandas as pd
from pyworkflow.object import String
from pyworkflow.protocol import params
from pyworkflow.utils import makePath
from tomo.objects import SetOfTiltSeries, SetOfTomograms

from ..convert.errors import ConvertError
from ..convert.job_inputs import job_inputs, write_job_inputs
from ..convert.reconstructions import append_reconstruction, average_halves
from ..convert.refined_series import comes_from, copy_tilt_series, read_refined
from ..convert.relion_series import read_tomograms_star
from ..convert.series import scipion_ts_id
from ..convert.tilt_series import tomogram_tables, write_tomograms_star
from ..jobs import files
from ..jobs.reconstruct_tomograms import RECONSTRUCT_TOMOGRAMS
from ..objects import SetOfStaParticles
from ..results.maps import read_header
from ..star import StarError, read_star, write_star
from . import checks
from .base import ProtStaBase
from .boxes import checkImages, checkStacks

TOMOGRAMS, TILT_SERIES = 'tomograms', 'tiltSeries'
#: Tomograms at most whose size is compared with that of the run: a summary must not read hundreds of files.
LOOKED_AT = 9
SOURCE = 'Tilt series or particles'
STAR = 'tomograms.star'
HALF_COLUMNS = {'rlnMicrographNameEven', 'rlnMicrographNameOdd'}


class ProtStaReconstructTomograms(ProtStaBase):
    """ Reconstruct tomograms from aligned tilt series.

    Takes tilt series of any plugin with their CTFs, or the tilt series of particles, as refined by CTF refinement and
    Bayesian polishing: particles of the old tomograms lie at their places in the new ones. For picking, 5 to 10 Å per
    voxel are good. Averaging itself does not need tomograms.
    """

    _label = 'Reconstruct tomograms'
    _possibleOutputs = {TOMOGRAMS: SetOfTomograms, TILT_SERIES: SetOfTiltSeries}
    _optionalOutputs = (TILT_SERIES,)
    _job = RECONSTRUCT_TOMOGRAMS
    _filledIn = ('in_tiltseries',)
    _defaultThreads = 2
    _emptyMeans = {'xdim': 'as wide as the tilt images', 'ydim': 'as high as the tilt images'}

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        #: of the first tomogram, in voxels
        self.madeSize = String()

    def _defineInputParams(self, form):
        form.addParam('inputTiltSeries', params.PointerParam, pointerClass='SetOfTiltSeries, SetOfStaParticles',
                      important=True, label=SOURCE,
                      help='Aligned tilt series that are not interpolated; or particles, for the tilt series that they '
                           'belong to as they are now, after refinement.')
        form.addParam('inputCtfs', params.PointerParam, pointerClass='SetOfCTFTomoSeries', allowsNull=True,
                      label='CTFs', help='The CTF of the tilt series; particles bring their own.')

    # ------------------------------------------------------------------ input
    def _ofParticles(self):
        return isinstance(self.inputTiltSeries.get(), SetOfStaParticles)

    def _wanted(self):
        """Names of the tilt series."""
        only = (self.tomo_name.get() or '').strip()
        return [only] if only else sorted(self.inputTiltSeries.get().getTSIds())

    def _tables(self):
        """(tomogram's row of tomograms.star, tilt-series table), by tsId. Raises ConvertError or StarError."""
        source = self.inputTiltSeries.get()
        if not self._ofParticles():
            tables = tomogram_tables(source, self.inputCtfs.get(), ts_ids=self._wanted())
            return {row['rlnTomoName']: (row, tables.tilt_series[row['rlnTomoName']])
                    for row in tables.tomograms.to_dict('records')}
        return {scipion_ts_id(name): (row, read_star(row['rlnTomoTiltSeriesStarFile'], [name])[name])
                for path in source.getTomogramsStars() for name, row in self._rows(path).items()}

    def _rows(self, path):
        """The rows of a tomograms.star for the tilt series that are wanted, by name."""
        wanted = self._wanted()
        return {row['rlnTomoName']: row for row in read_star(path, ['global'])['global'].to_dict('records')
                if scipion_ts_id(row['rlnTomoName']) in wanted}

    def getSizes(self):
        """Width, height and thickness of the tomograms in pixels of the tilt series."""
        given = [self.xdim.get(), self.ydim.get(), self.zdim.get()]
        if None not in given:
            return given
        rows = [row for row, _ in self._tables().values()]
        return [max(int(row['rlnTomoSize' + axis]) for row in rows) if size is None else size
                for axis, size in zip('XYZ', given)]

    def getTiltSeriesPixelSize(self):
        """Å per pixel of the tilt images."""
        source = self.inputTiltSeries.get()
        return source.getTiltSeriesPixelSize() if self._ofParticles() else source.getSamplingRate()

    def _inputValues(self):
        width, height, _ = self.getSizes()
        # One tomogram is chosen by what is written for RELION: with its own option it writes no tomograms.star.
        return {'in_tiltseries': self._getInputPath(STAR), 'tomo_name': '', 'xdim': width, 'ydim': height}

    def _writeInputs(self):
        source, folder = self.inputTiltSeries.get(), self._getInputPath()
        if not self._ofParticles():
            write_tomograms_star(folder, source, self.inputCtfs.get(), ts_ids=self._wanted())
            return
        files_ = job_inputs(source, folder)
        star = files_.tomograms if len(source.getTomogramsStars()) == 1 else write_job_inputs(source, folder).tomograms
        write_star(self._getInputPath(STAR), {'global': pd.DataFrame(list(self._rows(star).values()))})

    # ----------------------------------------------------------------- checks
    def _validateInputs(self):
        source = self.inputTiltSeries.get()
        if source.getSize() == 0:
            return ['*%s*: the set is empty. Choose another set.' % SOURCE]
        errors = []
        if self._ofParticles():
            errors = checks.checkParticles(SOURCE, source, extracted=False)
        elif self.inputCtfs.get() is None:
            errors = ['*CTFs*: empty, and RELION needs them with the tilt series. Choose the CTFs of these tilt series.']
        return (errors or checks.unknownTomograms('Reconstruct only this tomogram', self._wanted(), source.getTSIds(),
                                                  'in the input') or self._checkTables())

    def _checkTables(self):
        try:
            tables = self._tables()
        except (ConvertError, StarError) as error:
            return ['*%s*: %s.' % (SOURCE, str(error).rstrip('.'))]
        lacking = [name for name, (_, table) in tables.items() if not HALF_COLUMNS <= set(table)]
        if lacking and self.generate_split_tomograms.get():
            return ['*Generate tomograms for denoising?*: Yes, and %s: no even and odd tilt images are known. Choose No, or '
                    'import the tilt series with them.' % checks.someOf(lacking)]
        if lacking and self.do_fourier.get() and not self.do_skip_wiener.get():
            return ['*Use Fourier-inversion?*: Yes, and %s: no even and odd tilt images are known, which its Wiener filter '
                    'needs. Choose Yes in "Skip Wiener filter?", or No here.' % checks.someOf(lacking)]
        return self._checkStacks(tables) + self._checkSizes()

    def _checkStacks(self, tables):
        if self._ofParticles():
            return checkStacks(SOURCE, *self.inputTiltSeries.get().getTomogramsStars())
        return checkImages(SOURCE, [table for _, table in tables.values()])

    def _checkSizes(self):
        """Odd sizes put a specimen half a pixel off its particles."""
        labels = {name: self.getParam(name).label.get() for name in ('xdim', 'ydim', 'zdim')}
        return ['*%s*: %d, which is odd. Choose %d: else particles would lie half a pixel off in the tomogram.'
                % (labels[name], size, size + 1)
                for name, size in zip(labels, self.getSizes()) if size % 2]

    def _inputWarnings(self):
        return checks.idleRanks(self.numberOfMpi.get(), len(self._wanted()), 'tomograms')

    # ---------------------------------------------------------------- output
    def _getResultPaths(self):
        names = read_star(self._getInputPath(STAR), ['global'])['global']['rlnTomoName']
        split = self.generate_split_tomograms.get()
        made = [path for name in names for path in (files.split_tomograms(name) if split else [files.tomogram(name)])]
        tilted = [files.RECONSTRUCT_TOMOGRAMS_FILES['tomograms']] if self.tiltangle_offset.get() else []
        return [self._getJobPath(path) for path in made + tilted]

    def _makeOutputs(self):
        overview = read_star(self._getInputPath(STAR), ['global'])['global']
        tomograms = SetOfTomograms.create(self._getPath(), template='tomograms')
        series = self._series()
        known = {} if series is None else {one.getTsId(): one.getAcquisition().clone() for one in series.iterItems()}
        for name in overview['rlnTomoName']:
            tsId = scipion_ts_id(name)
            halves = [self._getJobPath(path) for path in files.split_tomograms(name)]
            path = self._getJobPath(files.tomogram(name))
            if self.generate_split_tomograms.get():
                makePath(self._getExtraPath('averages'))
                path = average_halves(halves, self._getExtraPath('averages', '%s.mrc' % tsId))
            append_reconstruction(tomograms, tsId, path, self.getSizes(), self.getTiltSeriesPixelSize(),
                                  self.do_fourier.get(), halves if self.generate_split_tomograms.get() else (),
                                  known.get(tsId))
        tomograms.write()
        self.madeSize.set(_sizeText(tomograms.getFirstItem().getFileName()))
        self._store(self.madeSize)
        self._defineOutputs(**{TOMOGRAMS: tomograms})
        made = [tomograms] + self._makeTilted(series)
        for output in made:
            for pointer in (self.inputTiltSeries, self.inputCtfs):
                if pointer.get() is not None:
                    self._defineSourceRelation(pointer, output)

    def _series(self):
        """The SetOfTiltSeries of the tomograms, or None where it is not known."""
        source = self.inputTiltSeries.get()
        return source.getTiltSeries() if self._ofParticles() else source

    def _makeTilted(self, series):
        """Tilt series with the offset of the tilt angles: those that fit the tomograms; [] without an offset."""
        if not self.tiltangle_offset.get():
            return []
        star = self._getJobPath(files.RECONSTRUCT_TOMOGRAMS_FILES['tomograms'])
        tilted, refined = SetOfTiltSeries.create(self._getPath(), template='tiltseries'), read_refined(star)
        if comes_from(refined, series):
            copy_tilt_series(refined, series, tilted)
        else:
            read_tomograms_star(star, tilted)
        tilted.write()
        self._defineOutputs(**{TILT_SERIES: tilted})
        return [tilted]

    def checkMade(self, *names):
        """Tomograms, too, must be of the size that was made; each run makes all of one. The first of them are looked at."""
        super().checkMade(*names)
        if TOMOGRAMS not in (names or [TOMOGRAMS]) or not self.madeSize.hasValue() or not hasattr(self, TOMOGRAMS):
            return
        for path in [tomogram.getFileName() for tomogram in islice(self.tomograms, LOOKED_AT)]:
            if _sizeText(path) != self.madeSize.get():
                raise ValueError('%s has %s voxels, and %s were made' % (path, _sizeText(path), self.madeSize.get()))

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        tomograms = self.tomograms
        lines = ['%d tomograms, %s voxels of %.4g Å.' % (
                     tomograms.getSize(), _sizeText(tomograms.getFirstItem().getFileName()), tomograms.getSamplingRate()),
                 'By %s.' % ('Fourier inversion' if self.do_fourier.get() else 'weighted back-projection')]
        if self.generate_split_tomograms.get():
            lines.append('With half tomograms of even and odd frames, for denoising; the tomograms are their average.')
        if hasattr(self, TILT_SERIES):
            lines.append('The tilt angles were changed by %g°: use the tilt series of this run with coordinates from these '
                         'tomograms.' % self.tiltangle_offset.get())
        return lines

    def _methodsLines(self):
        return ['Tomograms at %.4g Å/voxel were reconstructed in RELION by %s.' % (
            self.tomograms.getSamplingRate(),
            'Fourier inversion' if self.do_fourier.get() else 'weighted back-projection')]


def _sizeText(path):
    """The size of a tomogram in words; MapError where the file is no map."""
    return ' x '.join(map(str, read_header(path).size))
