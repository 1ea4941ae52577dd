"""The form of a new protocol, opened by a viewer."""
from pyworkflow.viewer import View


class FormView(View):
    """Shows the form of a protocol that is not saved yet; Save and Execute there work as usual.

    window: the project's window, or None; it is told to draw the new run.
    """

    def __init__(self, protocol, project, window=None):
        View.__init__(self)
        self.protocol = protocol
        self._project, self._window = project, window

    def makeWindow(self):
        """The window, not yet shown."""
        # Not at the top: whoever imports the viewers (a test, a job on a node) may have no Tk
        from pyworkflow.gui.form import FormWindow
        window = FormWindow('Protocol Run: %s' % self.protocol.getClassName(), self.protocol, self._run, self._window,
                            disableRunMode=True)
        window.adjustSize()
        return window

    def show(self):
        self.makeWindow().show(center=True)

    def _run(self, protocol, onlySave=False, doSchedule=False, position=None):
        """What the form's buttons do; returns the message that it shows."""
        if onlySave:
            self._project.saveProtocol(protocol)
        elif doSchedule:
            self._project.scheduleProtocol(protocol)
        else:
            self._project.launchProtocol(protocol)
        if self._window is not None:
            self._window.getViewWidget().updateRunsGraph(True)
        return 'Saved. You can now work on it, or run it later.' if onlySave else ''
