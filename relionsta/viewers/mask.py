"""Analyze Results of mask creation."""
import os

from pyworkflow.protocol import params

from ..figures.mask import mask_figure
from ..jobs import files
from ..protocols import maps
from ..protocols.mask import ProtStaMask
from ..results.maps import central_slices, check_values, read_map
from ..results.threshold import low_pass
from .base import ProtStaViewer


class ProtStaMaskViewer(ProtStaViewer):
    """The mask on the map: does it hold all of the particle, and why was this threshold taken?"""

    _label = 'viewer mask creation'
    _targets = [ProtStaMask]
    _overview = 'showMask'

    def _defineParams(self, form):
        form.addSection(label='Results')
        form.addParam('showMask', params.LabelParam, label='Mask on the map, and the threshold',
                      help='Central slices with the outline of the mask; the histogram of the filtered map.')
        if self.protocol.usedWith.get() is not None:
            form.addParam('showUsedWith', params.LabelParam, label='Mask on the map that it will be used with',
                          help='Central slices of that map with the outline of the mask.')
        self._addWalkParam(form)
        self._addVolumesParam(form)

    def _getShows(self):
        return {'showMask': self._showMask, 'showUsedWith': self._showUsedWith, 'showWalk': self._showWalk,
                'showVolumes': self._showVolumes}

    def _showMask(self):
        source = self.protocol.inputVolume.get()
        if self.protocol.do_denovo.get() or source is None:
            return self._showOn(self.protocol.usedWith.get())
        pixel = self.protocol.angpix.get() if self.protocol.angpix.get() > 0 else source.getSamplingRate()
        filtered = low_pass(read_map(maps.mapFile(source)), pixel, self.protocol.lowpass_filter.get())
        return self._showOn(source, filtered, self.protocol.usedThreshold.get(self.protocol.inimask_threshold.get()))

    def _showUsedWith(self):
        return self._showOn(self.protocol.usedWith.get())

    def _showOn(self, volume, *histogram):
        """The mask on a map; on itself where there is none."""
        check_values(self._getMask())
        mask = central_slices(self._getMask())
        background = mask if volume is None else central_slices(maps.mapFile(volume))
        return [self._figure(mask_figure(background, mask, *histogram, title='Mask on %s' % (
            'its own' if volume is None else os.path.basename(maps.mapFile(volume)))), 'mask')]

    def _showWalk(self):
        source = self.protocol.inputVolume.get()
        mask = {'mask': self._getMask()}
        return self._walk(mask if source is None else {'map': maps.mapFile(source), **mask}, mask,
                          None if source is None else self.protocol.usedThreshold.get(
                              self.protocol.inimask_threshold.get()))

    def _showVolumes(self):
        shown = {'Mask': self._getMask()}
        source = self.protocol.inputVolume.get()
        if source is not None:
            shown['Map'] = maps.mapFile(source)
        return self._volumes(shown)

    def _getMask(self):
        path = self.protocol._getJobPath(files.MASK_FILES['mask'])
        if not os.path.exists(path):
            raise self._nothing('There is no mask in %s.' % path)
        self.protocol.checkMade()
        return path
