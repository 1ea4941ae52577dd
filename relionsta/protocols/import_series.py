"""What the imports of tilt series that other programs aligned have in common."""
import os
import shutil
from typing import List, NamedTuple

import pyworkflow.utils as pwutils
from pyworkflow.constants import BETA
from pyworkflow.protocol import params
from tomo.objects import SetOfTiltSeries

from ..convert.errors import ConvertError
from ..convert.series import check_ts_id, scipion_ts_id
from ..results.full_disk import is_disk_error
from ..sources.text import SourceError
from ..whole import whole
from .common import StaProtocol
from .form import emptyNumbers

REPORT = 'import_report.txt'
#: series that validation reads at most to say early that a parameter is wrong for all of them
TRIED_EARLY = 20
#: series with problems that a summary names
MOST_PROBLEMS = 3
#: parameter, label and help of what the files may not tell
OPTICS = (
    ('pixelSize', 'Pixel size (Å)', 'Of the unbinned tilt images that were aligned.'),
    ('voltage', 'Voltage (kV)', 'Acceleration voltage.'),
    ('sphericalAberration', 'Spherical aberration (mm)', 'Cs of the microscope.'),
    ('amplitudeContrast', 'Amplitude contrast', 'As a fraction, 0.07 to 0.1.'),
    ('dosePerImage', 'Dose per tilt image (e/Å²)', 'For files without a dose.'))


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


class ProtStaImportSeries(StaProtocol):
    """ Reads every series of a folder; what can be read becomes output, the rest is reported.

    A subclass says which program it was (_program), finds and reads its series (_find, _read), makes the sets
    (_newSets) and puts a series into them (_append).
    """

    _devStatus = BETA
    #: as people call it
    _program = ''
    #: help of the folder's parameter
    _folderHelp = ''

    def _defineParams(self, form):
        form.addSection(label='Import')
        form.addParam('filesPath', params.PathParam, important=True, label='Folder or pattern', help=self._folderHelp)
        form.addParam('copyFiles', params.BooleanParam, default=False, label='Copy files?',
                      help='No: the project links to the files, which must stay where they are.')
        self._defineOwnParams(form)
        group = form.addGroup('What the files do not tell')
        for name, label, text in OPTICS:
            group.addParam(name, params.FloatParam, allowsNull=True, default=None, label=label,
                           help='%s Empty: as the files say.' % text)

    def _defineOwnParams(self, form):
        """Parameters that only this program needs."""

    # ------------------------------------------------------------------ steps
    def _insertAllSteps(self):
        self._insertFunctionStep(self.importStep)

    def importStep(self):
        """Read every series; what can be read becomes output, the rest is reported."""
        outputs = self._newSets()
        found, reports = self._find(self.filesPath.get()), []
        for number, location in enumerate(found, start=1):
            try:
                reports.append(self._append(self._read(location), outputs))
            except (SourceError, ConvertError, OSError) as error:
                if is_disk_error(error):
                    raise  # nothing is wrong with the series, and the next ones do not fit either
                reports.append(SeriesReport(location.ts_id, left_out=str(error)))
            self.info('[%d/%d] %s' % (number, len(found), reports[-1].text()))
        self._writeReport(reports)
        if outputs['tiltSeries'].getSize() == 0:
            raise ValueError('None of the %d tilt series could be imported. %s' % (len(found), reports[0].text()))
        self._register({name: items for name, items in outputs.items() if items.getSize()})
        self.summaryVar.set('\n'.join(self._describe(reports, outputs)))

    def _newSets(self):
        """The sets, empty, under the names of their outputs."""
        return {'tiltSeries': SetOfTiltSeries.create(self._getPath(), template='tiltseries')}

    def _overrides(self):
        return dict(pixel_size=self.pixelSize.get(), voltage=self.voltage.get(), cs=self.sphericalAberration.get(),
                    amplitude_contrast=self.amplitudeContrast.get(), dose_per_image=self.dosePerImage.get())

    @staticmethod
    def _checkName(tsId, series):
        """Scipion's names must differ, and be such that RELION can work with them."""
        check_ts_id(tsId)
        if series.getSize() and tsId in series.getTSIds():
            raise ConvertError('another series of this import has the name %s in Scipion. Rename one of them.' % tsId)

    def _bring(self, path, name):
        """Link or copy a file into the run; returns its path from the project's folder, or None for no file."""
        if path is None:
            return None
        target = self._getExtraPath(name + '.mrc')
        pwutils.cleanPath(target)
        if self.copyFiles.get():
            with whole(target) as partial:
                shutil.copyfile(str(path), str(partial))
        else:
            pwutils.createAbsLink(os.path.abspath(str(path)), target)
        return target

    def _register(self, outputs):
        for output in outputs.values():
            output.write()
        self._defineOutputs(**outputs)
        series, *others = outputs.values()
        for output in others:
            self._defineSourceRelation(series, output)

    # ----------------------------------------------------------------- report
    def _writeReport(self, reports):
        """All that was found in each series, a line each."""
        pwutils.makePath(self._getExtraPath())
        with whole(self._getExtraPath(REPORT)) as partial:
            partial.write_text('\n'.join(report.text() for report in reports) + '\n')

    def _describe(self, reports, outputs):
        """The lines of the summary."""
        series = outputs['tiltSeries']
        lines = ['%d of %d tilt series imported, %.4g Å/pixel.' % (series.getSize(), len(reports),
                                                                  series.getSamplingRate())]
        missing = [report.problem() for report in reports if report.problem()]
        lines += missing[:MOST_PROBLEMS]
        if len(missing) > MOST_PROBLEMS:
            lines.append('And %d more with problems.' % (len(missing) - MOST_PROBLEMS))
        return lines + ['What was found in each series is in %s.' % self._getExtraPath(REPORT)]

    # ----------------------------------------------------------------- checks
    def _validate(self):
        if not self.filesPath.get():
            return ["*Folder or pattern*: empty. Give %s's output folder." % self._program]
        errors = emptyNumbers(self) or [
            ('*%s*: %g, and it must be above 0. Correct it, or leave it empty to take what the files say.'
             % (self.getParam(name).label.get(), getattr(self, name).get()))
            for name, _, _ in OPTICS if (getattr(self, name).get() or 1) <= 0]
        if errors:
            return errors
        try:
            locations = self._find(self.filesPath.get())
        except (SourceError, OSError) as error:
            return ['*Folder or pattern*: %s' % error]
        for location in locations[:TRIED_EARLY]:
            try:
                check_ts_id(scipion_ts_id(location.ts_id))
                self._read(location)
                return []
            except (SourceError, ConvertError, OSError) as error:
                errors.append('*Folder or pattern*: %s: %s' % (location.ts_id, error))
        return errors[:MOST_PROBLEMS] if len(errors) == len(locations) else []

    # ---------------------------------------------------------------- reports
    def _summary(self):
        if not self.isFinished():
            return ['Running.' if self.isActive() else 'No output yet.']
        return self.summaryVar.get('').splitlines()

    def _methods(self):
        if not self.isFinished() or not hasattr(self, 'tiltSeries'):
            return []
        return ['%d tilt series (%.4g Å/pixel) that had been aligned with %s were imported.'
                % (self.tiltSeries.getSize(), self.tiltSeries.getSamplingRate(), self._program)]
