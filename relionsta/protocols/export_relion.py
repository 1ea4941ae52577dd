"""Export to RELION."""
import os

from pwem.objects import Volume
from pyworkflow.protocol import params

from ..convert.export_star import export_star_files
from ..jobs.export_folder import ExportFolder, why_not
from ..objects import SetOfClassesSta3D, SetOfStaParticles
from . import checks
from .export_chain import ChainExport, runOf, runsUpTo
from .tool import FOLDER, ProtStaToolBase

KINDS = ['RELION project', 'STAR files of the particles', 'coordinates at refined positions']
PROJECT, STAR_FILES, COORDINATES = range(3)
STEPS = ['all that led to it', 'the last one alone']
ALL, LAST = range(2)
#: Where it goes if no folder is given.
OWN_FOLDER = 'relion'
#: Files that are gone, of which the summary names some.
MOST_MISSING = 3
_TAKEN = (SetOfStaParticles, SetOfClassesSta3D, Volume)


class ProtStaExportRelion(ProtStaToolBase):
    """ Go on in RELION: write a folder that RELION's own GUI opens as a project, or STAR files for any other use.

    RELION project: each step that led to the chosen result becomes a finished job with its files, settings and inputs
    (Import, Extract, Class3D, Refine3D...), so that the next job can be started in RELION's GUI, or an earlier one again
    with other settings. Steps that RELION has no job for become External jobs. STAR files: particles.star,
    tomograms.star, the tilt series and optimisation_set.star of the chosen particles. Coordinates: the same, with the
    refined positions and orientations and no images, to extract particles again elsewhere. RELION itself is not needed.
    """

    _label = 'Export to RELION'
    _possibleOutputs = {}

    def _defineParams(self, form):
        form.addSection(label='Export')
        form.addParam('inputResult', params.PointerParam, important=True, label='Result',
                      pointerClass='SetOfStaParticles, SetOfClassesSta3D, Volume',
                      help='The particles, classes, map or mask to go on with in RELION. STAR files and coordinates need '
                           'particles, of any job or selection; disabled particles are left out.')
        form.addParam('kind', params.EnumParam, choices=KINDS, default=PROJECT, label='Write',
                      display=params.EnumParam.DISPLAY_COMBO,
                      help='RELION project: open it with "relion --tomo" in that folder. STAR files: for other programs, or '
                           'for the inputs of a job in another project. Coordinates: particles.star with '
                           'rlnCenteredCoordinate and angles, everything folded in and no origins.')
        form.addParam('steps', params.EnumParam, choices=STEPS, default=ALL, condition='kind == %d' % PROJECT,
                      display=params.EnumParam.DISPLAY_HLIST, label='Steps',
                      help='All that led to it: from the tilt series on. The last one alone: only the job that made the '
                           'result; files that it started from stand in External jobs.')
        form.addParam('exportFolder', params.FolderParam, default='', label='Folder',
                      help='A new or empty folder; nothing is ever overwritten. Empty: the folder "%s" of this run, which '
                           'Scipion deletes when the run is deleted or started again. Take a folder outside of this '
                           'project to work on in RELION.' % OWN_FOLDER)
        form.addParam('absolute', params.BooleanParam, default=False, condition='kind != %d' % PROJECT,
                      label='Absolute paths?', expertLevel=params.LEVEL_ADVANCED,
                      help='No: names of files count from the folder, in which RELION has to be started. Yes: images stay '
                           'where they are, named by their full paths, which may not hold a blank.')
        form.addParam('copies', params.BooleanParam, default=False, condition='kind == %d or not absolute' % PROJECT,
                      label='Copy images and maps?',
                      help='No: images and maps are links to the files of this Scipion project, which takes no space; the '
                           'links break where these are moved, and running a job of the exported project again in its '
                           'own folder would write through them. Yes: the folder stands alone and may be moved. '
                           'STAR files, settings and logs are always copies.')

    # ------------------------------------------------------------------- work
    def getExportFolder(self):
        """The absolute path of the folder."""
        given = self.exportFolder.get('').strip()
        return os.path.abspath(os.path.expanduser(given) if given else self._getExtraPath(OWN_FOLDER))

    def _makeOutputs(self):
        work = self._getExtraPath(FOLDER)
        os.makedirs(work, exist_ok=True)
        folder = ExportFolder(self.getExportFolder(), self.copies.get())
        try:
            lines = self._exportProject(folder, work) if self.kind.get() == PROJECT else self._exportStars(folder, work)
            folder.finish()
        except BaseException:
            folder.give_up()
            raise
        return lines + self._describeMissing(folder)

    def _exportProject(self, folder, work):
        run, project = runOf(self.inputResult, self.getProject()), self.getProject()
        chain = ChainExport(folder, project, work)
        for step in runsUpTo(run, project) if self.steps.get() == ALL else [run]:
            chain.add(step)
        chain.addResult(run, self.inputResult.get())
        chain.finish()
        return ['A RELION project with %d jobs is in %s.' % (len(chain.processes), folder.target),
                'To open it: cd there, then relion --tomo.',
                'Jobs: %s.' % ', '.join(process.name.rstrip('/') for process in chain.processes)]

    def _exportStars(self, folder, work):
        number = export_star_files(self.inputResult.get(), folder, work, absolute=self.absolute.get(),
                                   coordinates=self.kind.get() == COORDINATES)
        return ['%d particles%s were written to %s.' % (
                    number, ' at their refined positions' if self.kind.get() == COORDINATES else '', folder.target),
                'Files are named by their absolute paths.' if self.absolute.get() else
                'Files are named from that folder, in which RELION has to be started.']

    @staticmethod
    def _describeMissing(folder):
        if not folder.missing:
            return []
        return ['%d files that the STAR files name are not there any more: %s.'
                % (len(folder.missing), checks.someOf(folder.missing, most=MOST_MISSING))]

    # ----------------------------------------------------------------- checks
    def _hasInputs(self):
        return self.inputResult.get() is not None

    def _validateInputs(self):
        result = self.inputResult.get()
        if not isinstance(result, _TAKEN):
            return ['*Result*: %s is a %s. Choose particles, classes, a map or a mask.' % (
                self.inputResult.getNameId() if hasattr(self.inputResult, 'getNameId') else result, type(result).__name__)]
        return self._checkFolder() or (self._checkProject() if self.kind.get() == PROJECT else self._checkParticles(result))

    def _checkFolder(self):
        target = self.getExportFolder()
        runs = os.path.realpath('Runs')
        inside = os.path.realpath(target)
        own = self.hasObjId() and inside.startswith(os.path.realpath(self._getPath()) + os.sep)
        if self.exportFolder.get('').strip() and (inside + os.sep).startswith(runs + os.sep) and not own:
            return ['*Folder*: %s is among the runs of this Scipion project, which are only read. Give another folder.'
                    % target]
        problem = why_not(target) if self.exportFolder.get('').strip() else ''
        return ['*Folder*: %s.' % problem] if problem else []

    def _checkProject(self):
        run = runOf(self.inputResult, self.getProject())
        if run is None:
            return ['*Result*: the run that made it is gone, so its steps are not known. Choose the output of a run, or '
                    'write STAR files.']
        return [] if run.isFinished() else ['*Result*: "%s" has not finished. Wait for it.' % run.getRunName()]

    def _checkParticles(self, result):
        if not isinstance(result, SetOfStaParticles):
            return ['*Result*: STAR files are written of particles, and this is a %s. Choose particles, or write a RELION '
                    'project.' % type(result).__name__]
        blank = [path for path in (os.getcwd(), self.getExportFolder()) if any(map(str.isspace, path))]
        if self.absolute.get() and blank:
            return ["*Absolute paths*: RELION's STAR files cannot hold a name with a blank in it, and there is one in %s. "
                    'Choose No.' % blank[0]]
        return checks.checkParticles('Result', result, extracted=False)
