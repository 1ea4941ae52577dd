"""The project as a user sees it: windows of Scipion itself, on a virtual screen."""
import tkinter
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from relionsta.tests.gui.screen import settle
from relionsta.tests.gui.window_case import ProjectWindowMixin, below
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.shelf import Shelf

FORMS = ('ProtStaImportAreTomo3', 'ProtStaImportPicks', 'ProtStaExtract', 'ProtStaReconstruct', 'ProtStaClass3D',
         'ProtStaMask', 'ProtStaRefine3D', 'ProtStaPostProcess', 'ProtStaCtfRefine', 'ProtStaPolish',
         'ProtStaReconstructTomograms', 'ProtStaInitialModel', 'ProtStaRefinementCycle')
POLL_MS = 300


class TestStaWindows(ProjectWindowMixin, StaCase):
    """The project and every form."""

    _until = 'import_picks'

    def setUp(self):
        super().setUp()
        self.window.root.deiconify()
        self.window.root.geometry('1366x768+0+0')
        settle(self.window.root, 0.5)

    def test_nodes_are_finished_and_connected(self):
        """A node that is drawn without its parent, or in the wrong colour, hides how a result came about."""
        settle(self.window.root, 1)
        nodes = {node.run.getObjId(): node for node in self.window.project.getRunsGraph().getNodes() if node.run is not None}
        imported, picks = (nodes[self.done[job].getObjId()] for job in ('import_aretomo3', 'import_picks'))
        self.assertTrue(imported.run.isFinished() and picks.run.isFinished())
        self.assertEqual([parent.run.getObjLabel() for parent in picks.getParents()], [imported.run.getObjLabel()])
        with TemporaryDirectory() as folder:
            picture = Image.open(str(self.screen.picture(Path(folder) / 'project.png'))).convert('RGB')
        colours = picture.getcolors(maxcolors=picture.width * picture.height)
        self.assertGreater(len(colours), 20, 'the window is empty')

    def test_every_form_opens_with_every_section(self):
        """A condition or default that Tk cannot show leaves the user with an empty form, or none."""
        from pyworkflow.gui.form import FormWindow
        for name in FORMS:
            with self.part(protocol=name):
                protocol = self.window.project.newProtocol(self.window.project.getDomain().getProtocols()[name])
                form = FormWindow(name, protocol, lambda *_a, **_k: None, self.window)
                form.root.deiconify()
                settle(form.root, 0.2)
                self.assertGreater(form.root.winfo_height(), 300)
                shown = {str(section.getLabel()) for section in protocol.getDefinition().iterSections()}
                wanted = {'Import'} if 'Import' in name else {'I/O'}
                self.assertTrue(wanted <= shown, shown)
                for param, _definition in protocol.getDefinition().iterParams():
                    self.assertIsNotNone(protocol.evalParamCondition(param))
                form.close()

    def test_wand_takes_a_good_box(self):
        """A wand that shows one number and fills in another misleads whoever trusts it."""
        from relionsta.wizards import StaBoxSizeWizard
        protocol = self.new('ProtStaExtract', inputCoordinates=self.output('import_picks', 'outputCoordinates'),
                            inputTiltSeries=self.output('import_aretomo3', 'tiltSeries'),
                            inputCtfs=self.output('import_aretomo3', 'ctfs'), box_size_angst=192.0, binned_size_pix=22)
        said = self._wave(StaBoxSizeWizard(), protocol)
        self.assertEqual(protocol.binned_size_pix.get(), 24)
        self.assertIn('24', said)

    def test_wand_finds_the_threshold(self):
        """The same; and without a map, or where none can be found, nothing may be filled in."""
        from relionsta.wizards import StaMaskThresholdWizard
        shelf = Shelf(self.proj, self.new('ProtStaMask'))
        protocol = self.new('ProtStaMask')
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
            dialogs = [widget for widget in below(form.root)
                       if isinstance(widget, tkinter.Toplevel) and widget.winfo_viewable()]
            if not dialogs:  # Tk fails where a dialog goes before it was seen
                form.root.after(POLL_MS, answer)
            for dialog in dialogs:
                settle(form.root, 0.2)
                said.extend(widget.get('1.0', 'end') for widget in below(dialog) if isinstance(widget, tkinter.Text))
                dialog.destroy()

        form.root.after(POLL_MS, answer)
        wizard.show(form)
        form.close()
        return ' '.join(said)
