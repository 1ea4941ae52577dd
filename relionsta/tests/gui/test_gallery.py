"""The gallery of classes, from Analyze Results to the finished node."""
import time

from pyworkflow.viewer import DESKTOP_TKINTER

from relionsta.tests.gui.screen import settle
from relionsta.tests.gui.window_case import ProjectWindowMixin
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.subsets import names_of

MOST_S = 120


class TestStaGallery(ProjectWindowMixin, StaCase):
    """A classification into three classes."""

    _until = 'classify'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        before = cls.done['classify']
        cls.three = cls.proj.copyProtocol(before)
        cls.three.nr_classes.set(3)
        cls.road.launch(cls.three)

    def setUp(self):
        super().setUp()
        self.run_ = self.window.project.getProtocol(self.three.getObjId())

    def _gallery(self):
        """The window that the line of Analyze Results opens."""
        viewer = self.window.project.getDomain().findViewers('ProtStaClass3D', DESKTOP_TKINTER)[0](
            project=self.window.project, protocol=self.run_, parent=self.window)
        viewer.setProtocol(self.run_)
        viewer.windows = self.window
        view = viewer._showGallery()[0]
        view.makeWindow()
        settle(view.root, 1)
        self.addCleanup(view.root.destroy)
        return view

    def _click(self, view, number):
        """The mouse on a class, where it stands on the screen."""
        widget = view._canvas.get_tk_widget()
        box = view.gallery.axes[number].get_window_extent()
        x, y = int(box.x0 + box.width / 2), int(widget.winfo_height() - box.y0 - box.height / 2)
        widget.event_generate('<Button-1>', x=x, y=y)
        widget.event_generate('<ButtonRelease-1>', x=x, y=y)
        settle(view.root, 0.3)

    def test_two_classes_become_a_node(self):
        """Two clicks and a button: the node has exactly the particles that were counted."""
        view = self._gallery()
        self.assertEqual(sorted(view.gallery.axes), [1, 2, 3])
        sizes = {one.getObjId(): one.getSize() for one in self.three.outputClasses}
        self.assertEqual({one.result.number: one.size for one in view.images if one.size}, sizes)
        chosen = sorted(sorted(sizes, key=sizes.get)[-2:])
        self.assertTrue(view.keep.instate(['disabled']))
        for number in chosen:
            self._click(view, number)
        self.assertEqual(sorted(view.marked), chosen)
        number = sum(sizes[one] for one in chosen)
        self.assertIn('%d of %d particles' % (number, sum(sizes.values())), view._status.get())
        self.keepPicture('gallery')
        before = {run.getObjId() for run in self.window.project.getRuns(refresh=True)}
        view.keep.invoke()
        made = [run for run in self.window.project.getRuns(refresh=True) if run.getObjId() not in before]
        self.assertEqual([run.getClassName() for run in made], ['ProtStaSelectClasses'], view._status.get())
        end = time.time() + MOST_S
        while time.time() < end and not made[0].isFinished():
            settle(self.window.root, 1)
            made = [run for run in self.window.project.getRuns(refresh=True) if run.getObjId() == made[0].getObjId()]
            self.assertFalse(made[0].isFailed(), made[0].getErrorMessage())
        kept = made[0].outputParticles
        self.assertEqual(kept.getSize(), number)
        members = {item.getObjId(): sorted(one.getParticleName() for one in item.iterItems())
                   for item in self.three.outputClasses.iterItems() if item.getObjId() in chosen}
        self.assertEqual(sorted(names_of(kept)), sorted(sum(members.values(), [])))

        # The next window remembers the choice.
        again = self._gallery()
        self.assertEqual(sorted(again.marked), chosen)
        self.assertFalse(again.keep.instate(['disabled']))

    def test_other_iteration_and_direction(self):
        """What is shown is what was asked for, and marks stay."""
        view = self._gallery()
        view.toggle(1)
        first = view.images[0].slices.xy
        view._iteration.set(str(view._iterations[0]))
        view._shown.set('projection along y')
        view._changed()
        settle(view.root, 0.3)
        self.assertIn('Iteration %d, projection along y' % view._iterations[0], view.gallery.figure.get_suptitle())
        self.assertIn(1, view.marked)
        if len(view._iterations) > 1:
            self.assertGreater(abs(first - view.images[0].slices.xy).max(), 0)
