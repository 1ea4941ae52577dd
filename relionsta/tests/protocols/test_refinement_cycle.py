"""The refinement cycle on a data set whose defocus and alignment are known to be wrong."""
import csv
import os
import time

import numpy as np
from pwem.objects import VolumeMask
from pyworkflow.object import Pointer
from pyworkflow.protocol.constants import MODE_RESUME

from relionsta.convert.bulk import read_columns
from relionsta.jobs.cycle import ALWAYS, BETTER, CTF, POLISH, REFINE, RULES, START
from relionsta.protocols.extract_again import newExtraction
from relionsta.results.ladder import gain, kept_rungs, read_ladder
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SEED
from relionsta.tests.protocols.scene import SETTINGS as SCENE_SETTINGS
from relionsta.tests.protocols.series_scene import BOX, PIXEL, WRONG, SeriesCase
from relionsta.tests.protocols.test_refine_series import NUMBER, defocus_error, shift_error
from relionsta.viewers import ProtStaLadderViewer
from relionsta.viewers.figure_view import FigureView

SETTINGS = dict(lowpass_filter=20.0, extend_inimask=2, width_mask_edge=4, estimationBox=BOX, referenceBox=BOX, max_error=10,
                do_auto_bfac=False, numberOfThreads=2)
STEPS = [START, CTF + ' 1', POLISH + ' 1', CTF + ' 2', POLISH + ' 2']
#: Seconds after which a run that has not begun is given up.
PATIENCE = 240


