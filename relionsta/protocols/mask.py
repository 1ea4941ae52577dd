"""Mask creation."""
import enum

from pwem.objects import VolumeMask
from pyworkflow.protocol import params

from ..jobs import files
from ..jobs.mask import MASK
from ..results.maps import map_statistics
from . import checks
from .base import ProtStaBase


class MaskOutputs(enum.Enum):
    """What mask creation makes."""

    solventMask = VolumeMask


class ProtStaMask(ProtStaBase):
    """ Make a soft solvent mask from a map: low-pass filter, binarise, extend, soften the edge.

    Look at the map first and choose a threshold at which all of the particle shows and no dust: a mask that cuts into
    the particle costs resolution, a wide one costs little. The mask has the box and pixel size of the map, so make it
    from a map of the job that it will serve.
    """

    _label = 'Mask creation'
    _possibleOutputs = MaskOutputs
    _job = MASK
    _filledIn = ('fn_in',)
    _defaultThreads = 2

    def _defineInputParams(self, form):
        form.addParam('inputVolume', params.PointerParam, pointerClass='Volume', important=True, label='Input map',
                      help='The map to make the mask from, for example the average of a 3D classification.')

    def _inputValues(self):
        volume = self.inputVolume.get()
        return {'fn_in': volume.getFileName() if volume else ''}

    def _validateInputs(self):
        volume = self.inputVolume.get()
        errors = checks.checkMap('Input map', volume)
        if errors:
            return errors
        statistics = map_statistics(volume.getFileName())
        threshold = self.inimask_threshold.get()
        if not statistics.minimum < threshold < statistics.maximum:
            return ['*Initial binarisation threshold*: %g, and the values of the map go from %.3g to %.3g, so the mask '
                    'would be %s. Choose a value between, for example %.3g (mean + 2.5 standard deviations).'
                    % (threshold, statistics.minimum, statistics.maximum,
                       'empty' if threshold >= statistics.maximum else 'the whole box',
                       statistics.mean + 2.5 * statistics.deviation)]
        return []

    def createOutputStep(self):
        source = self.inputVolume.get()
        mask = VolumeMask()
        mask.setFileName(self._getJobPath(files.MASK_FILES['mask']))
        mask.setSamplingRate(source.getSamplingRate())
        fraction = map_statistics(mask.getFileName()).mean
        if fraction == 0:
            raise ValueError('The mask is empty: no value of the low-pass filtered map is above %g. Lower the initial '
                             'binarisation threshold.' % self.inimask_threshold.get())
        self._defineOutputs(**{MaskOutputs.solventMask.name: mask})
        self._defineSourceRelation(self.inputVolume, mask)

    def _summaryLines(self):
        mask = self.solventMask
        box = mask.getDim()[0]
        rate = mask.getSamplingRate()
        statistics = map_statistics(mask.getFileName())
        return ['Mask of %d voxels, %.4g Å/pixel (%.0f Å).' % (box, rate, box * rate),
                'It encloses %.1f %% of the box (%.3g nm³).' % (100 * statistics.mean,
                                                              statistics.mean * (box * rate) ** 3 / 1000),
                'Threshold %g, low-pass filter %g Å.' % (self.inimask_threshold.get(), self.lowpass_filter.get()),
                'Extended by %d pixels, soft edge of %d pixels.' % (self.extend_inimask.get(),
                                                                    self.width_mask_edge.get())]

    def _methods(self):
        return ['A solvent mask was made in RELION from the map low-pass filtered to %g Å, binarised at %g, extended by '
                '%d pixels and given a soft edge of %d pixels.'
                % (self.lowpass_filter.get(), self.inimask_threshold.get(), self.extend_inimask.get(),
                   self.width_mask_edge.get())]
