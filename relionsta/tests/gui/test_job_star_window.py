"""The wand that fills a form from a job.star, on a virtual screen."""
import tkinter
import unittest
from pathlib import Path

from pyworkflow.tests import BaseTest, setupTestProject

from relionsta.demo.project import new_protocol
from relionsta.tests.gui.screen import Screen, settle
from relionsta.tests.relion.relion_gui import star_text

ROWS = {'nr_classes': '4', 'tau_fudge': '2.5', 'sampling': '3.7 degrees', 'dont_skip_align': 'No', 'use_gpu': 'Yes',
        'gpu_ids': '0:1', 'nr_mpi': '3', 'nr_threads': '5', 'other_args': "--external 'a b'",
        'in_optimisation': 'Extract/job003/optimisation_set.star'}


@unittest.skipUnless(Screen.available(), 'no virtual screen: Xvfb is not installed')
class TestStaJobStarWindow(BaseTest):
    """A form of Scipion's own."""

    @classmethod
    def setUpClass(cls):
        setupTestProject(cls)
        cls.screen = Screen()
        cls.screen.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.screen.__exit__()
        super().tearDownClass()

    def setUp(self):
        from pyworkflow.gui.project import ProjectWindow
        self.window = ProjectWindow(self.proj.getPath())
        self.path = Path(self.proj.getTmpPath('job.star'))
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def tearDown(self):
        self.window.root.destroy()

    def _form(self, name):
        from pyworkflow.gui.form import FormWindow
        protocol = new_protocol(self.window.project, name, 'Filled in', {})
        form = FormWindow(name, protocol, lambda *_a, **_k: None, self.window)
        form.setVar('settingsFile', str(self.path))
        settle(form.root, 0.2)
        return form

    def _click(self, form):
        """Press the wand; returns what its window said."""
        said = []

        def answer():
            for dialog in [widget for widget in _below(form.root) if isinstance(widget, tkinter.Toplevel)]:
                said.extend(widget.get('1.0', 'end') for widget in _below(dialog) if isinstance(widget, tkinter.Text))
                dialog.destroy()

        form.root.after(800, answer)
        form.wizards['settingsFile']().show(form)
        return ' '.join(said)

    def test_fields_show_the_values_of_the_file(self):
        """A form that shows one value and holds another runs the wrong job."""
        self.path.write_text(star_text('relion.class3d', ROWS))
        form = self._form('ProtStaClass3D')
        protocol, said = form.protocol, self._click(form)
        settle(form.root, 0.3)
        self.assertEqual((protocol.nr_classes.get(), protocol.tau_fudge.get(), protocol.getEnumText('sampling')),
                         (4, 2.5, '3.7 degrees'))
        self.assertEqual((protocol.useGpu.get(), protocol.gpuList.get()), (True, '0:1'))
        self.assertEqual((protocol.numberOfMpi.get(), protocol.numberOfThreads.get()), (3, 5))
        self.assertEqual((form.useGpuVar.get(), form.gpuListVar.get()), (1, '0:1'))
        names = ('nr_classes', 'tau_fudge', 'other_args', 'numberOfMpi')
        self.assertEqual([str(form.widgetDict[name].get()) for name in names], ['4', '2.5', ROWS['other_args'], '3'])
        self.assertFalse(protocol.dont_skip_align.get() or form.widgetDict['dont_skip_align'].get())
        self.assertIn('Extract/job003/optimisation_set.star', said)
        form.close()

    def test_a_file_of_another_job_changes_nothing(self):
        """The message must say which form the file is for."""
        self.path.write_text(star_text('relion.class3d', ROWS))
        form = self._form('ProtStaMask')
        before = (form.protocol.width_mask_edge.get(), form.protocol.numberOfThreads.get())
        said = self._click(form)
        self.assertIn('3D classification', said)
        self.assertEqual((form.protocol.width_mask_edge.get(), form.protocol.numberOfThreads.get()), before)
        form.close()


def _below(widget):
    for child in widget.winfo_children():
        yield child
        yield from _below(child)
