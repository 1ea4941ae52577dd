"""Mask creation."""
import enum

from pwem.objects import VolumeMask
from pyworkflow.protocol import params

from ..convert.volumes import make_volume
from ..jobs import files
from ..jobs.mask import MASK
from ..results.maps import map_statistics
from . import maps
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
        return {'fn_in': maps.relionMap(self.inputVolume.get())}

    def _validateInputs(self):
        volume = self.inputVolume.get()
        return (maps.checkMap('Input map', volume) or maps.checkCalibration('Pixel size (A)', self.angpix.get(), volume)
                or self._checkThreshold(volume))

    def _checkThreshold(self, volume):
        values = map_statistics(maps.mapFile(volume))
        threshold = self.inimask_threshold.get()
        if values.minimum < threshold < values.maximum:
            return []
        return ['*Initial binarisation threshold*: %g, and the values of the map go from %.3g to %.3g, so the mask would '
                'be %s. Choose a value between, for example %.3g (mean + 2.5 standard deviations).'
                % (threshold, values.minimum, values.maximum,
                   'empty' if threshold >= values.maximum else 'the whole box', values.mean + 2.5 * values.deviation)]

    def _makeOutputs(self):
        source = self.inputVolume.get()
        pixel = self.angpix.get() if self.angpix.get() > 0 else source.getSamplingRate()
        mask = make_volume(self._getJobPath(files.MASK_FILES['mask']), pixel,
                           box=maps.boxSize(source), kind=VolumeMask)
        if map_statistics(mask.getFileName()).maximum <= 0:
            raise ValueError('The mask is empty: no value of the low-pass filtered map is above %g. Lower the initial '
                             'binarisation threshold.' % self.inimask_threshold.get())
        self._defineOutputs(**{MaskOutputs.solventMask.name: mask})
        self._defineSourceRelation(self.inputVolume, mask)

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        mask = self.solventMask
        box, rate = maps.boxSize(mask), mask.getSamplingRate()
        inside = map_statistics(mask.getFileName()).mean
        return ['Box %d pixels of %.4g Å (%.0f Å).' % (box, rate, box * rate),
                'The mask encloses %.1f %% of the box (%.3g nm³).' % (100 * inside, inside * (box * rate / 10) ** 3),
                'Threshold %g, %s.' % (self.inimask_threshold.get(), self._filter()),
                'Extended by %d pixels, soft edge of %d pixels.' % (self.extend_inimask.get(),
                                                                    self.width_mask_edge.get())]

    def _filter(self):
        resolution = self.lowpass_filter.get()
        return 'map low-pass filtered to %g Å' % resolution if resolution > 0 else 'map not filtered'

    def _methodsLines(self):
        return ['A solvent mask was made in RELION (%s, binarised at %g, extended by %d pixels, with a soft edge of %d '
                'pixels).' % (self._filter(), self.inimask_threshold.get(), self.extend_inimask.get(),
                              self.width_mask_edge.get())]
