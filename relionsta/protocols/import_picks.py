"""Import picks."""
import enum

from pwem.protocols import EMProtocol
from pyworkflow.constants import BETA
from pyworkflow.protocol import params
from tomo.objects import SetOfCoordinates3D
from tomo.protocols import ProtTomoBase

from ..convert.errors import ConvertError
from ..convert.picks import append_picks, count_outside
from ..sources.picks import UNBINNED, VOXEL, match_tomogram, read_picks
from ..sources.text import SourceError
from . import checks

MEANINGS = {0: None, 1: VOXEL, 2: UNBINNED}
#: More picks than this fraction outside of their tomograms is no accident but a wrong pixel size or file.
OUTSIDE_TOLERANCE = 0.01


class ImportPicksOutputs(enum.Enum):
    """What the import makes."""

    outputCoordinates = SetOfCoordinates3D


class ProtStaImportPicks(EMProtocol, ProtTomoBase):
    """ Import picked particles with their orientations and scores.

    Reads the STAR files of pytom-match-pick (one per tomogram, or all in one, with or without --relion5-compat) and
    particles.star files of RELION 5, and ties them to tomograms by name: decorations such as rec_, _Vol or .mrc do not
    matter. Picks of tomograms that are not in the set are left out and named.
    """

    _label = 'Import picks'
    _devStatus = BETA
    _possibleOutputs = ImportPicksOutputs

    def _defineParams(self, form):
        form.addSection(label='Import')
        form.addParam('filesPath', params.PathParam, important=True, label='STAR file, folder or pattern',
                      help='A STAR file with picks, a folder of such files, or a pattern with * and ?.')
        form.addParam('inputTomograms', params.PointerParam, pointerClass='SetOfTomograms', important=True,
                      label='Tomograms', help='The tomograms that the picks belong to; they are found by name.')
        form.addParam('boxSize', params.FloatParam, default=200, label='Particle size (Å)',
                      help='Only for showing the picks as boxes in viewers.')
        form.addParam('meaning', params.EnumParam, default=0, display=params.EnumParam.DISPLAY_COMBO,
                      choices=['as the file says', 'voxels of the searched tomogram', 'unbinned pixels'],
                      label='rlnCoordinateX/Y/Z are',
                      help='Only for STAR files that do not tell: pytom-match-pick counts voxels of the tomogram that it '
                           'searched, older files of RELION count pixels of the unbinned tomogram.')
        form.addParam('tiltSeriesPixel', params.FloatParam, allowsNull=True, default=None, condition='meaning == 2',
                      label='Pixel size of the tilt series (Å)', help='For coordinates in unbinned pixels.')

    # ------------------------------------------------------------------ steps
    def _insertAllSteps(self):
        self._insertFunctionStep(self.importStep)

    def importStep(self):
        """Read the picks and tie them to the tomograms."""
        picks = self._read()
        coordinates = SetOfCoordinates3D.create(self._getPath(), template='coordinates%s.sqlite')
        report = append_picks(picks, self.inputTomograms, coordinates, tilt_pixel=self.tiltSeriesPixel.get())
        coordinates.setBoxSize(int(round(self.boxSize.get() / coordinates.getSamplingRate())))
        coordinates.write()
        for line in self._notes(picks, report):
            self.info(line)
        self.summaryVar.set('\n'.join(self._notes(picks, report)))
        self._defineOutputs(**{ImportPicksOutputs.outputCoordinates.name: coordinates})
        self._defineSourceRelation(self.inputTomograms, coordinates)

    def _read(self):
        return read_picks(self.filesPath.get(), coordinates=MEANINGS[self.meaning.get()])

    @staticmethod
    def _notes(picks, report):
        """What the user should know, a line each."""
        notes = ['%d picks in %d tomograms, %s.' % (sum(report.written.values()), len(report.written),
                                                   'with orientations' if picks.oriented else 'without orientations')]
        if report.unmatched:
            notes.append('Left out: %d picks of tomograms that are not in the set: %s.'
                         % (sum(report.unmatched.values()), checks.someOf(report.unmatched)))
        if report.outside:
            notes.append('%d picks lie outside of their tomogram (%s).' % (sum(report.outside.values()),
                                                                          checks.someOf(report.outside)))
        return notes + list(picks.warnings)

    # ----------------------------------------------------------------- checks
    def _validate(self):
        tomograms = self.inputTomograms.get()
        try:
            picks = self._read()
        except SourceError as error:
            return ['*STAR file, folder or pattern*: %s' % error]
        known = list(tomograms.getTSIds())
        try:
            matched = {name: match_tomogram(name, known) for name in picks.tomo_names}
        except SourceError as error:
            return ['*STAR file, folder or pattern*: %s' % error]
        if not any(matched.values()):
            return ['*Tomograms*: none of the tomograms in %s (%s) is in the set (%s). Choose the tomograms that these '
                    'picks were made in.' % (picks.path, checks.someOf(picks.tomo_names), checks.someOf(known))]
        return self._checkPositions(picks, tomograms)

    def _checkPositions(self, picks, tomograms):
        """Picks outside of their tomograms come from another pixel size or another tomogram."""
        try:
            outside, total = count_outside(picks, tomograms, self.tiltSeriesPixel.get())
        except ConvertError as error:
            return ['*STAR file, folder or pattern*: %s' % error]
        if outside <= OUTSIDE_TOLERANCE * total:
            return []
        return ['*Tomograms*: %d of %d picks lie outside of their tomogram, so pixel size or tomograms are not those '
                'that the picks were made with (this set has %.4g Å/voxel). Choose those tomograms, or import them again '
                'with the right pixel size.' % (outside, total, tomograms.getSamplingRate())]

    # ---------------------------------------------------------------- reports
    def _summary(self):
        return self.summaryVar.get('Not finished.').splitlines()

    def _methods(self):
        if not self.isFinished():
            return []
        return ['%d picks were imported.' % self.outputCoordinates.getSize()]

    def _citations(self):
        return ['Chaillet2023']
