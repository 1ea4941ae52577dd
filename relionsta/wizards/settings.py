"""A wand that fills the form from a job.star."""
from pyworkflow.protocol.params import MultiPointerParam, PointerParam
from pyworkflow.wizard import Wizard

from ..protocols.base import ProtStaBase
from ..protocols.form import SETTINGS_FILE
from ..protocols.job_star import loadJobStar
from .dialogs import refuse, tell


class StaJobStarWizard(Wizard):
    """Fills the form from the job.star that is named beside it, and says what it could not take."""

    _targets = [(ProtStaBase, [SETTINGS_FILE])]

    def show(self, form, *args):
        protocol, title = form.protocol, 'Settings from a job.star'
        path = protocol.settingsFile.get()
        if not path:
            refuse(form, title, 'Choose a job.star first, in the field beside the wand.')
            return
        try:
            loaded = loadJobStar(protocol, path)
        except ValueError as error:  # damaged, or of another job
            refuse(form, title, str(error))
            return
        for name, param in protocol.getDefinition().iterParams():
            if name in form.widgetDict and not isinstance(param, (PointerParam, MultiPointerParam)):
                form.setVarFromParam(name)
        if hasattr(form, 'useGpuVar'):  # these two have no widget of their own, and are read together
            use, numbers = protocol.useGpu.get(), protocol.gpuList.get() or ''
            form.gpuListVar.set(numbers)
            form.useGpuVar.set(int(use))
            protocol.useGpu.set(use)
            protocol.gpuList.set(numbers)
        tell(form, title, '\n'.join(loaded.lines()))
