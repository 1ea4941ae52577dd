"""Runs that go on: where they were stopped, with more iterations, from another run; and any iteration as output."""
import json
import os
import signal
from unittest import mock

import mrcfile
import numpy as np
from pyworkflow.protocol.constants import MODE_RESUME

from relionsta.convert.bulk import read_columns
from relionsta.protocols.base import JOB_FOLDER
from relionsta.results.maps import read_header
from relionsta.tests.faults.injectors import processes
from relionsta.tests.faults.injectors.watch import Watch
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SETTINGS

NUMBER = SCENE.series * SCENE.particles
ITERATIONS, STOPPED = 8, 3
#: one Fourier shell of the box, 1/Å
SHELL = 1 / (SETTINGS.box * SETTINGS.pixel)


class ContinueCase(StaCase):
    """Ways to stop a run and to go on with it."""

    _until = 'class3d'

    @classmethod
    def stop_at(cls, protocol, name):
        """Start a run and stop it, as the button in the project's window does, when it has made a file of this pattern.

        RELION is halted until the stop arrives, or a quick job would be over by then.
        """
        cls.proj.launchProtocol(protocol, wait=False)
        with Watch(protocol._getExtraPath()) as watch:
            found = processes.wait_for(protocol, 1)
            watch.wait('%s/%s' % (JOB_FOLDER, name), 'made')
            processes.kill(found, 'RELION', signal.SIGSTOP)
        running = cls.proj.getProtocol(protocol.getObjId())
        cls.proj._updateProtocol(running)
        cls.proj.stopProtocol(running)
        if not running.isAborted():
            raise AssertionError('the run is %s' % running.getStatus())
        return running

    @classmethod
    def go_on(cls, protocol, **values):
        """Continue a run, with other values in its form."""
        for name, value in values.items():
            getattr(protocol, name).set(value)
        protocol.runMode.set(MODE_RESUME)
        return cls.road.launch(protocol)

    @staticmethod
    def files(protocol):
        return {name for name in os.listdir(protocol._getJobPath()) if name.startswith(('run_', 'initial'))}

    @staticmethod
    def programs(protocol):
        """Number of programs that the run has started."""
        with open(protocol._getExtraPath('relion_times.json')) as handle:
            return len(json.load(handle))

    @staticmethod
    def script(protocol):
        with open(protocol._getExtraPath('run.sh')) as handle:
            return handle.read()


