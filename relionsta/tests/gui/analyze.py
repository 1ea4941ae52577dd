"""Opening Analyze Results of runs in Scipion's own window, line by line."""
import os
import time
import tkinter

from pyworkflow.viewer import DESKTOP_TKINTER, MessageView

from relionsta.tests.figure_rules import faults
from relionsta.tests.gui.screen import settle
from relionsta.tests.gui.window_case import PICTURES, ProjectWindowMixin, below
from relionsta.viewers.base import ProtStaViewer
from relionsta.viewers.figure_view import FigureView

#: lines that open another program or another form, and are tested by themselves
ELSEWHERE = ('showVolumes', 'showExtract', 'showScene', 'showOutput')
#: milliseconds after which a form that hangs is left
PATIENCE_MS = 120000
#: seconds after which the overview must be there
OVERVIEW_S = 20


class AnalyzeMixin(ProjectWindowMixin):
    """Before the class of the case: opens the form of Analyze Results as a click on the button does."""

    def setUp(self):
        super().setUp()
        self.window.root.geometry('1366x768+0+0')
        settle(self.window.root, 0.5)

    def check(self, runs):
        """runs: name -> (protocol, lines that must open a window). All of their lines open, each run is tried."""
        for name, (protocol, lines) in runs.items():
            with self.part(run=name):
                opened = self.openAll(protocol)
                self.assertEqual({line for line in opened if opened[line]}, set(opened))
                windows = {line for line, titles in opened.items() if any(protocol.getRunName() in one for one in titles)}
                self.assertTrue(set(lines) <= windows, opened)

    def openAll(self, protocol):
        """Open the form of the run's first viewer, its overview and each of its lines; titles of the windows by line.

        AssertionError where there is no viewer of ours, or no overview.
        """
        run = self.window.project.getProtocol(protocol.getObjId())
        found = self.window.project.getDomain().findViewers(run, DESKTOP_TKINTER)
        self.assertTrue(found and issubclass(found[0], ProtStaViewer), found)
        viewer, opened, failures = found[0](project=self.window.project, protocol=run, parent=self.window), {}, []

        end = time.time() + OVERVIEW_S

        def look():
            if not self._others(viewer) and time.time() < end:
                self.window.root.after(100, look)
                return
            try:
                self.assertTrue(self._others(viewer), 'no overview has opened')
                self._keep(viewer, 'overview')
                for line in viewer._getShows():
                    if line not in ELSEWHERE:
                        opened[line] = self._titlesOf(viewer, line, failures)
            except Exception as error:
                failures.append(error)
            self.window.root.quit()

        # Tk only prints what fails in a window
        tk = self.window.root.nametowidget('.')
        tk.report_callback_exception = lambda _kind, error, _trace: failures.append(error)
        self.addCleanup(tk.__dict__.pop, 'report_callback_exception', None)
        self.window.root.after(400, look)
        safety = self.window.root.after(PATIENCE_MS, self.window.root.quit)
        viewer.visualize(run, windows=self.window)
        self.window.root.after_cancel(safety)
        for window in self._others(viewer):
            window.destroy()
        viewer.formWindow.close()
        self.assertFalse(failures, failures)
        return opened

    def _titlesOf(self, viewer, line, failures):
        """Titles of the windows that a line opens; what a message says that stands in place of a figure. failures: gets
        what is wrong with the figures."""
        before = set(self._others(viewer))
        views, said = viewer._getViews(line), []
        self.assertTrue(views, line)
        for view in views:
            if isinstance(view, MessageView):
                said.append(view._msg)
            else:
                if isinstance(view, FigureView):
                    failures += ['%s: %s' % (line, fault) for fault in faults(view.figure)]
                view.show()
        settle(self.window.root, 0.2)
        new = [window for window in self._others(viewer) if window not in before]
        if new:
            self._keep(viewer, line)
        titles = [window.title() for window in new]
        for window in new:
            window.destroy()
        return titles + said

    def _keep(self, viewer, line):
        if os.environ.get(PICTURES):
            settle(self.window.root, 1)
        self.keepPicture('%s_%s' % (viewer.protocol.getClassName(), line))

    def _others(self, viewer):
        """Open windows besides the project's and the form's."""
        root = self.window.root.nametowidget('.')
        form = viewer.formWindow.root if viewer.formWindow else None
        return [widget for widget in below(root) if isinstance(widget, tkinter.Toplevel)
                and widget is not form and widget is not self.window.root]
