"""Parameter scans: runs in the project with their own values, ranked and gone on from."""
import os

from pwem.objects import VolumeMask

from relionsta.protocols.scan import FIGURE, RANKING
from relionsta.results.postprocess import read_postprocess
from relionsta.results.ranking import CRITERIA, MEASURES, read_ranking
from relionsta.tests.protocols.scan_case import ScanCase
from relionsta.tests.protocols.scene import SETTINGS
from relionsta.tests.protocols.series_scene import BOX, PIXEL, SeriesCase
from relionsta.viewers import ProtStaScanViewer


class TestStaScan(ScanCase):
    """Four values of T, two at a time."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = cls()
        cls.base = made.template()
        cls.finished = cls.road.launch(made.scan(cls.base, 'tau_fudge = 0.5, 1, 2, 4'))

    def runTest(self):
        """For the instance that sets the class up."""

    def test_children_are_ordinary_runs_with_their_values(self):
        """A run that is not like the others but for its value would be compared with them all the same."""
        found = self.children(self.finished)
        self.assertEqual([run.tau_fudge.get() for run in found.values()], [0.5, 1, 2, 4])
        graph = self.proj.getRunsGraph()
        for key, run in found.items():
            with self.part(child=key):
                self.assertTrue(run.isFinished())
                self.assertEqual(run.getObjLabel(), 'T scanned: %s' % key)
                self.assertIn(self.finished.getObjLabel(), run.getObjComment())
                self.assertEqual(*({name: value for name, value in one.getValues().items()
                                    if name not in ('tau_fudge', 'in_particles')} for one in (run, self.base)))
                self.assertEqual(run.outputParticles.getSize(), self.done['extract'].outputParticles.getSize())
                self.assertIn(run.strId(), [node.getName() for node in graph.getNode(
                    self.done['extract'].strId()).getChildren()])
        self.assertTrue(self.refreshed(self.base).isSaved())

    def test_the_figure_shows_the_ranking(self):
        """A bar beside the wrong setting chooses the wrong setting."""
        viewer = ProtStaScanViewer(project=self.proj)
        viewer.setProtocol(self.finished)
        figure = viewer._getViews('showRanking')[0].figure
        table = read_ranking(self.finished._getExtraPath(RANKING))
        names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
        self.assertEqual(names, ['%d.  tau_fudge = %s' % pair for pair in zip(table['rank'], table['tau_fudge'])])
        measure = CRITERIA[self.finished.getCriterion()][0][0]
        self.assertTrue(figure.axes[0].get_xlabel().startswith(MEASURES[measure].label))
        self.assertEqual([bar.get_width() for bar in figure.axes[0].patches], list(table[measure].astype(float)))

    def test_ranking_is_that_of_the_model_files_and_of_the_summary(self):
        """The best run is taken from here to the next step."""
        table = read_ranking(self.finished._getExtraPath(RANKING))
        runs = {run.getObjId(): run for run in self.children(self.finished).values()}
        self.assertEqual(sorted(table['run']), sorted(runs))
        truth = {number: (run.getModel().classes[0].resolution, -run.getModel().average_pmax)
                 for number, run in runs.items()}
        self.assertEqual(table['run'].tolist(), sorted(runs, key=truth.get))
        lines = [line for line in self.refreshed(self.finished).summary() if line[:2] in ('1.', '2.', '3.', '4.')]
        self.assertEqual(len(lines), 4)
        for line, (_, row) in zip(lines, table.iterrows()):
            self.assertTrue(line.startswith('%d. tau_fudge = %s: %.2f Å'
                                            % (row['rank'], row['tau_fudge'], row['resolution_A'])))
            self.assertIn('(run %d)' % row['run'], line)
        self.assertTrue(os.path.exists(self.finished._getExtraPath(FIGURE)))

    def test_outputs_are_those_of_the_best(self):
        """They go on: the same particles with the same poses, and the next job takes them."""
        best = int(read_ranking(self.finished._getExtraPath(RANKING))['run'].iloc[0])
        scan = self.refreshed(self.finished)
        run = next(run for run in self.proj.getRuns(refresh=False) if run.getObjId() == best)
        self.assertEqual(*([name for name, _ in one.iterOutputAttributes()] for one in (scan, run)))
        self.assertEqual(scan.outputParticles.getParticlesStars(), run.outputParticles.getParticlesStars())
        self.assertEqual(scan.outputClasses.getSize(), run.outputClasses.getSize())
        self.assertIn('run %d' % best, '\n'.join(scan.summary()))
        average = self.run_new('ProtStaReconstruct', inputParticles=self.output(scan, 'outputParticles'))
        self.assertEqual(average.average.getDim()[0], SETTINGS.box)

    def test_continue_makes_again_what_was_deleted_and_nothing_else(self):
        """A user who has deleted a run wants it back, not all of them once more."""
        scan = self.refreshed(self.finished)
        before = self.children(scan)
        ends = {key: run.endTime.get() for key, run in before.items()}
        self.proj.deleteProtocol(before['tau_fudge = 0.5'])
        scan = self.road.launch(self.refreshed(self.finished))
        after = self.children(scan)
        self.assertNotEqual(after['tau_fudge = 0.5'].getObjId(), before['tau_fudge = 0.5'].getObjId())
        self.assertTrue(after['tau_fudge = 0.5'].isFinished())
        for key in list(ends)[1:]:
            self.assertEqual((after[key].getObjId(), after[key].endTime.get()), (before[key].getObjId(), ends[key]))
        self.assertEqual(len(read_ranking(scan._getExtraPath(RANKING))), 4)


class TestStaScanForm(ScanCase):
    """What is refused before anything is started."""

    def test_wrong_values_are_refused_by_name(self):
        """A wrong value that is found when its run starts leaves a scan that is not whole."""
        base = self.template()
        for text, said in (('', 'nothing to try'), ('tau = 1', 'Did you mean tau_fudge'),
                           ('tau_fudge = x', 'write a number'), ('helical_twist_initial = 1, 2', 'has no effect'),
                           ('particle_diameter = 100, 1e5', 'box is only')):
            with self.part(text=text):
                self.assertRegex('\n'.join(self.scan(base, text).validate()), said)
        self.assertEqual(self.scan(base, 'tau_fudge = 1, 4').validate(), [])

    def test_a_mask_that_does_not_fit_is_refused(self):
        """Post-processing would refuse it, after the runs have worked for days."""
        mask = self.output('mask', 'solventMask')
        base = self.template()
        self.assertEqual(self.scan(base, 'tau_fudge = 1, 4', followUp=True, commonMask=mask).validate(), [])
        masking = self.done['mask']
        self.assertRegex('\n'.join(self.scan(masking, 'extend_inimask = 1, 2', followUp=True, commonMask=mask).validate()),
                         'makes nothing with half maps')

    def test_the_wand_lists_what_can_be_varied(self):
        """Inputs and the Run header are no settings, and what has no effect now is no use."""
        rows = self.scan(self.template(), '').describeOptions()
        self.assertEqual(rows['tau_fudge'][0], '1')
        self.assertFalse({'fn_ref', 'in_particles', 'nr_threads', 'helical_twist_initial'} & set(rows))


class TestStaScanFollowed(SeriesCase):
    """CTF refinement, with reconstruction and post-processing of each result under one mask."""

    def test_each_result_is_averaged_and_measured_under_the_common_mask(self):
        """CTF refinements state no resolution: they are compared by what becomes of the map, measured alike."""
        mask = self.shelf.put(self._mask())
        base = self.new('ProtStaCtfRefine', inputParticles=self.halved, referenceVolume=self.average.average,
                        box_size=2 * BOX, do_defocus=True, do_scale=False, numberOfThreads=1)
        self.proj.saveProtocol(base)
        scan = self.run_new('ProtStaScan', scannedRun=base, scanText='focus_range = 100, 3000', followUp=True,
                            commonMask=mask, numberOfThreads=2)
        table = read_ranking(scan._getExtraPath(RANKING)).set_index('focus_range')
        runs = {run.getObjId(): run for run in self.proj.getRuns(refresh=True)}
        made = {key: runs[number] for key, number in scan.getChildIds().items()}
        found = {}
        for value in ('100', '3000'):
            key = 'focus_range = %s' % value
            average, measured = made['%s, average' % key], made['%s, resolution' % key]
            self.assertEqual(average.inputParticles.get().getObjId(), made[key].outputParticles.getObjId())
            self.assertEqual((average.average.getDim()[0], average.average.getSamplingRate()), (BOX, PIXEL))
            self.assertEqual(measured.getValues()['fn_mask'], mask.getFileName())
            found[value] = read_postprocess(measured._getJobPath('postprocess.star')).resolution
            self.assertAlmostEqual(table['postprocess_A'][value], found[value])
            self.assertEqual(made[key].focus_range.get(), float(value))
            changes = made[key].getChanges()
            moved = (changes['defocus_after'] - changes['defocus_before']).abs().median()
            self.assertTrue(500 < moved < 2500, moved)  # it was wrong by more than 1000 Å
        self.assertLessEqual(found[table.index[0]], found[table.index[1]])
        best = made['focus_range = %s' % table.index[0]]
        self.assertEqual(scan.outputParticles.getParticlesStars(), best.outputParticles.getParticlesStars())
        self.assertEqual(scan.outputParticles.getCtfs().getFileName(), scan.ctfs.getFileName())
        self.assertEqual(scan.ctfs.getFileName(), best.ctfs.getFileName())

    def _mask(self):
        mask = VolumeMask()
        mask.setFileName(self.shelf.file('common.mrc', size=(BOX,) * 3, pixel=PIXEL))
        mask.setSamplingRate(PIXEL)
        return mask