class TestStaRefinementCycle(SeriesCase):
    """A round that is stopped and gone on with; then a second one, in which only what is better is kept."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cycle = cls.new('ProtStaRefinementCycle', inputParticles=cls.halved, **SETTINGS)
        cls.proj.launchProtocol(cls.cycle, wait=False)
        cls.stopped = cls._stop_in('ProtStaCtfRefine')
        cls._go_on()
        cls.first, cls.children = cls.cycle.getLadder(), cls.cycle.getChildIds()
        cls.cycle.rounds.set(2)
        cls.cycle.keepWhen.set(RULES.index(BETTER))
        cls._go_on()
        cls.ladder = cls.cycle.getLadder()

    @classmethod
    def _stop_in(cls, protocol):
        """Stop the cycle as soon as a run of this class works; returns the children of that moment."""
        end = time.time() + PATIENCE
        while not cls._at_work(protocol):
            if time.time() > end or not cls.cycle.isActive():
                raise AssertionError('%s has not begun' % protocol)
            time.sleep(0.3)
            cls._look()
        cls._look()
        cls.proj.stopProtocol(cls.cycle)
        cls.proj.mapper.commit()
        return cls.cycle.getChildIds()

    @classmethod
    def _look(cls):
        """What Scipion's GUI does every few seconds; without the commit nobody else could write to the project."""
        cls.proj._updateProtocol(cls.cycle)
        cls.proj.mapper.commit()

    @classmethod
    def _at_work(cls, protocol):
        folders = [name for name in os.listdir('Runs') if name.endswith('_' + protocol)]
        return [name for name in folders if int(name[:6]) > cls.cycle.getObjId()
                and os.path.exists(os.path.join('Runs', name, 'extra', 'run.sh'))]

    @classmethod
    def _go_on(cls):
        cls.cycle.runMode.set(MODE_RESUME)
        cls.road.launch(cls.cycle)

    def child(self, key):
        return self.cycle.loadChild(key)

    def test_resolution_climbs(self):
        """The reason for all of it; a quarter is what a whole cycle gains on data with such errors."""
        self.assertEqual([rung.step for rung in self.ladder], STEPS)
        self.assertEqual(self.first, self.ladder[:3])
        self.assertGreater(gain(self.ladder[0], kept_rungs(self.ladder)[-1]), 0.25)
        for rung in self.ladder:
            self.assertEqual((rung.box, rung.pixel), (BOX, PIXEL))
            self.assertEqual(rung.resolution, self.child('%s: resolution' % rung.step).getResult().resolution)

    def test_injected_errors_fall(self):
        """A better resolution of wrong parameters would be overfitting."""
        before, after = self.halved.getTomogramsStar(), self.cycle.outputParticles.getTomogramsStar()
        self.assertLess(defocus_error(after), 0.5 * defocus_error(before))
        self.assertLess(shift_error(after), 0.5 * shift_error(before))

    def test_one_mask_for_all(self):
        """Resolutions under two masks say nothing about a step."""
        masks = {self.child('%s: resolution' % step).getValues()['fn_mask'] for step in STEPS}
        self.assertEqual(masks, {self.child('%s: mask' % START).solventMask.getFileName()})

    def test_stopping_stops_the_child_and_going_on_repeats_nothing(self):
        """A second copy of a refinement costs days; one that is left at work changes files of which others are made."""
        self.assertIn(CTF + ' 1', self.stopped)
        self.assertLess(len(self.stopped), len(self.children))
        for key, number in self.stopped.items():
            self.assertEqual(self.children[key], number)
        for key, number in self.children.items():
            self.assertEqual(self.cycle.getChildIds()[key], number)
        mine = [name for name in os.listdir('Runs') if int(name[:6]) > self.cycle.getObjId()
                and int(name[:6]) <= max(self.cycle.getChildIds().values())]
        self.assertEqual(sorted(int(name[:6]) for name in mine), sorted(self.cycle.getChildIds().values()))
        self.assertEqual(len(mine), 4 + 3 * (len(STEPS) - 1) - 1)

    def test_a_step_that_does_not_help_is_not_gone_on_from(self):
        """Kept all the same, it would be in every later map."""
        refused = [number for number, rung in enumerate(self.ladder) if not rung.kept]
        self.assertTrue(refused, self.cycle.summary())
        base = self.ladder[0]
        for rung in self.ladder[1:]:
            taken = self.child(rung.step).inputParticles.get()
            wanted = self.halved if base.step == START else self.child(base.step).outputParticles
            self.assertEqual(taken.getObjId(), wanted.getObjId(), rung.step)
            self.assertEqual(rung.kept, rung.shell > base.shell)
            base = rung if rung.kept else base
        for number in refused:
            self.assertIn('not kept', self.cycle.summary()[number])
            self.assertIsNotNone(self.child(self.ladder[number].step))

    def test_results_are_those_of_the_last_step_that_was_kept(self):
        """What a user goes on with."""
        last = kept_rungs(self.ladder)[-1].step
        run, average = self.child(last), self.child('%s: average' % last).average
        particles = self.cycle.outputParticles
        self.assertEqual(particles.getSize(), NUMBER)
        self.assertEqual(particles.getTomogramsStar(), run.outputParticles.getTomogramsStar())
        columns = ['_particleName', '_particlesStar', '_transform._matrix', '_coordinate._x', '_randomSubset', '_outdatedBy']
        ours, theirs = (read_columns(some, columns) for some in (particles, run.outputParticles))
        for name in ['id'] + columns:
            np.testing.assert_array_equal(ours[name], theirs[name])
        self.assertEqual(self.cycle.average.getFileName(), average.getFileName())
        self.assertEqual(self.cycle.average.getHalfMaps(), average.getHalfMaps())
        self.assertEqual([fsc.getObjLabel() for fsc in self.cycle.fscs.iterItems()], STEPS)

    def test_tilt_series_and_ctfs_are_the_refined_ones(self):
        """An extraction by the sets, and one by the particles, must give the same images."""
        cycle = self.reloaded(self.cycle)
        particles = cycle.outputParticles
        self.assertEqual(particles.getTiltSeries().getObjId(), cycle.tiltSeries.getObjId())
        self.assertEqual(particles.getCtfs().getObjId(), cycle.ctfs.getObjId())
        self.assertEqual(cycle.ctfs.getSetOfTiltSeries().getObjId(), cycle.tiltSeries.getObjId())
        self.assertEqual(cycle.tiltSeries.getSize(), WRONG.series)
        again = newExtraction(self.proj, cycle, 'outputParticles')
        self.assertEqual(again.validate(), [])
        self.assertEqual(again.binned_size_pix.get(), self.extracted.outputParticles.getBoxSize())
        by_sets = self.new('ProtStaExtract', inputCoordinates=Pointer(self.picks, extended='outputCoordinates'), sizesBy=1,
                           inputTiltSeries=cycle.tiltSeries, inputCtfs=cycle.ctfs, boxBinning=2.0, binned_size_pix=BOX // 2)
        self.assertEqual(by_sets.validate(), [])

    def test_what_cannot_go_well_is_refused_before_the_first_run(self):
        """A cycle runs for days: what shows at the third step costs the first two."""
        small = self.shelf.map('cycle_mask.mrc', kind=VolumeMask, size=(48,) * 3, pixel=PIXEL)
        refine = dict(doRefine=True, particle_diameter=120.0)
        for values, words in (
                (dict(inputParticles=self.extracted.outputParticles), ('*Particles*', 'two half sets')),
                (dict(doCtf=False, doPolish=False), ('*CTF refinement?*', 'nothing is done')),
                (dict(rounds=0), ('*Number of rounds*: 0', '1 or more')),
                (dict(rounds=None), ('*Number of rounds*: empty',)),
                (dict(slack=-1), ('*Shells that a step may lose*: -1',)),
                (dict(referenceBox=63), ('*Box of the reference map (pix)*: 63', 'even')),
                (dict(referenceBox=400, estimationBox=400), ('*Box of the reference map (pix)*', '1200 Å', '960')),
                (dict(estimationBox=48), ('*Box size for estimation (pix)*: 48', '64 pixels')),
                (dict(solventMask=small), ('*Mask at binning 1 (optional)*', '48', '64')),
                (dict(do_shift_align=True, do_motion=True), ('*Fit per-particle motion?*', 'shift only')),
                (dict(focus_range=-1.0), ('*Defocus search range (A)*', '-1')),
                (dict(refine, refineMpi=4), ('*MPI processes of 3D auto-refine*: 4', 'odd')),
                (dict(refine, refineBinning=0.5), ('*Binning to extract at*: 0.5',)),
                (dict(refine, refineBox=31), ('*Box to extract (binned pix)*: 31', 'even')),
                (dict(refine, particle_diameter=500.0), ('*Mask diameter (A)*: 500', '192')),
                (dict(refine, refineMask=small), ('*Mask at that binning (optional)*', '48', '32'))):
            with self.part(values=values):
                asked = dict(dict(SETTINGS, inputParticles=self.halved), **values)
                found = self.new('ProtStaRefinementCycle', **asked).validate()
                self.assertTrue([text for text in found if all(word in text for word in words)], found)
        for values in ({}, refine, dict(refine, refineBinning=1.0), dict(estimationBox=None, referenceBox=None)):
            with self.part(values=values):
                self.assertEqual(self.new('ProtStaRefinementCycle', inputParticles=self.halved,
                                          **dict(SETTINGS, **values)).validate(), [])

    def test_analyze_results_shows_every_line(self):
        """The ladder is what the cycle is for; a line that opens nothing hides it."""
        viewer = ProtStaLadderViewer(project=self.proj, protocol=self.cycle)
        for line, title in (('showLadder', 'ladder'), ('showFscs', 'FSC'), ('showSlices', 'slices')):
            view, = viewer._getViews(line)
            self.assertIsInstance(view, FigureView)
            self.assertEqual(view.title, '%s: %s' % (self.cycle.getRunName(), title))
        fscs = viewer._getViews('showFscs')[0].figure.axes[0]
        self.assertTrue(fscs.get_lines()[0].get_label().startswith(
            '%s: %.2f Å' % (STEPS[-1], self.ladder[-1].resolution)), fscs.get_lines()[0].get_label())

    def test_files_of_the_ladder(self):
        """For a spreadsheet, a report, and other programs."""
        self.assertEqual(read_ladder(self.cycle._getExtraPath('ladder.json')), self.ladder)
        with open(self.cycle._getExtraPath('ladder.csv'), newline='') as file:
            self.assertEqual([row['step'] for row in csv.DictReader(file)], STEPS)
        self.assertGreater(os.path.getsize(self.cycle._getExtraPath('ladder.png')), 5000)
        told = '\n'.join(self.cycle.summary())
        self.assertIn('From %.2f to %.2f Å' % (self.ladder[0].resolution, kept_rungs(self.ladder)[-1].resolution), told)
        self.assertIn('Extract the particles again', told)


class TestStaRefinementCycleOfPoses(StaCase):
    """The step with images: extraction, reference and refinement."""

    _until = 'refine3d'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        refine = {name: value for name, value in SCENE_SETTINGS.refine3d.items()
                  if name in ('ini_high', 'sampling', 'auto_local_sampling', 'offset_range')}
        cls.particles = cls.output('refine3d', 'outputParticles')
        cls.cycle = cls.run_new(
            'ProtStaRefinementCycle', inputParticles=cls.particles, doCtf=False, doPolish=False, doRefine=True,
            keepWhen=ALWAYS, refineMask=cls.output('mask', 'solventMask'), refineArgs=SEED, do_auto_bfac=False,
            particle_diameter=SCENE_SETTINGS.diameter, **dict(SCENE_SETTINGS.mask, **refine))

    def test_images_are_extracted_as_before_and_refined(self):
        """Another box, dose limit or kind of image than before is no repetition of the step."""
        extract, refine = (self.cycle.loadChild('%s 1%s' % (REFINE, part)) for part in (': images', ''))
        before = self.done['extract'].outputParticles
        for get in ('getBoxSize', 'getSamplingRate', 'getKind', 'getSize'):
            self.assertEqual(getattr(extract.outputParticles, get)(), getattr(before, get)())
        self.assertEqual(extract.inputCoordinates.get().getObjId(), self.particles.get().getObjId())
        self.assertEqual(refine.inputParticles.get().getObjId(), extract.outputParticles.getObjId())
        values = refine.getValues()
        self.assertEqual((values['do_solvent_fsc'], values['nr_mpi'], values['fn_mask'], values['other_args']),
                         (True, 3, self.done['mask'].solventMask.getFileName(), SEED))
        self.assertEqual(values['fn_ref'], self.cycle.loadChild(REFINE + ' 1: reference').average.getFileName())

    def test_poses_go_on_and_half_sets_stay(self):
        """A particle that changes its half makes all later resolutions too good."""
        ours, first, child = (read_columns(some, ['_particleName', '_randomSubset', '_transform._matrix']) for some in (
            self.cycle.outputParticles, self.particles.get(), self.cycle.loadChild(REFINE + ' 1').outputParticles))
        np.testing.assert_array_equal(ours['id'], first['id'])
        np.testing.assert_array_equal(ours['_randomSubset'], first['_randomSubset'])
        np.testing.assert_array_equal(ours['_transform._matrix'], child['_transform._matrix'])
        self.assertGreater(np.abs(ours['_transform._matrix'] - first['_transform._matrix']).max(), 1e-4)

    def test_tilt_series_that_were_not_refined_are_no_output(self):
        """A copy of the imported ones would pass for refined."""
        self.assertFalse(hasattr(self.cycle, 'tiltSeries') or hasattr(self.cycle, 'ctfs'))
        self.assertIsNone(self.cycle.outputParticles.getOutdatedBy())
        self.assertEqual([rung.step for rung in self.cycle.getLadder()], [START, REFINE + ' 1'])
        self.assertEqual(self.cycle.average.getSamplingRate(), SCENE.pixel)
