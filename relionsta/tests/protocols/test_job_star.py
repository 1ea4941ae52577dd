"""Settings of a protocol as RELION's job.star, and of a job.star in a form."""
import os
from pathlib import Path

from relionsta import protocols
from relionsta.jobs.job_star import JobStarError, read_job_star
from relionsta.jobs.option import Kind
from relionsta.protocols.form import RUN_OPTIONS, jobValues, relionVersion
from relionsta.protocols.job_star import JOB_STAR, hasJobStar, loadJobStar, saveJobStar
from relionsta.star.cells import read_cells
from relionsta.tests.find import shared_data
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.relion.relion_gui import QUEUE, RelionGui, star_text


class TestStaJobStar(StaCase):
    """Both ways, for every form of a job that RELION's GUI has."""

    _until = 'reconstruct'

    def setUp(self):
        super().setUp()
        self.folder = Path(self.proj.getTmpPath('job_star %s' % self.id().rsplit('.', 1)[1].replace(' ', '_')))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = str(self.folder / JOB_STAR)

    def _forms(self):
        return [name for name in protocols.__all__ if hasJobStar(self.new(name))]

    def _changed(self, name):
        """A protocol of which no setting has its default."""
        protocol = self.new(name)
        changed = []
        for option in protocol._job.options:
            place = RUN_OPTIONS.get(option.name, option.name)
            if protocol.getParam(place) is None or option.name == 'scratch_dir':
                continue
            value = self._other(option)
            if option.kind is Kind.PATH:
                Path(value).touch()
            getattr(protocol, place).set(option.choices.index(value) if option.kind is Kind.CHOICE else value)
            changed.append(option.name)
        self.assertGreater(len(changed), 4)
        return protocol

    def _other(self, option):
        if option.kind is Kind.BOOL:
            return not option.default
        if option.kind in (Kind.INT, Kind.FLOAT):
            return 6 if option.default < 0 else option.default + (1 if option.kind is Kind.INT else 0.25)
        if option.kind is Kind.CHOICE:
            return option.choices[-1] if option.default != option.choices[-1] else option.choices[0]
        return str(self.folder / 'file.star') if option.kind is Kind.PATH else 'some text'

    def test_settings_go_from_form_to_form(self):
        """A setting that is lost on the way changes a job without a word."""
        names = self._forms()
        self.assertEqual(len(names), 13)
        for name in names:
            with self.part(protocol=name):
                source, target = self._changed(name), self.new(name)
                saveJobStar(source, self.path)
                loaded = loadJobStar(target, self.path)
                self.assertEqual(self._settings(target), self._settings(source))
                self.assertEqual((loaded.defaults, loaded.unknown), ((), ()))
                self.assertNotEqual(self._settings(self.new(name)), self._settings(source))

    @staticmethod
    def _settings(protocol):
        """RELION's values of what its present version has in the form."""
        values = jobValues(protocol, protocol._job, skip=protocol._filledIn)
        return {name: value for name, value in values.items() if protocol._job.option(name).exists_in(relionVersion())}

    def test_runs_leave_one_that_relion_understands(self):
        """What RELION's GUI would run for the file that a run leaves is what the run did."""
        mask = self.run_new('ProtStaMask', inputVolume=self.output('reconstruct', 'average'), lowpass_filter=40.0)
        runs = [mask] + [run for run in self.done.values() if hasJobStar(run)]
        self.assertGreaterEqual(len(runs), 3)
        gui = RelionGui(self.folder)
        for run in runs:
            with self.part(run=run.getRunName()):
                blocks = read_cells(run._getJobPath(JOB_STAR))
                rows = dict(zip(*blocks['joboptions_values'].columns.values()))
                out = gui.next_out(run._job.folder)
                answer = gui.ask(run._job.type, out, star_text(run._job.type, {**rows, **QUEUE}))
                self.assertEqual(answer.refused, '')
                ours = [[token.replace(run._getJobPath() + os.sep, out) for token in tokens] for tokens in run.getCommands()]
                self.assertEqual(answer.commands, ours)
                asked = read_job_star(run._getJobPath(JOB_STAR))
                self.assertEqual(run._job.complete(asked.values), run._job.complete(run.getValues()))

    def test_inputs_stay_and_are_named(self):
        """An input by a file of another project would be read from nowhere, or worse, from somewhere."""
        average = self.output('reconstruct', 'average')
        run = self.run_new('ProtStaMask', inputVolume=average, lowpass_filter=40.0, inimask_threshold=0.5)
        form = self.new('ProtStaMask')
        loaded = loadJobStar(form, run._getJobPath(JOB_STAR))
        self.assertIsNone(form.inputVolume.get())
        self.assertEqual((form.lowpass_filter.get(), form.inimask_threshold.get()), (40.0, 0.5))
        self.assertEqual(list(loaded.left), ['Input 3D map'])
        self.assertIn(os.path.basename(average.get().getFileName()).split(':')[0], loaded.left['Input 3D map'])
        self.assertIn('Not taken over', '\n'.join(loaded.lines()))

    def test_another_job_is_refused(self):
        """Options of one name mean other things in other jobs."""
        saveJobStar(self.new('ProtStaMask', lowpass_filter=33.0), self.path)
        form = self.new('ProtStaPostProcess')
        with self.assertRaisesRegex(JobStarError, 'Mask creation.*Post-processing.*Choose'):
            loadJobStar(form, self.path)
        Path(self.path).write_text(Path(self.path).read_text().replace('33', 'much'))
        form = self.new('ProtStaMask', extend_inimask=7)
        with self.assertRaisesRegex(JobStarError, 'lowpass_filter.*much'):
            loadJobStar(form, self.path)
        self.assertEqual(form.extend_inimask.get(), 7)

    def test_what_a_file_lacks_takes_relions_default(self):
        """As in RELION; and it is said, since a form that was filled in by hand changes."""
        Path(self.path).write_text(star_text('relion.class3d', {'nr_classes': '3', 'sampling': '3.7 degrees', 'odd': '1'}))
        form = self.new('ProtStaClass3D', tau_fudge=3.0, nr_iter=7)
        loaded = loadJobStar(form, self.path)
        self.assertEqual((form.nr_classes.get(), form.tau_fudge.get(), form.nr_iter.get()), (3, 1.0, 25))
        self.assertEqual(form.getEnumText('sampling'), '3.7 degrees')
        self.assertIn('Regularisation parameter T', loaded.defaults)
        self.assertEqual(loaded.unknown, ('odd',))
        self.assertNotIn('Number of classes', loaded.defaults)

    def test_sizes_of_relion_5_0(self):
        """RELION 5.0 gives sizes as binning and pixels; the form has a place for them."""
        form = self.new('ProtStaExtract', inputTiltSeries=self.done['import_aretomo3'].tiltSeries)
        loaded = loadJobStar(form, str(shared_data('relion5-hiv-project') / 'Extract' / 'job031' / 'job.star'))
        pixel = form.inputTiltSeries.get().getSamplingRate()
        self.assertEqual((form.getBinning(), form.binned_size_pix.get()), (1.0, 192))
        self.assertAlmostEqual(form.precrop_size_angst.get(), 512 * pixel, places=3)
        self.assertEqual((form.max_dose.get(), form.numberOfMpi.get(), form.numberOfThreads.get()), (50.0, 5, 12))
        self.assertEqual(form.getEnumText('subtomo_format'), '2D stacks')
        self.assertEqual(list(loaded.left), ['Input optimisation set'])
        form = self.new('ProtStaExtract')
        loaded = loadJobStar(form, str(shared_data('relion5-hiv-project') / 'Extract' / 'job031' / 'job.star'))
        self.assertEqual(loaded.left['Box size (binned pix)'], '512')

    def test_files_are_taken_where_they_are(self):
        """A name that is right in RELION's project is wrong in Scipion's."""
        project = self.folder / 'relion'
        place = project / 'PostProcess' / 'job009'
        place.mkdir(parents=True)
        (project / 'mtf.star').touch()
        (place / JOB_STAR).write_text(star_text('relion.postprocess', {'fn_mtf': 'mtf.star'}))
        form = self.new('ProtStaPostProcess')
        loadJobStar(form, str(place / JOB_STAR))
        self.assertTrue(os.path.samefile(form.fn_mtf.get(), str(project / 'mtf.star')))
        (place / JOB_STAR).write_text(star_text('relion.postprocess', {'fn_mtf': 'nowhere.star'}))
        form = self.new('ProtStaPostProcess')
        loaded = loadJobStar(form, str(place / JOB_STAR))
        self.assertEqual((form.fn_mtf.get(), loaded.left['MTF of the detector (STAR file)']), ('', 'nowhere.star'))

    def test_the_name_of_the_file_is_no_part_of_the_work(self):
        """Looking at a job.star must not make Continue run RELION again."""
        form = self.new('ProtStaMask')
        before = form._fingerprint(work=True), form._fingerprint(work=False)
        form.settingsFile.set('job.star')
        self.assertEqual((form._fingerprint(work=True), form._fingerprint(work=False)), before)
