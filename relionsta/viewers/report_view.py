"""The report of a run, made and opened in the browser."""
import webbrowser
from pathlib import Path

from pyworkflow.viewer import View


class ReportView(View):
    """make: called without arguments, writes the report and returns its path. tell(text, title): shows a message."""

    def __init__(self, make, tell):
        View.__init__(self)
        self._make, self._tell = make, tell

    def show(self):
        path = self._make()
        if not webbrowser.open(Path(path).as_uri()):
            self._tell('The report is %s. Open it in a browser; there is none that could be started from here.' % path,
                       'Report')
