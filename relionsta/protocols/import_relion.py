"""Import RELION results."""
import os
import tempfile

import pyworkflow.utils as pwutils
from pwem.objects import SetOfFSCs, SetOfVolumes, Volume, VolumeMask
from tomo.objects import SetOfCoordinates3D, SetOfCTFTomoSeries, SetOfTiltSeries, SetOfTomograms

from ..convert.errors import ConvertError
from ..convert.relion_import import bring, link_project
from ..objects import SetOfClassesSta3D, SetOfStaParticles
from ..sources.relion_job import read_relion_job
from ..sources.text import SourceError
from ..star import StarError
from .import_relion_form import FILES, OPTICS, defineImportRelion
from .import_relion_maps import ImportMapsMixin
from .import_relion_sets import ImportSetsMixin
from .tool import FOLDER, ProtStaToolBase

#: In the run's folder: a link to RELION's project, through which its files are named.
LINK = 'relion'
#: reasons that a message or summary tells
MOST_REASONS = 4


class ProtStaImportRelion(ImportSetsMixin, ImportMapsMixin, ProtStaToolBase):
    """ Import work that was done in RELION 5: particles, tilt series, CTFs, tomograms, picks, classes and maps.

    Give a job folder (Extract, Class3D, Refine3D, CtfRefine, Polish, Picks, PostProcess...), or a particles.star,
    tomograms.star or optimisation_set.star of RELION 5.0 or 5.1, or of WarpTools and M (exported with --2d). What there is
    becomes Scipion's sets, and the next RELION job can start from them here: every column of the STAR files is kept. The
    images stay where they are. What is missing, and what cannot be done without it, is told in the summary.
    """

    _label = 'Import RELION results'
    _possibleOutputs = {'outputParticles': SetOfStaParticles, 'tiltSeries': SetOfTiltSeries, 'ctfs': SetOfCTFTomoSeries,
                        'tomograms': SetOfTomograms, 'outputCoordinates': SetOfCoordinates3D,
                        'outputClasses': SetOfClassesSta3D, 'outputAverages': SetOfVolumes, 'outputVolume': Volume,
                        'outputMask': VolumeMask, 'fscs': SetOfFSCs}

    def _defineParams(self, form):
        defineImportRelion(form)

    # ------------------------------------------------------------------ input
    def getJob(self):
        """What there is at the path. Raises SourceError and StarError."""
        return read_relion_job(self.filesPath.get(), self.projectFolder.get(), self.tomogramsFile.get())

    def _given(self):
        """RELION's column -> the value that the form has for it; None for none."""
        return {label: getattr(self, name).get() for name, label, _, _ in OPTICS}

    def _makeOutputs(self):
        job, folder = self.getJob(), self._getExtraPath(FOLDER)
        pwutils.cleanPath(folder)
        pwutils.makePath(folder)
        prefix = link_project(job.project, self._getExtraPath(LINK))
        brought = bring(job, folder, prefix, self._given())
        reasons = self._leftOut(job, brought)
        lines = self._makeSets(job, brought) + self._makeMaps(job, prefix, reasons)
        if not lines:
            raise ValueError('Nothing could be imported. %s' % ' '.join(reasons))
        for reason in reasons:
            self.warning(reason)
        return [_describe(job)] + lines + reasons

    # ----------------------------------------------------------------- checks
    def _hasInputs(self):
        return True  # there are no pointers

    def _validateInputs(self):
        if not self.filesPath.get():
            return ["*%s*: empty. Give the folder of a RELION job, or a STAR file." % FILES]
        errors = self._checkNumbers()
        return errors or self._checkFiles()

    def _checkNumbers(self):
        names = [name for name, *_ in OPTICS] + ['tomogramPixel', 'boxSize']
        errors = ['*%s*: %g, and it must be above 0.' % (self.getParam(name).label.get(), getattr(self, name).get())
                  for name in names if getattr(self, name).get() is not None and getattr(self, name).get() <= 0]
        try:
            self._tomogramSize()
        except ValueError as error:
            errors.append('*%s*: %s' % (self.getParam('tomogramSize').label.get(), error))
        return errors

    def _checkFiles(self):
        """The files are read as for the import; what is left out must not be all."""
        try:
            job = self.getJob()
            with tempfile.TemporaryDirectory() as folder:
                # By a link as in the run: the project itself may lie on a path with a blank
                brought = bring(job, folder, link_project(job.project, os.path.join(folder, LINK)), self._given())
                reasons = self._leftOut(job, brought)
        except (SourceError, StarError, ConvertError) as error:
            return ['*%s*: %s' % (FILES, str(error))]
        if self._plan(job, brought) or self._mapsOf(job):
            return []
        return ['*%s*: nothing in %s can be imported. %s' % (FILES, job.path, ' '.join(
            reasons[:MOST_REASONS] or ['Switch on what the job has.']))]

    # ---------------------------------------------------------------- reports
    def _methods(self):
        return [self.summaryVar.get('').splitlines()[0]] if self.isFinished() and self.summaryVar.get() else []


def _describe(job):
    """One line on where it all comes from."""
    return 'Imported from %s%s%s.' % (job.path, ', job %s' % job.type if job.type else '',
                                      ', RELION %s' % job.version if job.version else '')