class TestStaContinue(ContinueCase):
    """3D classification: it is the quickest."""

    def _class3d(self, **values):
        return self.new('ProtStaClass3D', inputParticles=self.output('extract', 'outputParticles'),
                        referenceVolume=self.output('reconstruct', 'average'), particle_diameter=SETTINGS.diameter,
                        numberOfThreads=2, **dict(SETTINGS.class3d, nr_classes=2, **values))

    def test_a_stopped_run_ends_as_one_left_alone(self):
        """Computers go down: what was computed before must count, and nothing half-written may come after it."""
        whole = self.road.launch(self._class3d(nr_iter=ITERATIONS))
        stopped = self.stop_at(self._class3d(nr_iter=ITERATIONS), 'run_it%03d_data.star' % STOPPED)
        done = stopped.getCompleteIterations()
        self.assertIn(len(done), (STOPPED - 1, STOPPED, STOPPED + 1))
        self.assertEqual(self.reloaded(stopped).outputParticles.getFirstItem().getParticlesStar(),
                         stopped._getJobPath('run_it%03d_data.star' % done[-1]))
        times = {name: os.path.getmtime(stopped._getJobPath(name))
                 for name in self.files(stopped) if name.startswith('run_it001')}
        for name in ('run_it007_data.star', 'run_it007_class002.mrc', 'RELION_JOB_ABORT_NOW'):
            with open(stopped._getJobPath(name), 'w') as handle:
                handle.write('of an earlier try')
        again = self.go_on(stopped)
        self.assertEqual(self.files(again), self.files(whole))
        self.assertIn('--continue %s' % again._getJobPath('run_it%03d_optimiser.star' % done[-1]), self.script(again))
        for name, when in times.items():
            self.assertEqual(os.path.getmtime(again._getJobPath(name)), when, name)
        self.assertEqual(again.getIteration(), ITERATIONS)
        self.assertEqual(again.outputParticles.getSize(), NUMBER)
        self.assertEqual(sum(one.getSize() for one in again.outputClasses.iterItems()), NUMBER)
        one, two = (1 / run.getModel().resolution for run in (whole, again))
        self.assertLessEqual(abs(one - two), 1.01 * SHELL)

    def test_more_iterations_other_iterations_and_a_fresh_start(self):
        """RELION is to run for what is new, and for nothing else."""
        protocol = self.road.launch(self._class3d(nr_iter=3))
        first = os.path.getmtime(protocol._getJobPath('run_it002_model.star'))
        with self.part(more='iterations'):
            self.go_on(protocol, nr_iter=5)
            self.assertEqual((protocol.getIteration(), self.programs(protocol)), (5, 2))
            self.assertEqual(os.path.getmtime(protocol._getJobPath('run_it002_model.star')), first)
        with self.part(another='iteration'):
            self.go_on(protocol, outputIteration=2)
            self.assertEqual(self.programs(protocol), 2)
            self.assertEqual(protocol.outputParticles.getFirstItem().getParticlesStar(),
                             protocol._getJobPath('run_it002_data.star'))
            self.go_on(protocol, outputIteration=-1, numberOfThreads=1)
            self.assertEqual((protocol.getIteration(), self.programs(protocol)), (5, 2))
        with self.part(another='question'):
            self.go_on(protocol, nr_classes=1, nr_iter=2)
            self.assertNotIn('--continue', self.script(protocol))
            self.assertEqual(protocol.getCompleteIterations(), [1, 2])
            self.assertEqual((protocol.outputAverages.getSize(), self.programs(protocol)), (1, 1))

    def test_a_new_run_goes_on_from_an_iteration_of_another(self):
        """Try another T from iteration 1 on, without losing what came of the old one."""
        before = self.done['class3d']
        files = {name: os.path.getmtime(before._getJobPath(name)) for name in self.files(before)}
        protocol = self.run_new('ProtStaClass3D', doContinue=True, continueRun=before, continueIteration=1, nr_iter=3,
                                changeSettings=True, tau_fudge=3.0, particle_diameter=150.0,
                                **{name: SETTINGS.class3d[name] for name in (
                                    'sampling', 'do_local_ang_searches', 'sigma_angles', 'offset_range', 'other_args')})
        self.assertEqual({name: os.path.getmtime(before._getJobPath(name)) for name in self.files(before)}, files)
        self.assertEqual((protocol.getCompleteIterations(), protocol.getIteration()), ([2, 3], 3))
        self.assertEqual(protocol.getModel().tau_fudge, 3)
        self.assertIn('Continued from iteration 1 of', '\n'.join(protocol.summary()))
        one, two = (read_columns(run.outputParticles, ['_particleName']) for run in (before, protocol))
        for column in ('id', '_particleName'):
            np.testing.assert_array_equal(one[column], two[column])
        self.assertEqual({pointer.getObjValue().getObjId() for pointer in protocol._inputPointers() if pointer.get()},
                         {pointer.getObjValue().getObjId() for pointer in before._inputPointers() if pointer.get()})
        with self.part(settings='of the run before'):
            same = self.new('ProtStaClass3D', doContinue=True, continueRun=before, nr_iter=3)
            told = dict(zip(*(same.getCommands()[0][start:] for start in (0, 1))))
            self.assertEqual(same.validate(), [])
            self.assertEqual(told['--continue'], before._getJobPath('run_it002_optimiser.star'))
            self.assertEqual((told['--particle_diameter'], told['--tau2_fudge'], told['--iter']),
                             ('%g' % SETTINGS.diameter, '1', '3'))
            self.assertIn('--sigma_ang', told)

    def test_only_what_can_change_is_asked(self):
        """A field that has no effect makes people believe that they changed something."""
        new, same, changed = (self.new('ProtStaClass3D', doContinue=cont, changeSettings=change)
                              for cont, change in ((False, False), (True, False), (True, True)))
        shown = [{name for name, _ in run.getDefinition().iterParams() if run.evalParamCondition(name)}
                 for run in (new, same, changed)]
        own = {'continueRun', 'continueIteration', 'changeSettings'}
        self.assertEqual(shown[1] - shown[0], own)
        self.assertTrue({'nr_iter', 'outputIteration'} | own <= shown[1])
        for name in ('inputParticles', 'referenceVolume', 'nr_classes', 'sym_name', 'tau_fudge', 'do_ctf_correction'):
            self.assertNotIn(name, shown[1])
        self.assertTrue({'tau_fudge', 'particle_diameter', 'solventMask', 'sampling'} <= shown[2])
        for name in ('inputParticles', 'referenceVolume', 'nr_classes', 'sym_name', 'do_ctf_correction', 'ini_high'):
            self.assertNotIn(name, shown[2])

    def test_relion_5_0_goes_on_under_the_same_names(self):
        """RELION 5.0 calls the files run_ct2_it003 and so on where it is told the root of names that it had."""
        before = self.done['class3d']
        with mock.patch('relionsta.protocols.iterative.relionVersion', return_value=(5, 0)):
            tokens = before._getRefineCommand(2)[0]
        root = tokens[tokens.index('--o') + 1]
        self.assertNotEqual(root, before._getJobPath('run'))
        self.assertEqual(os.path.normpath(root), before._getJobPath('run'))

    def test_what_cannot_be_continued_is_refused(self):
        """RELION says so after minutes in a queue, or goes on from something else."""
        before, good = self.done['class3d'], dict(doContinue=True, continueRun=self.done['class3d'], nr_iter=3)
        self.assertEqual(self.new('ProtStaClass3D', **good).validate(), [])
        unrun, empty = self._class3d(nr_iter=2), self.new('ProtStaClass3D')
        self.proj.saveProtocol(unrun)
        self.proj.saveProtocol(empty)
        for values, words in (
                (dict(continueIteration=7), ('*Iteration to continue from*', '7', '1, 2')),
                (dict(continueIteration=0), ('*Iteration to continue from*', '0', '1, 2')),
                (dict(continueRun=unrun), ('*Iteration to continue from*', 'none')),
                (dict(continueRun=empty), ('*Run to continue*', 'no inputs')),
                (dict(continueRun=None), ('*Run to continue*', 'EMPTY')),
                (dict(nr_iter=2), ('*Number of iterations*', '2', 'Choose more')),
                (dict(outputIteration=2), ('*Iteration to use*', '2', '3 to 3')),
                (dict(changeSettings=True, particle_diameter=500.0), ('*Mask diameter (A)*', '500'))):
            with self.part(values=values):
                errors = self.new('ProtStaClass3D', **dict(good, **values)).validate()
                self.assertTrue(any(all(word in error for word in words) for error in errors), errors)
                self.assertNotIn('Traceback', '\n'.join(errors))
        self.proj.deleteProtocol(unrun, empty)
        self.assertTrue(before.isFinished())


