"""Analyze Results of every kind of node of a finished project, in Scipion's own window."""
import tkinter

from pyworkflow.viewer import DESKTOP_TKINTER, MessageView

from relionsta.tests.gui.screen import settle
from relionsta.tests.gui.window_case import ProjectWindowMixin, below
from relionsta.tests.protocols.case import StaCase
from relionsta.viewers.base import ProtStaViewer

#: lines that open another program or another form, and are tested by themselves
ELSEWHERE = ('showVolumes', 'showExtract', 'showReport', 'showProjectReport', 'showScene')


class TestStaAnalyzeResults(ProjectWindowMixin, StaCase):
    """The road from import to post-processing."""

    _until = 'postprocess'

    def setUp(self):
        super().setUp()
        self.window.root.geometry('1366x768+0+0')
        settle(self.window.root, 0.5)

    def test_every_line_of_every_viewer_opens(self):
        """A line that fails on a real result is found by a user in the night before a deadline."""
        seen = {}
        for job, protocol in self.done.items():
            run = self.window.project.getProtocol(protocol.getObjId())
            for viewer_class in self.window.project.getDomain().findViewers(run, DESKTOP_TKINTER):
                if issubclass(viewer_class, ProtStaViewer):
                    with self.part(job=job):
                        seen[job] = self._open(viewer_class, run)
        self.assertTrue({'reconstruct', 'class3d', 'classify', 'mask', 'refine3d', 'postprocess'} <= set(seen), seen)
        self.assertGreater(sum(map(len, seen.values())), 30, seen)

    def _open(self, viewer_class, run):
        """Open the form of Analyze Results and each of its lines; the titles of the windows, by line."""
        viewer, opened, failures = viewer_class(project=self.window.project, protocol=run, parent=self.window), {}, []

        def look():
            try:
                if viewer_class._overview:
                    self.assertTrue(self._others(viewer), 'no overview has opened')
                for line in viewer._getLines():
                    if line not in ELSEWHERE:
                        opened[line] = self._titlesOf(viewer, line)
            except Exception as error:
                failures.append(error)
            self.window.root.quit()

        self.window.root.after(1500, look)
        safety = self.window.root.after(120000, self.window.root.quit)
        viewer.visualize(run, windows=self.window)
        self.window.root.after_cancel(safety)
        for window in self._others(viewer):
            window.destroy()
        viewer.formWindow.close()
        self.assertFalse(failures, failures)
        return opened

    def _titlesOf(self, viewer, line):
        """Titles of the windows that a line opens; a message in place of a figure has a title too."""
        before = set(self._others(viewer))
        views = viewer._getViews(line)
        self.assertTrue(views, line)
        for view in views:
            if isinstance(view, MessageView):
                continue  # says in words that there is nothing of the kind
            view.show()
        settle(self.window.root, 0.4)
        new = [window for window in self._others(viewer) if window not in before]
        if new:
            self.keepPicture('%s_%s' % (viewer.protocol.getClassName(), line))
        titles = [window.title() for window in new]
        for window in new:
            window.destroy()
        return titles

    def _others(self, viewer):
        """Open windows besides the project's and the form's."""
        root = self.window.root.nametowidget('.')
        form = viewer.formWindow.root if viewer.formWindow else None
        return [widget for widget in below(root) if isinstance(widget, tkinter.Toplevel)
                and widget is not form and widget is not self.window.root]
