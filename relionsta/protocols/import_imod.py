"""Import IMOD (eTomo) results."""
import enum

from tomo.objects import SetOfTiltSeries

from ..convert.series import append_record, scipion_ts_id
from ..sources.imod import find_etomo_series, read_etomo_series
from .import_series import ProtStaImportSeries, SeriesReport


class ImportImodOutputs(enum.Enum):
    """What the import makes."""

    tiltSeries = SetOfTiltSeries


class ProtStaImportImod(ProtStaImportSeries):
    """ Import tilt series that were aligned with IMOD's eTomo: the raw images with their alignment, doses and order.

    Reads the raw stack, .xf and .tlt of every series, the .mdoc (or a _TLT.txt: a line per image with tilt angle,
    acquisition number and dose), and the views that tilt.com and align.com exclude. The pixel size comes from the stack,
    the voltage from the .mdoc; Cs and amplitude contrast must be given. Estimate the CTF in Scipion afterwards, and
    reconstruct tomograms from the imported series: those of eTomo are turned, trimmed and shifted in ways that its
    folder does not tell, so picks made in them would not fit. Local alignments and stretch are not carried over (RELION
    has no place for them). A series that cannot be read is reported and left out; the others are imported.
    """

    _label = 'Import IMOD (eTomo) results'
    _possibleOutputs = ImportImodOutputs
    _program = 'IMOD'
    _folderHelp = ("eTomo's folder, the folder above one folder per tilt series, or a pattern with * and ? over folders or "
                   "files, for example /data/etomo/TS_* or /data/etomo/TS_0*/TS_0*.xf.")

    @staticmethod
    def _find(path):
        return find_etomo_series(path)

    def _read(self, location):
        return read_etomo_series(location, **self._overrides())

    def _append(self, record, outputs):
        """Import one series; returns what the user should know of it."""
        tsId = scipion_ts_id(record.ts_id)
        self._checkName(tsId, outputs['tiltSeries'])
        append_record(record, outputs['tiltSeries'], stack=self._bring(record.stack, tsId))
        return SeriesReport(tsId, notes=['%d images, %d excluded, tilt axis %.2f°.' % (
            record.n_raw, record.n_raw - record.n_aligned, record.tilt_axis), *record.warnings])

    def _citations(self):
        return ['Kremer1996']