class TestStaContinueRefine(ContinueCase):
    """3D auto-refine: it has no number of iterations, and an end of its own."""

    def test_unconverged_then_an_iteration_then_the_end(self):
        """Auto-refine that was told to stop ends with exit code 0 and without a map; its iterations are good all the same.

        With the limit away it goes on to its end.
        """
        protocol = self.new(
            'ProtStaRefine3D', inputParticles=self.output('class3d', 'outputParticles'), numberOfMpi=3,
            referenceVolume=self.output('class3d', 'outputAverages.1'), particle_diameter=SETTINGS.diameter,
            **dict(SETTINGS.refine3d, do_solvent_fsc=False, other_args='--auto_iter_max 2 --random_seed 1'))
        self.proj.launchProtocol(protocol, wait=True)
        self.assertTrue(protocol.isFailed())
        self.assertEqual(list(protocol.iterOutputAttributes()), [])
        self.assertIn('did not converge', protocol.getErrorMessage())
        self.assertIn('complete are: 1, 2', protocol.getErrorMessage())
        self.go_on(protocol, outputIteration=2)
        with self.part(output='iteration 2'):
            self.assertEqual(self.programs(protocol), 1)
            self._check_iteration(protocol, 2)
        self.go_on(protocol, outputIteration=-1, other_args='--random_seed 1')
        with self.part(output='final'):
            self.assertEqual(self.programs(protocol), 2)
            self.assertIn('run_it002_optimiser.star', self.script(protocol))
            self.assertTrue(protocol.refinedVolume.getFileName().endswith('run_class001.mrc'))
            self.assertEqual(protocol.outputParticles.getFirstItem().getParticlesStar(),
                             protocol._getJobPath('run_data.star'))
            self.assertEqual(set(read_columns(protocol.outputParticles, ['_randomSubset'])['_randomSubset']), {1, 2})
            self.assertNotIn('not the final result', '\n'.join(protocol.summary()))
            self.assertGreater(len(protocol.getCompleteIterations()), 2)
        self.go_on(protocol, outputIteration=1)
        with self.part(output='iteration 1 of a converged run'):
            self.assertEqual(self.programs(protocol), 2)
            self._check_iteration(protocol, 1)

    def _check_iteration(self, protocol, number):
        """Half maps and particles of the iteration, and a map that is their mean."""
        protocol = self.reloaded(protocol)  # sets that were read before are open at what they were
        volume = protocol.refinedVolume
        halves = volume.getHalfMaps().split(',')
        self.assertEqual(halves, [protocol._getJobPath('run_it%03d_half%d_class001.mrc' % (number, half))
                                  for half in (1, 2)])
        one, two, mean = (mrcfile.read(path).astype(float) for path in halves + [volume.getFileName()])
        np.testing.assert_allclose(mean, (one + two) / 2, atol=1e-5 * np.abs(mean).max())
        header = read_header(volume.getFileName())
        self.assertEqual(header.size, (SETTINGS.box,) * 3)
        self.assertAlmostEqual(header.voxel[0], SETTINGS.pixel, places=4)
        self.assertEqual(protocol.outputParticles.getFirstItem().getParticlesStar(),
                         protocol._getJobPath('run_it%03d_data.star' % number))
        self.assertEqual(protocol.outputParticles.getSize(), NUMBER)
        self.assertIn('Iteration %d, not the final result' % number, '\n'.join(protocol.summary()))


