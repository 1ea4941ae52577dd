"""What the protocols share that work on sets themselves, without a program of RELION."""
from pyworkflow.constants import BETA

from ..convert.errors import ConvertError
from ..objects import SetOfStaParticles
from ..star import StarError
from .all_or_none import allOrNone
from .common import StaProtocol
from .form import emptyNumbers

#: The STAR files that such a protocol writes; RELION drops all up to a folder of this form from paths.
FOLDER = 'job000'


class ProtStaToolBase(StaProtocol):
    """A protocol of one step. A subclass defines its form, checks its inputs (`_validateInputs`) and makes its outputs
    (`_makeOutputs`), which returns the lines of the summary."""

    _devStatus = BETA

    def _insertAllSteps(self):
        self._insertFunctionStep(self.createOutputStep)

    def createOutputStep(self):
        """Do the work and say what came of it."""
        with allOrNone(self):
            self.summaryVar.set('\n'.join(self._makeOutputs()))

    def _makeOutputs(self):
        raise NotImplementedError

    def _newParticles(self, name):
        """An empty set of particles of this run; name: of its file."""
        return SetOfStaParticles.create(self._getPath(), prefix=name)

    # ----------------------------------------------------------------- checks
    def _validate(self):
        if not self._hasInputs():
            return []  # Scipion itself names the inputs that are empty
        try:
            return emptyNumbers(self) or list(self._validateInputs())
        except (ConvertError, StarError) as error:
            return ['*Particles*: %s.' % str(error).rstrip('.')]

    def _hasInputs(self):
        raise NotImplementedError

    def _validateInputs(self):
        """Messages on inputs that are no good."""
        return []

    # ---------------------------------------------------------------- reports
    def _summary(self):
        if not self.isFinished():
            return ['Running.' if self.isActive() else 'No output yet.']
        return self.summaryVar.get('').splitlines()

    def _methods(self):
        return self.summaryVar.get('').splitlines() if self.isFinished() else []

    def _citations(self):
        return ['Burt2024']
