"""The other ways to run CTF refinement and Bayesian polishing, and what is refused before the run."""
import os

import numpy as np

from relionsta.convert.bulk import read_columns
from relionsta.convert.marks import remembered_hand
from relionsta.star import read_star, write_star
from relionsta.star.trajectories import read_trajectories
from relionsta.tests.protocols.series_scene import BOX, PIXEL, WRONG, SeriesCase
from relionsta.tests.protocols.test_refine_series import shift_error, tables
from relionsta.viewers import ProtStaSeriesRefineViewer

FEW = 8
NUMBER = WRONG.series * WRONG.particles


class TestStaRefineSeriesVariants(SeriesCase):
    """Every kind of refinement, once."""

    def refine(self, protocol, particles, **values):
        """Run a refinement against the shared reference."""
        return self.run_new(protocol, inputParticles=particles, referenceVolume=self.output(self.average, 'average'),
                            box_size=BOX, **{'numberOfThreads': 2, **values})

    def particles(self, name, keep=None, of_set=None):
        """A copy of the particles, perhaps fewer."""
        return self.shelf.changed(self.halved, name, keep=keep, of_set=of_set)

    def test_two_processes_refine_a_tilt_series_each_and_unknown_sets_are_made(self):
        """With MPI both series must come back; and particles that do not know Scipion's sets must still give them."""
        def forget(particles):
            particles._tiltSeriesPointer.set(None)
            particles._ctfsPointer.set(None)
        run = self.refine('ProtStaCtfRefine', self.particles('unrelated', of_set=forget), numberOfMpi=2, numberOfThreads=1,
                          do_defocus=False)
        with open(run._getExtraPath('run.sh')) as handle:
            self.assertIn('relion_tomo_refine_ctf_mpi', handle.read())
        self.assertEqual(sorted(run.tiltSeries.getTSIds()), WRONG.series_names)
        self.assertEqual(sorted(run.ctfs.getTSIds()), WRONG.series_names)
        self.assertEqual(run.ctfs.getSetOfTiltSeries().getObjId(), run.tiltSeries.getObjId())
        self.assertEqual(remembered_hand(run.ctfs), WRONG.hand)
        before, after = (tables(particles.getTomogramsStar()) for particles in (self.halved, run.outputParticles))
        for name, table in after.items():
            self.assertGreater(np.abs(table['rlnCtfScalefactor'] - before[name]['rlnCtfScalefactor']).max(), 0.01)
            np.testing.assert_allclose(table['rlnDefocusU'], before[name]['rlnDefocusU'], rtol=1e-6)

    def test_aberrations_stay_with_the_particles(self):
        """They are in the optics table alone; a set of CTFs that did not change must not be handed out as refined."""
        run = self.refine('ProtStaCtfRefine', self.halved, do_defocus=False, do_scale=False, do_even_aberr=True,
                          do_odd_aberr=True)
        self.assertFalse(hasattr(run, 'ctfs'))
        particles = run.outputParticles
        self.assertEqual(particles.getSize(), NUMBER)
        self.assertEqual(particles.getTomogramsStar(), self.halved.getTomogramsStar())
        optics = read_star(particles.getParticlesStars()[0], ['optics'])['optics']
        for label in ('rlnEvenZernike', 'rlnOddZernike'):
            values = [float(number) for number in optics[label].iloc[0].strip('[]').split(',')]
            self.assertTrue(np.isfinite(values).all() and np.any(values), label)
        self.assertIn('Aberrations', '\n'.join(run.summary()))

    def test_shift_only_leaves_particles_and_angles_alone(self):
        """RELION writes no particles then: those that went in must go on."""
        run = self.refine('ProtStaPolish', self.halved, do_shift_align=True, shift_align_type='Only particles', max_error=10)
        columns = ['_particleName', '_coordinate._x', '_coordinate._y', '_coordinate._z', '_transform._matrix']
        before, after = (read_columns(particles, columns) for particles in (self.halved, run.outputParticles))
        for name in ['id'] + columns:
            np.testing.assert_array_equal(before[name], after[name])
        star = run.outputParticles.getTomogramsStar()
        self.assertLess(shift_error(star), 0.7 * shift_error(self.halved.getTomogramsStar()))
        for table in tables(star).values():
            np.testing.assert_array_equal(table['rlnTomoXTilt'], 0)
        self.assertTrue(hasattr(run, 'tiltSeries'))

    def test_trajectories_follow_the_particles_through_extraction(self):
        """Motion that is lost on the way, or taken for another particle's, undoes the polishing in silence."""
        few = self.particles('few', keep=lambda particle: particle.getObjId() // 2 % (NUMBER // FEW) == 0)
        run = self.refine('ProtStaPolish', few, do_motion=True, max_error=10)
        particles = run.outputParticles
        names = set(read_columns(particles, ['_particleName'])['_particleName'])
        self.assertEqual(len(names), FEW)
        moved = read_trajectories(particles.getTrajectoriesStar())
        self.assertEqual(set(moved), names)
        self._check_views(run, sorted(names))
        half = self.shelf.changed(particles, 'fewer', keep=lambda particle: particle.getObjId() % 2 == 0)
        for source, series in ((half, None), (self.output(run, 'outputParticles'), self.output(run, 'tiltSeries'))):
            with self.part(own_tilt_series=series is None):
                inputs = {} if series is None else dict(inputTiltSeries=series, inputCtfs=self.output(self.imported, 'ctfs'))
                again = self.run_new('ProtStaExtract', inputCoordinates=source, sizesBy=1, boxBinning=2.0,
                                     binned_size_pix=BOX // 2, **inputs)
                kept = read_columns(again.outputParticles, ['_particleName'])['_particleName']
                self.assertEqual(len(kept), half.getSize() if series is None else FEW)
                after = read_trajectories(again.outputParticles.getTrajectoriesStar())
                for name in kept:
                    self.assertEqual(after[name].split(), moved[name].split())
        foreign = self.new('ProtStaExtract', inputCoordinates=self.output(run, 'outputParticles'),
                           inputTiltSeries=self.output(self.imported, 'tiltSeries'),
                           inputCtfs=self.output(self.imported, 'ctfs'), sizesBy=1, boxBinning=2.0,
                           binned_size_pix=BOX // 2)
        self.assertEqual(foreign.validate(), [])
        self.assertIn('trajectories', '\n'.join(foreign.warnings()))
        self.assertEqual(foreign.getValues()['in_trajectories'], '')

    def _check_views(self, run, names):
        """What moved is shown as RELION's files say it, for the tilt images and for the particles."""
        viewer = ProtStaSeriesRefineViewer(project=self.proj)
        viewer.setProtocol(run)
        images, particles = (view.figure for view in viewer._getViews('showMoved'))
        changes = run.getChanges()
        shifts = np.hypot(changes['shift_x'], changes['shift_y'])
        self.assertIn('%.2f Å in the median' % shifts.median(), images._suptitle.get_text())
        self.assertIn('of %d' % FEW, particles.axes[0].get_legend().get_texts()[0].get_text())
        self.assertEqual(len(viewer._getViews('showSeries')[0].figure.legends[0].get_texts()), 5)
        name = viewer._particleSource().largest()
        figure = viewer._getViews('showTrajectories')[0].figure
        inside = [one for one in names if one.startswith(name + '/')]
        self.assertIn('%s: %d particles' % (name, len(inside)), figure._suptitle.get_text())
        table = viewer._getViews('showTomograms')[0].table
        self.assertEqual(table['particles'].sum(), FEW)
        moved = viewer._particleSource().motion().moved()
        np.testing.assert_allclose(table['motion'][name], moved[inside].median())

    def test_deformations_reach_an_extraction_from_the_sets(self):
        """They are in no column that Scipion knows."""
        run = self.refine('ProtStaPolish', self.halved, do_deform=True, max_error=10)
        again = self.run_new('ProtStaExtract', inputCoordinates=self.output(self.picks, 'outputCoordinates'),
                             inputTiltSeries=self.output(run, 'tiltSeries'), inputCtfs=self.output(self.imported, 'ctfs'),
                             sizesBy=1, boxBinning=2.0, binned_size_pix=BOX // 2)
        stars = [particles.getTomogramsStar() for particles in (run.outputParticles, again.outputParticles)]
        wanted, ours = (read_star(star, ['global'])['global'].set_index('rlnTomoName') for star in stars)
        for label in ('rlnTomoDeformationGridSizeX', 'rlnTomoDeformationGridSizeY', 'rlnTomoDeformationType'):
            self.assertEqual(list(wanted[label]), list(ours.loc[wanted.index, label]))
        wanted, ours = (tables(star) for star in stars)
        for name, table in wanted.items():
            self.assertEqual(list(table['rlnTomoDeformationCoefficients']),
                             list(ours[name]['rlnTomoDeformationCoefficients']))


class TestStaRefineSeriesRefusals(SeriesCase):
    """What RELION would take in silence, crash on, or find out after hours."""

    def refused(self, protocol='ProtStaCtfRefine', **values):
        given = dict(inputParticles=self.halved, referenceVolume=self.average.average, box_size=BOX)
        return '\n'.join(self.new(protocol, **{**given, **values}).validate())

    def test_what_fits_is_accepted(self):
        """A check that refuses what is right makes all others useless."""
        for protocol in ('ProtStaCtfRefine', 'ProtStaPolish'):
            self.assertEqual(self.refused(protocol), '')

    def test_reference_at_another_pixel_size(self):
        """RELION compares it with the tilt images all the same."""
        halves = [self.shelf.file('other_half%d.mrc' % number, size=(32,) * 3, pixel=2 * PIXEL) for number in (1, 2)]
        binned = self.shelf.map('other.mrc', size=(32,) * 3, pixel=2 * PIXEL, halves=halves)
        for protocol in ('ProtStaCtfRefine', 'ProtStaPolish'):
            with self.part(protocol=protocol):
                text = self.refused(protocol, referenceVolume=binned)
                self.assertIn('6 Å/pixel and the tilt series have 3', text)
                self.assertIn('binning 1', text)

    def test_other_wrong_inputs(self):
        """Each with its numbers, and what to do."""
        small = self.shelf.map('small.mrc', size=(32,) * 3, pixel=PIXEL)
        cases = [('no half maps', dict(referenceVolume=self.shelf.map('no_halves.mrc', size=(BOX,) * 3, pixel=PIXEL)),
                  'no half maps'),
                 ('small box', dict(box_size=BOX - 2), 'Give at least %d' % BOX),
                 ('large box', dict(box_size=320), 'tilt images are only'),
                 ('odd box', dict(box_size=BOX + 1), 'must be even'),
                 ('mask', dict(solventMask=small), 'its box is 32 voxels and that of the reference is %d' % BOX),
                 ('no half sets', dict(inputParticles=self.extracted.outputParticles), 'not split into two half sets'),
                 ('both scales', dict(do_frame_scale=True, do_tomo_scale=True), 'scale per frame')]
        for name, values, wanted in cases:
            with self.part(case=name):
                self.assertIn(wanted, self.refused(**values))

    def test_particles_without_optics(self):
        """RELION crashes on them without a message."""
        blocks = read_star(self.halved.getParticlesStars()[0])
        star = self.shelf.path('no_optics.star')
        write_star(star, {name: block for name, block in blocks.items() if name != 'optics'})
        bare = self.shelf.changed(self.halved, 'no_optics', change=lambda particle: particle.setParticlesStar(star))
        self.assertIn('data_optics is missing', self.refused(inputParticles=bare))

    def test_shift_and_motion(self):
        """RELION's GUI refuses it, its program takes one of the two."""
        self.assertIn('fits no per-particle motion', self.refused('ProtStaPolish', do_shift_align=True, do_motion=True))

    def test_missing_stack_of_any_series_is_found(self):
        """Only the first series used to be looked at: RELION would fail at the last one, hours later."""
        stack = [series.getFirstItem().getFileName() for series in self.imported.tiltSeries.iterItems()][-1]
        os.rename(stack, stack + '.gone')
        try:
            for protocol, values in (('ProtStaCtfRefine', {}), ('ProtStaReconstruct', None), ('ProtStaExtract', None)):
                with self.part(protocol=protocol):
                    if values is None:
                        name = 'inputCoordinates' if protocol == 'ProtStaExtract' else 'inputParticles'
                        text = '\n'.join(self.new(protocol, **{name: self.halved}).validate())
                    else:
                        text = self.refused(protocol)
                    self.assertIn('%s does not exist' % stack, text)
        finally:
            os.rename(stack + '.gone', stack)

    def test_nothing_to_refine_and_idle_processes_are_warned_of(self):
        """Both run to their end, for nothing."""
        nothing = self.new('ProtStaCtfRefine', inputParticles=self.halved, referenceVolume=self.average.average,
                           box_size=BOX, do_defocus=False, do_scale=False, numberOfMpi=5)
        text = '\n'.join(nothing.warnings())
        self.assertIn('nothing is done', text)
        self.assertIn('only 2 tilt series', text)
