"""Import AreTomo3 results."""
import enum
import os
import shutil

import pyworkflow.utils as pwutils
from pwem.protocols import EMProtocol
from pyworkflow.constants import BETA
from pyworkflow.object import Integer
from pyworkflow.protocol import params
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries, SetOfTomograms
from tomo.protocols import ProtTomoBase

from ..constants import DEFOCUS_HAND
from ..convert.errors import ConvertError
from ..convert.series import append_record, append_tomogram, scipion_ts_id
from ..sources.aretomo3 import find_series, read_series
from ..sources.text import SourceError

HAND_CHOICES = {0: -1, 1: 1, 2: None}
FLIP_CHOICES = {0: None, 1: 0, 2: 1, 3: 2}
REPORT = 'import_report.txt'
#: series that validation reads to say early that a parameter is wrong for all of them
TRIED_EARLY = 2


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
                      help="The -FlipVol that the tomograms were made with. Only 1 has RELION's axes; other tomograms are "
                           "not imported (positions picked in them would be mirrored): reconstruct them with -FlipVol 1.")
        group = form.addGroup('What the files do not tell')
        for name, label, text in (
                ('pixelSize', 'Pixel size (Å)', 'Of the unbinned, motion-corrected tilt images (PixSize x McBin).'),
                ('voltage', 'Voltage (kV)', 'Acceleration voltage.'),
                ('sphericalAberration', 'Spherical aberration (mm)', 'Cs of the microscope.'),
                ('amplitudeContrast', 'Amplitude contrast', 'As a fraction, 0.07 to 0.1.'),
                ('dosePerImage', 'Dose per tilt image (e/Å²)', 'For _TLT.txt files without a dose.')):
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
        ctfs.setSetOfTiltSeries(series)
        pwutils.makePath(self._getExtraPath())
        lines, left_out, names = [], [], set()
        locations = find_series(self.filesPath.get())
        for number, location in enumerate(locations, start=1):
            try:
                notes = self._importOne(location, series, ctfs, tomograms, names)
            except (SourceError, ConvertError) as error:
                left_out.append(location.ts_id)
                notes = ['LEFT OUT: %s' % error]
            text = '%s: %s' % (location.ts_id, ' '.join(notes))
            lines.append(text)
            self.info('[%d/%d] %s' % (number, len(locations), text))
        report = self._getExtraPath(REPORT)
        with open(report + '.part', 'w') as handle:
            handle.write('\n'.join(lines) + '\n')
        os.replace(report + '.part', report)
        if len(left_out) == len(locations):
            raise ValueError('None of the %d tilt series could be imported. The first: %s' % (len(locations), lines[0]))
        self._register(series, ctfs, tomograms)

    def _importOne(self, location, series, ctfs, tomograms, names):
        """Import one series; returns what the user should know of it. names: tsIds that are taken."""
        record = read_series(location, **self._overrides())
        tsId = scipion_ts_id(record.ts_id)
        if tsId in names:
            raise ConvertError('another series of this import has the name %s in Scipion; rename one of them' % tsId)
        self._rememberHand(record, ctfs)
        stack, even, odd = (self._bring(path, tsId + suffix) for path, suffix in (
            (record.stack, ''), (record.even_stack, '_EVN'), (record.odd_stack, '_ODD')))
        append_record(record, series, ctfs, stack=stack, even=even, odd=odd)
        names.add(tsId)
        notes = ['%d images, %d excluded, tilt axis %.2f°.' % (record.n_raw, record.n_raw - record.n_aligned,
                                                              record.tilt_axis)] + list(record.warnings)
        if record.hand_reason:
            notes.append('Handedness %+d: %s' % (record.hand, record.hand_reason))
        notes += self._importTomogram(record, tsId, tomograms)
        return notes

    def _rememberHand(self, record, ctfs):
        """The set of CTFs carries the handedness to extraction; one set has one."""
        known = getattr(ctfs, DEFOCUS_HAND, None)
        if known is None:
            setattr(ctfs, DEFOCUS_HAND, Integer(record.hand))
        elif known.get() != record.hand:
            raise ConvertError('the files of this series suggest the handedness %+d (%s), those of the first series '
                               '%+d; import it in a run of its own' % (record.hand, record.hand_reason, known.get()))

    def _importTomogram(self, record, tsId, tomograms):
        if record.tomogram is None:
            return ['It has no tomogram.']
        if record.flip_vol != 1:
            return ["Its tomogram is not imported: it was made with FlipVol %s, and only FlipVol 1 has RELION's axes. "
                    "Reconstruct it with -FlipVol 1." % record.flip_vol]
        file, even, odd = (self._bring(path, tsId + suffix) for path, suffix in (
            (record.tomogram, '_Vol'), (record.even_tomogram, '_EVN_Vol'), (record.odd_tomogram, '_ODD_Vol')))
        append_tomogram(record, tomograms, file=file, even=even, odd=odd)
        return []

    def _bring(self, path, name):
        """Link or copy a file into the run; returns its path from the project's folder, or None for no file."""
        if path is None:
            return None
        target = self._getExtraPath(name + '.mrc')
        pwutils.cleanPath(target)
        if self.copyFiles.get():
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
        self._defineOutputs(**{ImportAreTomo3Outputs.tiltSeries.name: series})
        ctfs.setSetOfTiltSeries(self.tiltSeries)
        self._defineOutputs(**{name: output for name, output in outputs.items() if output is not series})

    # ----------------------------------------------------------------- checks
    def _validate(self):
        try:
            locations = find_series(self.filesPath.get() or '')
        except SourceError as error:
            return ['*Folder or pattern*: %s' % error]
        errors = []
        for location in locations[:TRIED_EARLY]:
            try:
                read_series(location, **self._overrides())
                return []
            except SourceError as error:
                errors.append('*Folder or pattern*: %s: %s' % (location.ts_id, error))
        return errors if len(errors) == len(locations) else []

    # ---------------------------------------------------------------- reports
    def _reportLines(self):
        path = self._getExtraPath(REPORT)
        if not os.path.exists(path):
            return []
        with open(path) as handle:
            return handle.read().splitlines()

    def _summary(self):
        if not self.isFinished():
            return ['Not finished.']
        lines = self._reportLines()
        left_out = [line for line in lines if 'LEFT OUT: ' in line]
        tomograms = getattr(self, ImportAreTomo3Outputs.tomograms.name, None)
        summary = ['%d of %d tilt series imported, %.4g Å/pixel.' % (len(lines) - len(left_out), len(lines),
                                                                    self.tiltSeries.getSamplingRate()),
                   '%d tomograms%s.' % (tomograms.getSize(), ', %.4g Å/voxel' % tomograms.getSamplingRate())
                   if tomograms is not None else 'No tomograms.']
        summary += left_out[:3]
        if len(left_out) > 3:
            summary.append('And %d more left out: see %s.' % (len(left_out) - 3, self._getExtraPath(REPORT)))
        summary.append('What was found in each series is in %s.' % self._getExtraPath(REPORT))
        return summary

    def _methods(self):
        if not self.isFinished():
            return []
        return ['%d tilt series aligned and reconstructed with AreTomo3 were imported.' % self.tiltSeries.getSize()]

    def _citations(self):
        return ['Peck2025']
