"""Import picks."""
import enum

from pyworkflow.constants import BETA
from pyworkflow.protocol import params
from tomo.objects import SetOfCoordinates3D

from ..convert.errors import ConvertError
from ..convert.picks import append_picks, count_outside
from ..sources.picks import UNBINNED, VOXEL, match_tomogram, read_picks
from ..sources.text import SourceError
from . import checks
from .common import StaProtocol
from .form import emptyNumbers

MEANINGS = {0: None, 1: VOXEL, 2: UNBINNED}
FILES = 'STAR file, folder or pattern'


class ImportPicksOutputs(enum.Enum):
    """What the import makes."""

    outputCoordinates = SetOfCoordinates3D


class ProtStaImportPicks(StaProtocol):
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
        form.addParam('filesPath', params.PathParam, important=True, label=FILES,
                      help='A STAR file with picks, a folder of such files, or a pattern with * and ?.')
        form.addParam('inputTomograms', params.PointerParam, pointerClass='SetOfTomograms', important=True,
                      label='Tomograms', help='The tomograms that the picks belong to; they are found by name.')
        form.addParam('boxSize', params.FloatParam, default=200, allowsNull=True,
                      label='Particle size (Å)',
                      help='Only for showing the picks as boxes in viewers.')
        form.addParam('meaning', params.EnumParam, default=0, display=params.EnumParam.DISPLAY_COMBO,
                      choices=['as the file says', 'voxels of the searched tomogram', 'unbinned pixels'],
                      label='rlnCoordinateX/Y/Z are',
                      help='Only for STAR files that do not tell: pytom-match-pick counts voxels of the tomogram that it '
                           'searched, older files of RELION count pixels of the unbinned tomogram.')
        form.addParam('tiltSeriesPixel', params.FloatParam, allowsNull=True, default=None, condition='meaning != 1',
                      label='Pixel size of the tilt series (Å)',
                      help='Only for coordinates in unbinned pixels, where the file does not tell it.')

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
        self._defineOutputs(**{ImportPicksOutputs.outputCoordinates.name: coordinates})
        self._defineSourceRelation(self.inputTomograms, coordinates)
        lines = self._describe(picks, report, coordinates)
        self.info('\n'.join(lines))
        self.summaryVar.set('\n'.join(lines))

    def _read(self):
        return read_picks(self.filesPath.get(), coordinates=MEANINGS[self.meaning.get()])

    @staticmethod
    def _describe(picks, report, coordinates):
        """The lines of the summary."""
        lines = ['%d picks in %d tomograms, %.4g Å/voxel, %s.' % (
                    sum(report.written.values()), len(report.written), coordinates.getSamplingRate(),
                    'with orientations' if picks.oriented else 'without orientations'),
                 'Read from %s.' % checks.someOf([str(path) for path in picks.files], most=2)]
        if report.unmatched:
            lines.append('Left out: %d picks of tomograms that are not in the set: %s.'
                         % (sum(report.unmatched.values()), checks.someOf(report.unmatched)))
        if report.outside:
            lines.append('%d picks lie outside of their tomogram (%s).' % (sum(report.outside.values()),
                                                                          checks.someOf(report.outside)))
        return lines + list(picks.warnings)

    # ----------------------------------------------------------------- checks
    def _validate(self):
        tomograms = self.inputTomograms.get()
        if tomograms is None:
            return []  # Scipion itself names the inputs that are empty
        if not self.filesPath.get():
            return ['*%s*: empty. Give the STAR file with the picks, or a folder of such files.' % FILES]
        errors = emptyNumbers(self) or self._checkNumbers()
        if not errors and tomograms.getSize() == 0:
            errors = ['*Tomograms*: the set is empty. Choose another set.']
        return errors or self._checkPicks(tomograms)

    def _checkNumbers(self):
        return ['*%s*: %g, and it must be above 0.%s' % (self.getParam(name).label.get(), value, fix)
                for name, fix in (('boxSize', ' Give the diameter of the particle.'),
                                  ('tiltSeriesPixel', ' Give the pixel size of the unbinned tilt images.'))
                for value in [getattr(self, name).get()] if value is not None and value <= 0]

    def _checkPicks(self, tomograms):
        """The picks must be readable, belong to these tomograms and lie inside of them."""
        try:
            picks = self._read()
            known = list(tomograms.getTSIds())
            matched = [match_tomogram(name, known) for name in picks.tomo_names]
            if not any(matched):
                return ['*Tomograms*: none of the tomograms in %s (%s) is in the set (%s). Choose the tomograms that '
                        'these picks were made in.' % (picks.path, checks.someOf(picks.tomo_names),
                                                       checks.someOf(known))]
            if self._lacksPixel(picks):
                return ['*Pixel size of the tilt series (Å)*: empty, and %s does not tell it. Give the pixel size of the '
                        'unbinned tilt images: the coordinates count such pixels.' % picks.path]
            outside, total = count_outside(picks, tomograms, self.tiltSeriesPixel.get())
        except SourceError as error:
            return ['*%s*: %s' % (FILES, error)]
        except ConvertError as error:
            return ['*Tomograms*: %s.' % str(error).rstrip('.')]
        if outside <= checks.OUTSIDE_TOLERANCE * total:
            return []
        return ['*Tomograms*: %d of %d picks lie outside of their tomogram, so pixel size or tomograms are not those '
                'that the picks were made with (this set has %.4g Å/voxel). Choose those tomograms, or import them again '
                'with the right pixel size.' % (outside, total, tomograms.getSamplingRate())]

    def _lacksPixel(self, picks):
        return (picks.coordinates == UNBINNED and self.tiltSeriesPixel.get() is None
                and picks.table['voxel_size'].isna().any())

    # ---------------------------------------------------------------- reports
    def _summary(self):
        if not self.isFinished():
            return ['Running.' if self.isActive() else 'No output yet.']
        return self.summaryVar.get('').splitlines()

    def _methods(self):
        if not self.isFinished() or not hasattr(self, ImportPicksOutputs.outputCoordinates.name):
            return []
        return ['%d picks were imported.' % self.outputCoordinates.getSize()]

    def _citations(self):
        return ['Chaillet2023']
