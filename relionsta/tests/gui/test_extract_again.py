"""From Analyze Results of a refinement of tilt series to the filled-in form of the extraction that has to follow."""
import tkinter

from pyworkflow.viewer import DESKTOP_TKINTER

from relionsta.tests.gui.window_case import ProjectWindowMixin, below
from relionsta.tests.protocols.series_scene import SeriesCase, refined

MOST_S = 60


class TestStaExtractAgain(ProjectWindowMixin, SeriesCase):
    """The project's window, the viewer's, and the form."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.polish = refined(cls.road)['polish']

    def _viewer(self):
        viewer = self.window.project.getDomain().findViewers('ProtStaPolish', DESKTOP_TKINTER)[0]
        run = self.window.project.getProtocol(self.polish.getObjId())
        return viewer(project=self.window.project, protocol=run, parent=self.window), run

    def _while_shown(self, viewer, run, look):
        """Open the viewer, which enters Tk's main loop, call `look` a second later, and leave the loop."""
        found = []

        def step():
            try:
                found.append(look())
            finally:
                self.window.root.quit()

        self.window.root.after(1000, step)
        safety = self.window.root.after(MOST_S * 1000, self.window.root.quit)
        viewer.visualize(run, windows=self.window)
        self.window.root.after_cancel(safety)
        self.assertEqual(len(found), 1, 'the viewer did not open what it should')
        return found[0]

    def test_form_is_filled_in_and_runs(self):
        """A form that opens empty, or with another box, is a trap on the way that everybody has to go."""
        viewer, run = self._viewer()
        form = self._while_shown(viewer, run, lambda: viewer._showExtract()[0].makeWindow())
        protocol = form.protocol
        before, now = self.polish.outputParticles, protocol.inputCoordinates.get()
        self.assertEqual(now.getObjId(), before.getObjId())
        self.assertEqual(form.widgetDict['binned_size_pix'].get(), str(before.getBoxSize()))
        self.assertEqual(protocol.validate(), [])
        shown = [widget for widget in below(form.root) if isinstance(widget, tkinter.Entry)]
        self.assertTrue(shown, 'the form shows no fields')
        message = form.callback(protocol, onlySave=True)
        self.assertIn('Saved', message)
        saved = self.window.project.getProtocol(protocol.getObjId())
        self.assertEqual(saved.binned_size_pix.get(), before.getBoxSize())
        self.assertEqual(saved.inputCoordinates.get().getObjId(), before.getObjId())
        form.close()

    def test_changes_of_the_tilt_images_are_drawn(self):
        """The figure is how people see that an alignment went wrong."""
        viewer, run = self._viewer()
        figure = self._while_shown(viewer, run, lambda: viewer._showChanges()[0].figure)
        self.assertEqual(len(figure.axes), 2)
        self.assertEqual(len(figure.axes[0].lines), 2)
