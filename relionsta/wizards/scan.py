"""The wand of the parameter scan."""
from pyworkflow.wizard import Wizard

from ..protocols import ProtStaScan
from .dialogs import refuse


class StaScanWizard(Wizard):
    """Lists the parameters of the run that is scanned; a line for each chosen one is added, with its value now."""

    _targets = [(ProtStaScan, ['scanText'])]

    def show(self, form, *args):
        from ..viewers.option_list import chooseOptions
        protocol = form.protocol
        if protocol.scannedRun.get() is None:
            refuse(form, 'Parameters', 'Choose the run to scan first: this list is of its parameters.')
            return
        rows = protocol.describeOptions()
        lines = (protocol.scanText.get() or '').splitlines()
        there = {line.partition('=')[0].strip() for line in lines}
        lines += ['%s = %s' % (name, rows[name][0]) for name in chooseOptions(form.root, 'Parameters to vary', rows)
                  if name not in there]
        form.setVar('scanText', '\n'.join(lines))
