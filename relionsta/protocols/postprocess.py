"""Post-processing."""
from pwem.objects import SetOfFSCs, Volume
from pyworkflow.protocol import params

from ..convert.volumes import make_volume
from ..jobs import files
from ..jobs.postprocess import POSTPROCESS
from ..results.maps import map_statistics
from ..results.postprocess import read_postprocess
from . import maps
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
    def _inputValues(self):
        return {'fn_in': maps.firstHalf(self.inputVolume.get(), self._getInputPath()),
                'fn_mask': maps.relionMap(self.solventMask.get())}

    def _writeInputs(self):
        maps.linkHalves(self.inputVolume.get(), self._getInputPath())

    def _validateInputs(self):
        volume = self.inputVolume.get()
        errors = (maps.checkMap('Map with half maps', volume) or maps.checkHalfMaps('Map with half maps', volume)
                  or maps.checkCalibration('Calibrated pixel size (A)', self.angpix.get(), volume))
        if self.fn_mtf.get():
            errors += maps.checkFile('MTF of the detector (STAR file)', self.fn_mtf.get())
        return errors or maps.checkMask('Solvent mask', self.solventMask.get(),
                                        maps.boxSize(volume), volume.getSamplingRate(), whose='the half maps')

    # ---------------------------------------------------------------- output
    def getResult(self):
        """What post-processing measured; StarError where there is no result."""
        return read_postprocess(self._getJobPath(files.POSTPROCESS_FILES['star']))

    def _makeOutputs(self):
        source = self.inputVolume.get()
        pixel = self.angpix.get() if self.angpix.get() > 0 else source.getSamplingRate()
        box = maps.boxSize(source)
        sharpened = make_volume(self._getJobPath(files.POSTPROCESS_FILES['map']), pixel, maps.halfMaps(source), box=box)
        masked = make_volume(self._getJobPath(files.POSTPROCESS_FILES['masked']), pixel, box=box)
        fscs = addFscSet(self, self.getResult().fsc_curves())
        self._defineOutputs(**{SHARPENED: sharpened, MASKED: masked, FSCS: fscs})
        for output in (sharpened, masked, fscs):
            for pointer in (self.inputVolume, self.solventMask):
                self._defineSourceRelation(pointer, output)

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        result = self.getResult()
        pixel = self.sharpenedVolume.getSamplingRate()
        mask = self.solventMask.get()
        lines = ['Resolution %.2f Å (FSC 0.143, corrected for the mask).' % result.resolution,
                 'Nyquist at %.2f Å (%.4g Å/pixel).' % (2 * pixel, pixel),
                 'Sharpened with a B-factor of %.0f Å².' % result.b_factor if result.b_factor else 'Not sharpened.']
        if mask is not None:
            lines.append('The mask encloses %.1f %% of the box%s.' % (
                100 * map_statistics(maps.mapFile(mask)).mean, '' if result.randomised_from is None
                else '; phases randomised beyond %.1f Å' % result.randomised_from))
        return lines

    def _methodsLines(self):
        result = self.getResult()
        return ['The resolution under a soft solvent mask was %.2f Å (FSC = 0.143, corrected by phase randomisation)%s.'
                % (result.resolution, '; the map was sharpened in RELION with a B-factor of %.0f Å²' % result.b_factor
                   if result.b_factor else '')]

    def _moreCitations(self):
        return ['Chen2013']