class TestStaContinueExtract(ContinueCase):
    """Extraction goes on particle by particle."""

    def test_half_an_image_is_made_again_and_whole_ones_are_kept(self):
        """RELION goes on past every file that is there, whole or not."""
        good = self.done['extract']
        stopped = self.stop_at(
            self.new('ProtStaExtract', inputCoordinates=good.inputCoordinates, inputTiltSeries=good.inputTiltSeries,
                     inputCtfs=good.inputCtfs, box_size_angst=SETTINGS.box_angst, binned_size_pix=SETTINGS.box),
            'Subtomograms/TS_01/.*')
        left = self._images(stopped)
        torn = sorted(left)[0]
        with open(torn, 'r+b') as handle:
            handle.truncate(1500)
        kept = {path: os.path.getmtime(path) for path, size in left.items() if path != torn and size == max(left.values())}
        again = self.go_on(stopped)
        self.assertIn('--only_do_unfinished', self.script(again))
        self.assertEqual(sorted(os.path.basename(path) for path in self._images(again)),
                         sorted(os.path.basename(path) for path in self._images(good)))
        for path, size in self._images(again).items():
            self.assertEqual(size, os.path.getsize(path.replace(again._getJobPath(), good._getJobPath())), path)
        for path, when in kept.items():
            self.assertEqual(os.path.getmtime(path), when, path)
        self.assertEqual(again.outputParticles.getSize(), NUMBER)

    @staticmethod
    def _images(protocol):
        """Path -> bytes of every image."""
        return {os.path.join(folder, name): os.path.getsize(os.path.join(folder, name))
                for folder, _, names in os.walk(protocol._getJobPath('Subtomograms')) for name in names}
