"""The project as a user sees it: windows of Scipion itself, on a virtual screen."""
import os
import tempfile
import tkinter
import unittest
from pathlib import Path

from PIL import Image
from pyworkflow.tests import BaseTest, setupTestProject
from pyworkflow.viewer import DESKTOP_TKINTER

from relionsta.demo.project import new_protocol
from relionsta.runtime.build import find_build
from relionsta.simulate.dataset import make_dataset
from relionsta.simulate.parameters import SceneParameters
from relionsta.tests.gui.screen import Screen, settle
from relionsta.tests.protocols.shelf import Shelf

SCENE = SceneParameters(particles=6, tilts=7, tilt_step=8.0, image_size=(192, 192), thickness=96, pixel=4.0, spacing=180.0)
FORMS = ('ProtStaImportAreTomo3', 'ProtStaImportPicks', 'ProtStaExtract', 'ProtStaReconstruct', 'ProtStaClass3D',
         'ProtStaMask', 'ProtStaRefine3D', 'ProtStaPostProcess', 'ProtStaCtfRefine', 'ProtStaPolish',
         'ProtStaReconstructTomograms', 'ProtStaInitialModel', 'ProtStaRefinementCycle')


@unittest.skipUnless(Screen.available(), 'no virtual screen: Xvfb is not installed')
class TestStaWindows(BaseTest):
    """Opens the project and every form."""

    @classmethod
    def setUpClass(cls):
        setupTestProject(cls)
        cls.folder = Path(tempfile.mkdtemp(dir=os.environ['SCIPION_USER_DATA']))
        make_dataset(SCENE, cls.folder / 'scene', find_build().home / 'bin', say=lambda _line: None)
        cls.imported = cls._run('ProtStaImportAreTomo3', 'Import AreTomo3 results',
                                filesPath=str(cls.folder / 'scene' / 'aretomo3'))
        cls.picks = cls._run('ProtStaImportPicks', 'Import picks', inputTomograms=cls.imported.tomograms,
                             filesPath=str(cls.folder / 'scene' / 'picks' / 'all_particles.star'))
        cls.screen = Screen('1366x768x24')
        cls.screen.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.screen.__exit__()
        super().tearDownClass()

    @classmethod
    def _run(cls, name, label, **parameters):
        return cls.launchProtocol(new_protocol(cls.proj, name, label, parameters))

    def setUp(self):
        from pyworkflow.gui.project import ProjectWindow
        self.window = ProjectWindow(self.proj.getPath())
        self.window.root.deiconify()
        self.window.root.geometry('1366x768+0+0')
        settle(self.window.root, 1)

    def tearDown(self):
        self.window.root.destroy()

    def test_nodes_are_finished_and_connected(self):
        """A node that is drawn without its parent, or in the wrong colour, hides how a result came about."""
        settle(self.window.root, 2)
        graph = self.window.project.getRunsGraph()
        nodes = {node.run.getObjLabel(): node for node in graph.getNodes() if node.run is not None}
        self.assertTrue({'Import AreTomo3 results', 'Import picks'} <= set(nodes))
        self.assertTrue(all(node.run.isFinished() for node in nodes.values()))
        self.assertEqual([parent.run.getObjLabel() for parent in nodes['Import picks'].getParents()],
                         ['Import AreTomo3 results'])
        picture = Image.open(str(self.screen.picture(self.folder / 'project.png'))).convert('RGB')
        colours = picture.getcolors(maxcolors=picture.width * picture.height)
        self.assertGreater(len(colours), 20, 'the window is empty')

    def test_every_form_opens_with_every_section(self):
        """A condition or default that Tk cannot show leaves the user with an empty form, or none."""
        from pyworkflow.gui.form import FormWindow
        for name in FORMS:
            with self.subTest(protocol=name):
                protocol = self.window.project.newProtocol(self.window.project.getDomain().getProtocols()[name])
                form = FormWindow(name, protocol, lambda *_a, **_k: None, self.window)
                form.root.deiconify()
                settle(form.root, 0.5)
                self.assertGreater(form.root.winfo_height(), 300)
                shown = {str(section.getLabel()) for section in protocol.getDefinition().iterSections()}
                wanted = {'Import'} if 'Import' in name else {'I/O'}
                self.assertTrue(wanted <= shown, shown)
                for param, _definition in protocol.getDefinition().iterParams():
                    self.assertIsNotNone(protocol.evalParamCondition(param))
                form.close()

    def test_analyze_results_opens_figures(self):
        """A viewer that fails in the window, with real results, is what a user meets first."""
        extracted = self._run('ProtStaExtract', 'Extract subtomos', inputCoordinates=self.picks.outputCoordinates,
                              inputTiltSeries=self.imported.tiltSeries, inputCtfs=self.imported.ctfs,
                              box_size_angst=192.0, binned_size_pix=24)
        average = self._run('ProtStaReconstruct', 'Reconstruct particle', inputParticles=extracted.outputParticles)
        classified = self._run('ProtStaClass3D', '3D classification', inputParticles=extracted.outputParticles,
                               referenceVolume=average.average, particle_diameter=170.0, nr_iter=1,
                               dont_skip_align=False)
        viewers = self.window.project.getDomain().findViewers('ProtStaClass3D', DESKTOP_TKINTER)
        viewer = viewers[0](project=self.window.project, protocol=classified, parent=self.window)
        opened = {}

        def look():
            # The overview has opened by itself
            opened['overview'] = self._titles().count('3D classification: convergence')
            for line in ('showConvergence', 'showSlices'):
                before = self._windows()
                viewer._visualizeParam(line)
                settle(self.window.root, 1)
                opened[line] = self._windows() - before

        self._whileShown(lambda: viewer.visualize(classified, windows=self.window), look)
        self.assertEqual(opened, {'overview': 1, 'showConvergence': 1, 'showSlices': 1})

    def test_wand_takes_a_good_box(self):
        """A wand that shows one number and fills in another misleads whoever trusts it."""
        from relionsta.wizards import StaBoxSizeWizard
        protocol = new_protocol(self.window.project, 'ProtStaExtract', 'Wand', dict(
            inputCoordinates=self.picks.outputCoordinates, inputTiltSeries=self.imported.tiltSeries,
            inputCtfs=self.imported.ctfs, box_size_angst=192.0, binned_size_pix=22))
        said = self._wave(StaBoxSizeWizard(), protocol)
        self.assertEqual(protocol.binned_size_pix.get(), 24)
        self.assertIn('24', said)

    def test_wand_finds_the_threshold(self):
        """The same; and without a map, or where none can be found, nothing may be filled in."""
        from relionsta.wizards import StaMaskThresholdWizard
        project = self.window.project
        shelf = Shelf(project, new_protocol(project, 'ProtStaMask', 'Shelf', {}))
        protocol = new_protocol(project, 'ProtStaMask', 'Wand', {})
        self.assertIn('Choose the input map', self._wave(StaMaskThresholdWizard(), protocol))
        self.assertIsNone(protocol.inimask_threshold.get())
        protocol.inputVolume.set(shelf.map('ball.mrc', values=(0.0, 3.0)))
        said = self._wave(StaMaskThresholdWizard(), protocol)
        self.assertEqual(protocol.inimask_threshold.get(), protocol.getSuggestion().threshold)
        self.assertTrue(0.3 < protocol.inimask_threshold.get() < 1.5)
        for word in ('%g' % protocol.inimask_threshold.get(), 'solvent', 'kDa'):
            self.assertIn(word, said)

    def _wave(self, wizard, protocol):
        """Use a wand in the form of a protocol; what its dialog says."""
        from pyworkflow.gui.form import FormWindow
        form = FormWindow('Wand', protocol, lambda *_a, **_k: None, self.window)
        said = []

        def answer():
            for dialog in [widget for widget in _below(form.root) if isinstance(widget, tkinter.Toplevel)]:
                said.extend(widget.get('1.0', 'end') for widget in _below(dialog) if isinstance(widget, tkinter.Text))
                dialog.destroy()

        form.root.after(1000, answer)
        wizard.show(form)
        form.close()
        return ' '.join(said)

    def _whileShown(self, show, look):
        """Call `show`, which enters Tk's main loop, and `look` a second later; then leave the loop."""
        failures = []

        def step():
            try:
                look()
            except Exception as error:
                failures.append(error)
            self.window.root.quit()

        self.window.root.after(1000, step)
        safety = self.window.root.after(60000, self.window.root.quit)
        show()
        self.window.root.after_cancel(safety)
        if failures:
            raise failures[0]

    def _titles(self):
        root = self.window.root.nametowidget('.')
        return [widget.title() for widget in _below(root) if isinstance(widget, tkinter.Toplevel)]

    def _windows(self):
        return len(self._titles())


def _below(widget):
    for child in widget.winfo_children():
        yield child
        yield from _below(child)
