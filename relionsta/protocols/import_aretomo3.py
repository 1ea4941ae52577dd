"""Import AreTomo3 results."""
import enum
import os
import shutil
from pathlib import Path
from typing import List, NamedTuple

import pyworkflow.utils as pwutils
from pwem.protocols import EMProtocol
from pyworkflow.constants import BETA
from pyworkflow.object import Integer, Pointer
from pyworkflow.protocol import params
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries, SetOfTomograms
from tomo.protocols import ProtTomoBase

from ..constants import DEFOCUS_HAND
from ..convert.errors import ConvertError
from ..convert.series import append_record, append_tomogram, scipion_ts_id
from ..sources.aretomo3 import find_series, read_series
from ..sources.text import SourceError
from ..sources.turn import write_in_relion_axes

HAND_CHOICES = {0: -1, 1: 1, 2: None}
FLIP_CHOICES = {0: None, 1: 0, 2: 1, 3: 2}
REPORT = 'import_report.txt'
#: series that validation reads at most to say early that a parameter is wrong for all of them
TRIED_EARLY = 20
#: series with problems that a summary names
MOST_PROBLEMS = 3
#: parameter, label and help of what AreTomo3's files may not tell
OPTICS = (
    ('pixelSize', 'Pixel size (Å)', 'Of the unbinned, motion-corrected tilt images (PixSize x McBin).'),
    ('voltage', 'Voltage (kV)', 'Acceleration voltage.'),
    ('sphericalAberration', 'Spherical aberration (mm)', 'Cs of the microscope.'),
    ('amplitudeContrast', 'Amplitude contrast', 'As a fraction, 0.07 to 0.1.'),
    ('dosePerImage', 'Dose per tilt image (e/Å²)', 'For _TLT.txt files without a dose.'))


class SeriesReport(NamedTuple):
    """What became of a series. left_out: why it was not imported; tomogram: why its tomogram was not; '' if it was."""

    tsId: str
    left_out: str = ''
    tomogram: str = ''
    notes: List[str] = []

    def problem(self) -> str:
        """One line on what is missing; '' if nothing is."""
        if self.left_out:
            return '%s was left out: %s' % (self.tsId, self.left_out)
        return '%s has no tomogram here: %s' % (self.tsId, self.tomogram) if self.tomogram else ''

    def text(self) -> str:
        """One line with all that is known."""
        return ' '.join([self.problem() or '%s:' % self.tsId, *self.notes])


class ImportAreTomo3Outputs(enum.Enum):
    """What the import makes."""

    tiltSeries = SetOfTiltSeries
    ctfs = SetOfCTFTomoSeries
    tomograms = SetOfTomograms


