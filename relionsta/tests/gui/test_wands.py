"""Wands in real forms: each fills in what it says, and says why."""
import tkinter

from pyworkflow.viewer import DESKTOP_TKINTER

from relionsta import protocols
from relionsta.protocols.form import SETTINGS_FILE
from relionsta.runtime.machine import cores
from relionsta.suggest.sizes import suggest_box, suggest_mask_diameter
from relionsta.tests.gui.screen import settle
from relionsta.tests.gui.window_case import ProjectWindowMixin, below
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SETTINGS

PIXEL = SETTINGS.box_angst / SETTINGS.box
POLL_MS = 300


class TestStaWands(ProjectWindowMixin, StaCase):
    """Wands on the inputs of a project."""

    _until = 'class3d'

    def _form(self, protocol):
        from pyworkflow.gui.form import FormWindow
        form = FormWindow('Wand', protocol, lambda *_a, **_k: None, self.window)
        self.addCleanup(form.close)
        return form

    def wave(self, protocol, name, answer=None):
        """Press the wand beside `name` in the form of a protocol; what its window says. answer: what to do with it."""
        form, said = self._form(protocol), []
        self.assertIn(name, form.wizards, 'there is no wand')
        self.assertIn(name, form.widgetDict, 'there is no field')
        form.wizParamName = name

        def read():
            shown = [widget for widget in below(form.root)
                     if isinstance(widget, tkinter.Toplevel) and widget.winfo_viewable()]
            if not shown:  # Tk fails where a dialog goes before it was seen
                form.root.after(POLL_MS, read)
                return
            # Later: a dialog that goes in the callback in which it was first seen goes too early for Tk
            form.root.after(2 * POLL_MS, take, shown[0])

        def take(dialog):
            said.extend(widget.get('1.0', 'end') for widget in below(dialog) if isinstance(widget, tkinter.Text))
            said.extend(widget.cget('text') for widget in below(dialog) if isinstance(widget, tkinter.Label))
            (answer or tkinter.Toplevel.destroy)(dialog)

        form.root.after(POLL_MS, read)
        form.wizards[name]().show(form)
        self.assertTrue(said, 'the wand was silent')
        return ' '.join(map(str, said))

    def _class3d(self, **values):
        return self.new('ProtStaClass3D', **dict(dict(
            inputParticles=self.output('extract', 'outputParticles'),
            referenceVolume=self.output('reconstruct', 'average')), **values))

    def _extract(self, **values):
        return self.new('ProtStaExtract', inputCoordinates=self.output('import_picks', 'outputCoordinates'),
                        inputTiltSeries=self.output('import_aretomo3', 'tiltSeries'),
                        inputCtfs=self.output('import_aretomo3', 'ctfs'), **values)

    # ------------------------------------------------------------------ sizes
    def test_sizes_of_a_particle(self):
        """Binning and box come from the diameter, in the fields and in the message."""
        protocol = self._extract(sizesBy='diameter of the particle', particleDiameter=SCENE.diameter)
        said = self.wave(protocol, 'boxBinning')
        box = suggest_box(SCENE.diameter, SCENE.pixel)
        self.assertEqual((protocol.boxBinning.get(), protocol.getBox()), (1.0, box.value))
        self.assertIn(box.reason, said)
        self.assertIn('%d particles of 8 images take about' % (SCENE.series * SCENE.particles), said)
        self.assertIn('Give the longest extent', self.wave(self._extract(sizesBy='diameter of the particle', boxBinning=2.0),
                                                           'particleDiameter'))
        said = self.wave(protocol, 'precrop_size_angst')
        self.assertGreater(protocol.precrop_size_angst.get(), box.value * SCENE.pixel)
        self.assertIn('µm defocus', said)

    # ------------------------------------------------------------- refinement
    def test_numbers_of_a_classification(self):
        """Diameter, filter and limit; without inputs a word on what is missing, and nothing filled in."""
        protocol = self._class3d()
        for name, value, words in (('particle_diameter', 170, '90 % of the box'), ('ini_high', 50, 'is not known'),
                                   ('highres_limit', 2 * PIXEL, 'Nyquist')):
            with self.part(wand=name):
                self.assertIn(words, self.wave(protocol, name))
                self.assertEqual(getattr(protocol, name).get(), value)
        self.assertEqual(protocol.particle_diameter.get(), suggest_mask_diameter(SETTINGS.box, PIXEL).value)
        empty = self.new('ProtStaClass3D')
        self.assertIn('Choose extracted particles', self.wave(empty, 'particle_diameter'))
        self.assertIsNone(empty.particle_diameter.get())

    def test_filter_follows_the_resolution_of_the_reference(self):
        """The filter that suited the first average is far too strong, or too weak, for the next reference."""
        classified = self.done['class3d']
        resolution = classified.getModel().resolution
        protocol = self._class3d(referenceVolume=self.output('class3d', 'outputAverages.1'))
        self.assertIn('%.3g Å' % resolution, self.wave(protocol, 'ini_high'))
        self.assertTrue(1.1 * resolution <= protocol.ini_high.get() < 1.1 * resolution + 5 + 1e-6)

    def test_search_follows_the_history(self):
        """Picks with angles, and particles that a classification has aligned."""
        protocol = self._class3d()
        self.assertIn('come with angles', self.wave(protocol, 'sampling'))
        self.assertEqual(protocol.getEnumText('sampling'), '3.7 degrees')
        self.assertEqual((protocol.do_local_ang_searches.get(), protocol.offset_range.get()), (True, 2.0))
        refine = self.new('ProtStaRefine3D', inputParticles=self.output('class3d', 'outputParticles'))
        said = self.wave(refine, 'sampling')
        self.assertIn('the run before (iteration 2) has aligned the particles to 7.5 degrees', said)
        self.assertEqual(refine.getEnumText('sampling'), refine.getEnumText('auto_local_sampling'))

    def test_maps_of_the_project(self):
        """The reference is the map of these particles, and of no others; a mask must fit, or there is none."""
        protocol = self.new('ProtStaRefine3D', inputParticles=self.output('class3d', 'outputParticles'))
        self.assertIn('was made with these particles', self.wave(protocol, 'referenceVolume'))
        self.assertEqual(protocol.referenceVolume.get().getFileName(),
                         self.done['class3d'].outputAverages[1].getFileName())
        protocol = self.new('ProtStaClass3D', inputParticles=self.output('extract', 'outputParticles'))
        self.wave(protocol, 'referenceVolume')
        self.assertIsNotNone(protocol.referenceVolume.get())
        self.assertEqual(protocol.validate(), [])

    def test_processes_of_this_computer(self):
        """An even number of processes stops an auto-refine; images that do not fit into memory stop the computer."""
        protocol = self.new('ProtStaRefine3D', inputParticles=self.output('extract', 'outputParticles'))
        said = self.wave(protocol, 'do_preread_images')
        mpi, threads = protocol.numberOfMpi.get(), protocol.numberOfThreads.get()
        self.assertTrue(mpi >= 3 and mpi % 2 == 1 and (mpi - 1) * threads <= max(2, cores()), (mpi, threads))
        self.assertIn('%d MPI processes of %d thread' % (mpi, threads), said)
        self.assertTrue(protocol.do_preread_images.get())
        self.assertIn('0.5, 1, 2, 4', self.wave(self._class3d(), 'tau_fudge'))

    # ------------------------------------------------------------- selections
    def test_columns_are_listed(self):
        """Nobody knows RELION's names of columns by heart."""
        from pyworkflow.gui.dialog import RESULT_YES
        protocol = self.new('ProtStaSelectParticles', inputParticles=self.output('class3d', 'outputParticles'),
                            operation='by a value')

        def choose(dialog):
            settle(dialog, 0.5)
            self.keepPicture('column_list')
            rows.update((key, dialog.tree.item(key)['values']) for key in dialog.tree.get_children())
            dialog.tree.selection_set('rlnLogLikeliContribution')
            dialog._handleResult(RESULT_YES)

        rows = {}
        self.wave(protocol, 'column', choose)
        self.assertEqual(protocol.column.get(), 'rlnLogLikeliContribution')
        lowest, _, highest = map(float, rows['rlnMaxValueProbDistribution'])
        self.assertTrue(0 <= lowest <= highest <= 1)
        self.assertNotIn('rlnTomoName', rows)

    # ------------------------------------------------------------------- all
    def test_every_wand_is_beside_a_field(self):
        """A wand on a field that was renamed is never seen again; one that needs an input must say so."""
        domain = self.window.project.getDomain()
        for name in protocols.__all__:
            protocol = self.new(name)
            for param, wizard in domain.findWizards(protocol, DESKTOP_TKINTER).items():
                # that of the job.star is for all jobs that RELION's GUI has
                if wizard.__module__.startswith('relionsta') and param != SETTINGS_FILE:
                    with self.part(protocol=name, wand=param):
                        self.assertIsNotNone(protocol.getParam(param))
                        self.assertTrue(wizard.__doc__)
        settle(self.window.root, 0.1)
