"""Post-processing."""
from pwem.objects import SetOfFSCs, Volume
from pyworkflow.protocol import params

from ..convert.volumes import make_volume
from ..jobs import files
from ..jobs.postprocess import POSTPROCESS
from ..results.mask import read_mask
from ..results.postprocess import read_postprocess
from ..results.verdict import judge_mask
from ..star import StarError, read_star, require_columns
from . import maps
from .base import ProtStaBase
from .fscs import addFscSet

#: What post-processing makes (not an Enum: two outputs are of one class, which an Enum would take for one).
SHARPENED, MASKED, FSCS = 'sharpenedVolume', 'maskedVolume', 'fscs'

#: What the table of a detector's MTF must have.
MTF_COLUMNS = ['rlnResolutionInversePixel', 'rlnMtfValue']


class ProtStaPostProcess(ProtStaBase):
    """ Measure the resolution of a map under a mask and sharpen it.

    The FSC between the two unfiltered half maps is computed under the solvent mask and corrected for the mask's own
    effect by phase randomisation; the map is sharpened by a B-factor (yours, or estimated where the resolution is
    better than about 10 Å) and filtered to its resolution. Compare steps of a project under one and the same mask. The
    summary warns where the mask is too tight. With a calibrated pixel size, maps and curves carry it.
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
            errors = errors or self._checkMtf(volume)
        return errors or maps.checkMask('Solvent mask', self.solventMask.get(),
                                        maps.boxSize(volume), volume.getSamplingRate(), whose='the half maps')

    def _checkMtf(self, volume):
        """RELION divides by whatever it finds there."""
        label, path, pixel = 'MTF of the detector (STAR file)', self.fn_mtf.get(), self.mtf_angpix.get()
        errors = maps.checkFile(label, path)
        if errors:
            return errors
        try:
            block, table = next(iter(read_star(path).items()), ('', None))
            if table is None:
                raise StarError(path, 'it holds no table')
            require_columns(table, MTF_COLUMNS, path, block)
            if not (table[MTF_COLUMNS[1]].astype(float) > 0).all():
                errors = ['*%s*: %s has values of 0 or less, and the map is divided by them. Correct the file.'
                          % (label, path)]
        except ValueError as error:
            errors = ['*%s*: %s. Choose the STAR file of the MTF of your detector.' % (label, str(error).rstrip('.'))]
        if pixel > volume.getSamplingRate() * (1 + maps.CALIBRATION_TOLERANCE):
            errors.append('*Original detector pixel size*: %g Å, which is more than that of the map (%.4g Å): maps have the '
                          'pixel size of the movies times the binning. Give that of the movies as recorded.'
                          % (pixel, volume.getSamplingRate()))
        return errors

    def _inputWarnings(self):
        """RELION then leaves the map as it is, with a line in its log."""
        finest, lowest = 2 * self._getPixel(), self.autob_lowres.get()
        if not self.do_auto_bfac.get() or finest < lowest:
            return []
        return ['*Estimate B-factor automatically?*: Yes, and its fit starts at %g Å, which maps of %.4g Å/pixel (Nyquist '
                '%.4g Å) cannot reach: the map will not be sharpened. Choose No, and give a B-factor.'
                % (lowest, finest / 2, finest)]

    # ---------------------------------------------------------------- output
    def getResult(self):
        """What post-processing measured; StarError where there is no result."""
        return read_postprocess(self._getJobPath(files.POSTPROCESS_FILES['star']))

    def _getPixel(self):
        """Å per pixel of the outputs."""
        return self.angpix.get() if self.angpix.get() > 0 else self.inputVolume.get().getSamplingRate()

    def _getResultPaths(self):
        return [self._getJobPath(files.POSTPROCESS_FILES[role]) for role in ('map', 'masked', 'star')]

    def _makeOutputs(self):
        source, pixel = self.inputVolume.get(), self._getPixel()
        box = maps.boxSize(source)
        # The half maps keep their pixel size: with another one they are no longer those of this map
        halves = maps.halfMaps(source) if maps.samePixel(pixel, source.getSamplingRate()) else []
        sharpened = make_volume(self._getJobPath(files.POSTPROCESS_FILES['map']), pixel, halves, box=box)
        masked = make_volume(self._getJobPath(files.POSTPROCESS_FILES['masked']), pixel, box=box)
        fscs = addFscSet(self, self.getResult().fsc_curves())
        self._defineOutputs(**{SHARPENED: sharpened, MASKED: masked, FSCS: fscs})
        for text in findings(self.getResult()):
            self.warning(text)
        for output in (sharpened, masked, fscs):
            for pointer in (self.inputVolume, self.solventMask):
                self._defineSourceRelation(pointer, output)

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        result, mask = self.getResult(), self.solventMask.get()
        pixel = self.sharpenedVolume.getSamplingRate()
        lines = ['Resolution %.2f Å (FSC 0.143, %s). Nyquist at %.2f Å (%.4g Å/pixel%s).' % (
                     result.resolution, 'without mask' if result.mask_left_out else 'corrected for the mask', 2 * pixel,
                     pixel, ', calibrated' if self.angpix.get() > 0 else ''),
                 self._howSharpened(result) + '.']
        if mask is not None:
            lines.append('The mask encloses %.1f %% of the box%s.' % (
                100 * read_mask(maps.mapFile(mask)).fraction, '' if result.randomised_from is None
                else '; phases randomised beyond %.1f Å' % result.randomised_from))
        return lines + findings(result)

    def _howSharpened(self, result):
        if result.b_factor:
            text = 'Sharpened with a B-factor of %.0f Å²%s' % (
                result.b_factor, ' (fitted)' if self.do_auto_bfac.get() else '')
        elif self.do_auto_bfac.get():
            text = 'Not sharpened: no B-factor can be fitted from %g Å on' % self.autob_lowres.get()
        else:
            text = 'Not sharpened'
        if self.fn_mtf.get():
            text += '; corrected for the MTF (detector pixel %g Å)' % self.mtf_angpix.get()
        if not self.do_skip_fsc_weighting.get():
            return text + '; weighted by the FSC'
        lowest = self.low_pass.get()
        return text + ('; low-pass filtered to %g Å' % lowest if lowest > 0 else '; low-pass filtered to the resolution'
                       if lowest < 0 else '; not filtered')

    def _methodsLines(self):
        result = self.getResult()
        return ['The resolution under a soft solvent mask was %.2f Å (FSC = 0.143, corrected by phase randomisation)%s.'
                % (result.resolution, '; the map was sharpened in RELION with a B-factor of %.0f Å²' % result.b_factor
                   if result.b_factor else '')]

    def _moreCitations(self):
        return ['Chen2013']


def findings(result):
    """What may be wrong with the mask, in sentences."""
    return [one.text for one in judge_mask(result)]
