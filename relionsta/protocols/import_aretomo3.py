"""Import AreTomo3 results."""
import enum
from pathlib import Path

import pyworkflow.utils as pwutils
from pyworkflow.object import Integer, Pointer
from pyworkflow.protocol import params
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries, SetOfTomograms

from ..constants import DEFOCUS_HAND
from ..convert.errors import ConvertError
from ..convert.series import append_record, append_tomogram, scipion_ts_id
from ..results.full_disk import is_disk_error
from ..sources.aretomo3 import find_series, read_series
from ..sources.text import SourceError
from ..sources.turn import write_in_relion_axes
from .import_series import ProtStaImportSeries, SeriesReport

HAND_CHOICES = {0: -1, 1: 1, 2: None}
FLIP_CHOICES = {0: None, 1: 0, 2: 1, 3: 2}


class ImportAreTomo3Outputs(enum.Enum):
    """What the import makes."""

    tiltSeries = SetOfTiltSeries
    ctfs = SetOfCTFTomoSeries
    tomograms = SetOfTomograms


class ProtStaImportAreTomo3(ProtStaImportSeries):
    """ Import what AreTomo3 left in a folder: tilt series with their alignment, CTFs and tomograms.

    Reads .aln, _CTF.txt, _TLT.txt and AreTomo3_Session.json of every series, of any version of AreTomo. Dark images are
    kept as excluded views, doses follow the true acquisition order, and tilt shifts, axes and phase shifts arrive in
    Scipion's units. Local alignments are not carried over (RELION has no place for them). A series that cannot be read
    is reported and left out; the others are imported.
    """

    _label = 'Import AreTomo3 results'
    _possibleOutputs = ImportAreTomo3Outputs
    _program = 'AreTomo3'
    _folderHelp = ("AreTomo3's output folder (-OutDir), or a pattern with * and ? over folders or files, for example "
                   "/data/session*/aretomo or /data/aretomo/TS_0*.aln.")

    def _defineOwnParams(self, form):
        form.addParam('hand', params.EnumParam, choices=['-1', '+1', "as AreTomo3's files suggest"], default=0,
                      display=params.EnumParam.DISPLAY_COMBO, label='Handedness of defocus',
                      help='rlnTomoHand for RELION. AreTomo3 turns its tilt axis so that -1 is right, unless it was told '
                           'not to. A wrong value costs resolution and shows as CTF-refined defocus that drifts across '
                           'the field.')
        form.addParam('flipVol', params.EnumParam, choices=['as in AreTomo3_Session.json', '0', '1', '2'], default=0,
                      display=params.EnumParam.DISPLAY_COMBO, label='FlipVol of the tomograms',
                      help="The -FlipVol that the tomograms were made with. Only 1 has RELION's axes; others are copied "
                           "and turned, which takes their size on disk. Positions picked in the file that AreTomo3 wrote "
                           "do not fit the turned tomogram: pick in the imported one.")

    # ------------------------------------------------------------------ steps
    def _newSets(self):
        sets = super()._newSets()
        sets['ctfs'] = SetOfCTFTomoSeries.create(self._getPath(), template='ctftomoseries')
        sets['ctfs'].setSetOfTiltSeries(Pointer(self, extended=ImportAreTomo3Outputs.tiltSeries.name))
        sets['tomograms'] = SetOfTomograms.create(self._getPath(), template='tomograms')
        return sets

    @staticmethod
    def _find(path):
        return find_series(path)

    def _read(self, location):
        return read_series(location, flip_vol=FLIP_CHOICES[self.flipVol.get()], hand=HAND_CHOICES[self.hand.get()],
                           **self._overrides())

    def _append(self, record, outputs):
        """Import one series; returns what the user should know of it."""
        series, ctfs = outputs['tiltSeries'], outputs['ctfs']
        tsId = scipion_ts_id(record.ts_id)
        self._checkName(tsId, series)
        self._checkHand(record, ctfs)
        stack, even, odd = (self._bring(path, tsId + suffix) for path, suffix in (
            (record.stack, ''), (record.even_stack, '_EVN'), (record.odd_stack, '_ODD')))
        append_record(record, series, ctfs, stack=stack, even=even, odd=odd)
        setattr(ctfs, DEFOCUS_HAND, Integer(record.hand))
        notes = ['%d images, %d excluded, tilt axis %.2f°, handedness %+d (%s).' % (
            record.n_raw, record.n_raw - record.n_aligned, record.tilt_axis, record.hand,
            record.hand_reason.rstrip('.'))]
        return SeriesReport(tsId, tomogram=self._importTomogram(record, tsId, outputs['tomograms']),
                            notes=notes + list(record.warnings))

    @staticmethod
    def _checkHand(record, ctfs):
        """One set of CTFs has one handedness."""
        known = getattr(ctfs, DEFOCUS_HAND, None)
        if known is not None and known.get() != record.hand:
            raise ConvertError('its files suggest the handedness %+d (%s), those of the first series %+d. Import it in a '
                               'run of its own, or choose the handedness.'
                               % (record.hand, record.hand_reason.rstrip('.'), known.get()))

    def _importTomogram(self, record, tsId, tomograms):
        """Import the tomogram of a series; returns why not, or '' where it was imported."""
        if record.tomogram is None:
            return 'AreTomo3 left none.'
        try:
            file, even, odd = (self._bringVolume(path, tsId + suffix, record.flip_vol) for path, suffix in (
                (record.tomogram, '_Vol'), (record.even_tomogram, '_EVN_Vol'), (record.odd_tomogram, '_ODD_Vol')))
            append_tomogram(record, tomograms, file=file, even=even, odd=odd)
        except (ConvertError, SourceError) as error:
            if is_disk_error(error):
                raise
            return str(error)
        return ''

    def _bringVolume(self, path, name, flipVol):
        """As _bring; a tomogram with other axes than RELION's (FlipVol 0 and 2) is always copied, turned on the way."""
        if path is None or flipVol == 1:
            return self._bring(path, name)
        target = self._getExtraPath(name + '.mrc')
        pwutils.cleanPath(target)
        write_in_relion_axes(Path(path), flipVol, Path(target))
        return target

    # ---------------------------------------------------------------- reports
    def _describe(self, reports, outputs):
        lines = super()._describe(reports, outputs)
        tomograms = outputs['tomograms']
        lines.insert(1, '%d tomograms, %.4g Å/voxel.' % (tomograms.getSize(), tomograms.getSamplingRate())
                     if tomograms.getSize() else 'No tomograms.')
        return lines

    def _citations(self):
        return ['Peck2025']
