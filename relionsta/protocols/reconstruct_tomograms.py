"""Reconstruct tomograms."""
import os

from pyworkflow.object import Pointer
from pyworkflow.protocol import params
from pyworkflow.utils import makePath
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries, SetOfTomograms

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
from ..star import StarError, read_star, write_star
from . import checks
from .base import ProtStaBase
from .boxes import checkStacks

TOMOGRAMS, TILT_SERIES = 'tomograms', 'tiltSeries'
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
    _extraConditions = {'xdim': 'not sizesFromImages', 'ydim': 'not sizesFromImages'}

    def _defineInputParams(self, form):
        form.addParam('inputTiltSeries', params.PointerParam, pointerClass='SetOfTiltSeries, SetOfStaParticles',
                      important=True, label=SOURCE,
                      help='Aligned tilt series that are not interpolated; or particles, for the tilt series that they '
                           'belong to as they are now, after refinement.')
        form.addParam('inputCtfs', params.PointerParam, pointerClass='SetOfCTFTomoSeries', allowsNull=True,
                      label='CTFs', help='The CTF of the tilt series; particles bring their own.')
        section = form.addSection(label='Reconstruct')
        section.addParam('sizesFromImages', params.BooleanParam, default=True,
                         label='Width and height from the tilt images?',
                         help='Yes: as wide and high as the tilt images, with the tilt axis along Y. No: choose them '
                              'below.')

    # ------------------------------------------------------------------ input
    def _ofParticles(self):
        return isinstance(self.inputTiltSeries.get(), SetOfStaParticles)

    def _tables(self):
        """What goes into RELION's files: (overview, tilt-series table by name). ConvertError or StarError."""
        source, only = self.inputTiltSeries.get(), self.tomo_name.get('').strip()
        if not self._ofParticles():
            tables = tomogram_tables(source, self.inputCtfs.get(), ts_ids=[only] if only else None)
            return tables.tomograms, tables.tilt_series
        names, found = source.getTSIds(), []
        for path in source.getTomogramsStars():
            overview = read_star(path, ['global'])['global']
            kept = overview['rlnTomoName'].map(lambda name: scipion_ts_id(name) in ([only] if only else names))
            found.append(overview[kept].reset_index(drop=True))
        overview = found[0] if len(found) == 1 else None
        if overview is None:
            raise ConvertError('%s was joined from several sessions; reconstruct their tomograms one by one' % source)
        if not len(overview):
            raise ConvertError('none of its tilt series is called %s; there are: %s' % (only, ', '.join(names[:8])))
        return overview, {row['rlnTomoName']: read_star(row['rlnTomoTiltSeriesStarFile'],
                                                        [row['rlnTomoName']])[row['rlnTomoName']]
                          for row in overview.to_dict('records')}