class ProtStaImportAreTomo3(EMProtocol, ProtTomoBase):
    """ Import what AreTomo3 left in a folder: tilt series with their alignment, CTFs and tomograms.

    Reads .aln, _CTF.txt, _TLT.txt and AreTomo3_Session.json of every series, of any version of AreTomo. Dark images are
    kept as excluded views, doses follow the true acquisition order, and tilt shifts, axes and phase shifts arrive in
    Scipion's units. Local alignments are not carried over (RELION has no place for them). A series that cannot be read
    is reported and left out; the others are imported.
    """

    _label = 'Import AreTomo3 results'
    _devStatus = BETA
    _possibleOutputs = ImportAreTomo3Outputs

    def _defineParams(self, form):
        form.addSection(label='Import')
        form.addParam('filesPath', params.PathParam, important=True, label='Folder or pattern',
                      help="AreTomo3's output folder (-OutDir), or a pattern with * and ? over folders or files, for "
                           "example /data/session*/aretomo or /data/aretomo/TS_0*.aln.")
        form.addParam('copyFiles', params.BooleanParam, default=False, label='Copy files?',
                      help='No: the project links to the images and tomograms, which must stay where they are.')
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
        group = form.addGroup('What the files do not tell')
        for name, label, text in OPTICS:
            group.addParam(name, params.FloatParam, allowsNull=True, default=None, label=label,
                           help=text + " Empty: as AreTomo3's files say.")

    # ------------------------------------------------------------------ steps
    def _insertAllSteps(self):
        self._insertFunctionStep(self.importStep)

    def importStep(self):
        """Read every series; what can be read becomes output, the rest is reported."""
        series = SetOfTiltSeries.create(self._getPath(), template='tiltseries')
        ctfs = SetOfCTFTomoSeries.create(self._getPath(), template='ctftomoseries')
        tomograms = SetOfTomograms.create(self._getPath(), template='tomograms')
        ctfs.setSetOfTiltSeries(Pointer(self, extended=ImportAreTomo3Outputs.tiltSeries.name))
        found, reports = find_series(self.filesPath.get()), []
        for number, location in enumerate(found, start=1):
            try:
                reports.append(self._importOne(location, series, ctfs, tomograms))
            except (SourceError, ConvertError, OSError) as error:
                reports.append(SeriesReport(location.ts_id, left_out=str(error)))
            self.info('[%d/%d] %s' % (number, len(found), reports[-1].text()))
        self._writeReport(reports)
        if series.getSize() == 0:
            raise ValueError('None of the %d tilt series could be imported. %s' % (len(found), reports[0].text()))
        self._register(series, ctfs, tomograms)
        self.summaryVar.set('\n'.join(self._describe(reports, series, tomograms)))

    def _importOne(self, location, series, ctfs, tomograms):
        """Import one series; returns what the user should know of it."""
        record = read_series(location, **self._overrides())
        tsId = scipion_ts_id(record.ts_id)
        self._checkFits(record, tsId, series, ctfs)
        stack, even, odd = (self._bring(path, tsId + suffix) for path, suffix in (
            (record.stack, ''), (record.even_stack, '_EVN'), (record.odd_stack, '_ODD')))
        append_record(record, series, ctfs, stack=stack, even=even, odd=odd)
        setattr(ctfs, DEFOCUS_HAND, Integer(record.hand))
        notes = ['%d images, %d excluded, tilt axis %.2f°, handedness %+d (%s).' % (
            record.n_raw, record.n_raw - record.n_aligned, record.tilt_axis, record.hand,
            record.hand_reason.rstrip('.'))]
        return SeriesReport(tsId, tomogram=self._importTomogram(record, tsId, tomograms),
                            notes=notes + list(record.warnings))

    @staticmethod
    def _checkFits(record, tsId, series, ctfs):
        """Scipion's names must differ, and one set of CTFs has one handedness."""
        if series.getSize() and tsId in series.getTSIds():
            raise ConvertError('another series of this import has the name %s in Scipion. Rename one of them.' % tsId)
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
            file, even, odd = (self._bring(path, tsId + suffix, record.flip_vol) for path, suffix in (
                (record.tomogram, '_Vol'), (record.even_tomogram, '_EVN_Vol'), (record.odd_tomogram, '_ODD_Vol')))
            append_tomogram(record, tomograms, file=file, even=even, odd=odd)
        except (ConvertError, SourceError) as error:
            return str(error)
        return ''

    def _bring(self, path, name, flipVol=1):
        """Link or copy a file into the run; returns its path from the project's folder, or None for no file.

        A tomogram with other axes than RELION's (FlipVol 0 and 2) is always copied, and turned on the way.
        """
        if path is None:
            return None
        target = self._getExtraPath(name + '.mrc')
        pwutils.cleanPath(target)
        if flipVol != 1:
            write_in_relion_axes(Path(path), flipVol, Path(target))
        elif self.copyFiles.get():
            shutil.copyfile(str(path), target + '.part')
            os.replace(target + '.part', target)
        else:
            pwutils.createAbsLink(os.path.abspath(str(path)), target)
        return target

    def _overrides(self):
        return dict(pixel_size=self.pixelSize.get(), voltage=self.voltage.get(), cs=self.sphericalAberration.get(),
                    amplitude_contrast=self.amplitudeContrast.get(), dose_per_image=self.dosePerImage.get(),
                    flip_vol=FLIP_CHOICES[self.flipVol.get()], hand=HAND_CHOICES[self.hand.get()])

    def _register(self, series, ctfs, tomograms):
        outputs = {ImportAreTomo3Outputs.tiltSeries.name: series, ImportAreTomo3Outputs.ctfs.name: ctfs}
        if tomograms.getSize():
            outputs[ImportAreTomo3Outputs.tomograms.name] = tomograms
        for output in outputs.values():
            output.write()
        self._defineOutputs(**outputs)
        for output in list(outputs.values())[1:]:
            self._defineSourceRelation(series, output)

    # ----------------------------------------------------------------- report
    def _writeReport(self, reports):
        """All that was found in each series, a line each."""
        pwutils.makePath(self._getExtraPath())
        path = self._getExtraPath(REPORT)
        with open(path + '.part', 'w') as handle:
            handle.write('\n'.join(report.text() for report in reports) + '\n')
        os.replace(path + '.part', path)

    def _describe(self, reports, series, tomograms):
        """The lines of the summary."""
        lines = ['%d of %d tilt series imported, %.4g Å/pixel.' % (series.getSize(), len(reports),
                                                                  series.getSamplingRate()),
                 '%d tomograms, %.4g Å/voxel.' % (tomograms.getSize(), tomograms.getSamplingRate())
                 if tomograms.getSize() else 'No tomograms.']
        missing = [report.problem() for report in reports if report.problem()]
        lines += missing[:MOST_PROBLEMS]
        if len(missing) > MOST_PROBLEMS:
            lines.append('And %d more with problems.' % (len(missing) - MOST_PROBLEMS))
        return lines + ['What was found in each series is in %s.' % self._getExtraPath(REPORT)]

    # ----------------------------------------------------------------- checks
    def _validate(self):
        if not self.filesPath.get():
            return ["*Folder or pattern*: empty. Give AreTomo3's output folder."]
        errors = [('*%s*: %g, and it must be above 0. Correct it, or leave it empty to take what the files say.'
                   % (self.getParam(name).label.get(), getattr(self, name).get()))
                  for name, _, _ in OPTICS if (getattr(self, name).get() or 1) <= 0]
        if errors:
            return errors
        try:
            locations = find_series(self.filesPath.get())
        except SourceError as error:
            return ['*Folder or pattern*: %s' % error]
        for location in locations[:TRIED_EARLY]:
            try:
                read_series(location, **self._overrides())
                return []
            except SourceError as error:
                errors.append('*Folder or pattern*: %s: %s' % (location.ts_id, error))
        return errors[:MOST_PROBLEMS] if len(errors) == len(locations) else []

    # ---------------------------------------------------------------- reports
    def _summary(self):
        if not self.isFinished():
            return ['Running.' if self.isActive() else 'No output yet.']
        return self.summaryVar.get('').splitlines()

    def _methods(self):
        if not self.isFinished() or not hasattr(self, ImportAreTomo3Outputs.tiltSeries.name):
            return []
        return ['%d tilt series (%.4g Å/pixel) that had been aligned with AreTomo3 were imported.'
                % (self.tiltSeries.getSize(), self.tiltSeries.getSamplingRate())]

    def _citations(self):
        return ['Peck2025']
