"""Post-processing."""
import os

import pyworkflow.utils as pwutils
from pwem.objects import SetOfFSCs, Volume
from pyworkflow.protocol import params

from ..convert.volumes import make_volume
from ..jobs import files
from ..jobs.postprocess import POSTPROCESS
from ..results.postprocess import read_postprocess
from . import checks
from .base import ProtStaBase
from .fscs import addFscSet

#: What post-processing makes (not an Enum: two outputs are of one class, which an Enum would take for one).
SHARPENED, MASKED, FSCS = 'sharpenedVolume', 'maskedVolume', 'fscs'


class ProtStaPostProcess(ProtStaBase):
    """ Measure the resolution of a map under a mask and sharpen it.

    The FSC between the two unfiltered half maps is computed under the solvent mask and corrected for the mask's own
    effect by phase randomisation; the map is sharpened by a B-factor (yours, or estimated where the resolution is
    better than about 10 Å) and filtered to its resolution. Compare steps of a project under one and the same mask.
    """

    _label = 'Post-processing'
    _possibleOutputs = {SHARPENED: Volume, MASKED: Volume, FSCS: SetOfFSCs}
    _job = POSTPROCESS
    _filledIn = ('fn_in', 'fn_mask')

    def _defineInputParams(self, form):
        form.addParam('inputVolume', params.PointerParam, pointerClass='Volume', important=True,
                      label='Map with half maps',
                      help='The map of a 3D auto-refine or of a Reconstruct particle; its unfiltered half maps are used.')
        form.addParam('solventMask', params.PointerParam, pointerClass='VolumeMask', important=True,
                      label='Solvent mask', help='A mask with the same box and pixel size as the half maps.')

    # ------------------------------------------------------------------ input
    def _halfMaps(self):
        volume = self.inputVolume.get()
        return [] if volume is None else [name for name in (volume.getHalfMaps() or '').split(',') if name]

    def _inputValues(self):
        halves = self._halfMaps()
        mask = self.solventMask.get()
        first = halves[0] if halves else ''
        if len(halves) == 2 and not files.is_half_pair(*halves):
            first = self._getInputPath('half1.mrc')
        return {'fn_in': first, 'fn_mask': mask.getFileName() if mask else ''}

    def convertInputStep(self):
        """RELION finds the second half map by name: maps of other names get names that it understands."""
        halves = self._halfMaps()
        if files.is_half_pair(*halves):
            return
        pwutils.makePath(self._getInputPath())
        for number, half in enumerate(halves, start=1):
            pwutils.createAbsLink(os.path.abspath(half), self._getInputPath('half%d.mrc' % number))

    def _validateInputs(self):
        volume, mask = self.inputVolume.get(), self.solventMask.get()
        errors = checks.checkMap('Map with half maps', volume) or checks.checkHalfMaps('Map with half maps', volume)
        if errors:
            return errors
        box = volume.getDim()[0]
        errors += checks.checkMap('Solvent mask', mask, box=box, pixel=volume.getSamplingRate(), whose='the half maps')
        given = self.angpix.get()
        if given > 0 and abs(given / volume.getSamplingRate() - 1) > 0.1:
            errors.append('*Calibrated pixel size*: %g Å, and the map has %.4g Å. A calibration changes a pixel size by '
                          'a few per cent: give the pixel size of this map (-1 takes it from the file).'
                          % (given, volume.getSamplingRate()))
        return errors

    # ---------------------------------------------------------------- output
    def createOutputStep(self):
        source = self.inputVolume.get()
        result = read_postprocess(self._getJobPath(files.POSTPROCESS_FILES['star']))
        pixel = self.angpix.get() if self.angpix.get() > 0 else source.getSamplingRate()
        sharpened = make_volume(self._getJobPath(files.POSTPROCESS_FILES['map']), pixel, self._halfMaps())
        masked = make_volume(self._getJobPath(files.POSTPROCESS_FILES['masked']), pixel)
        fscs = addFscSet(self, result.fsc_curves())
        self._defineOutputs(**{SHARPENED: sharpened, MASKED: masked, FSCS: fscs})
        for output in (sharpened, masked, fscs):
            self._defineSourceRelation(self.inputVolume, output)

    def getResult(self):
        """What post-processing measured, or None before it has finished."""
        path = self._getJobPath(files.POSTPROCESS_FILES['star'])
        return read_postprocess(path) if os.path.exists(path) else None

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        result = self.getResult()
        pixel = self.sharpenedVolume.getSamplingRate()
        lines = ['Resolution %.2f Å (FSC 0.143, corrected for the mask).' % result.resolution,
                 'Nyquist at %.2f Å (%.4g Å/pixel).' % (2 * pixel, pixel)]
        if result.b_factor is not None:
            lines.append('Sharpened with a B-factor of %.0f Å².' % result.b_factor)
        if result.mask_fraction is not None:
            lines.append('The mask holds %.1f %% of the box; phases randomised beyond %.1f Å.'
                         % (100 * result.mask_fraction, result.randomised_from))
        return lines

    def _methods(self):
        if not self.isFinished():
            return []
        result = self.getResult()
        return ['The resolution under a soft solvent mask was %.2f Å (FSC = 0.143, corrected by phase randomisation); '
                'the map was sharpened in RELION with a B-factor of %.0f Å².' % (result.resolution, result.b_factor or 0)]

    def _moreCitations(self):
        return ['Chen2013']
