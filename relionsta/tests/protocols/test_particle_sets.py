"""Sets of particles between the jobs: subsets, other forms, other sizes, another iteration, other inputs."""
import numpy as np
from pyworkflow.protocol.constants import MODE_RESUME

from relionsta import objects
from relionsta.convert.bulk import read_columns
from relionsta.demo.project import new_protocol
from relionsta.star import read_star
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SETTINGS

NUMBER = SCENE.series * SCENE.particles


class TestStaParticleSets(StaCase):
    """What Scipion's users do between the steps of the road."""

    _until = 'class3d'

    def test_a_subset_reaches_relion_and_nothing_else_does(self):
        """A job on a subset that gets the whole file throws away the work of choosing."""
        chosen, names = self._choose(self.output('class3d', 'outputParticles'), selectIds=True, range='2,4-6,9,12,15')
        self.assertEqual(len(names), 7)
        protocol = self.run_new('ProtStaReconstruct', inputParticles=chosen)
        rows = self.rows(protocol._getInputPath('particles.star'))
        self.assertEqual(list(rows.index), list(names))
        self.assertEqual(sorted(rows['rlnRandomSubset'].value_counts()), [3, 4])
        whole = self.rows(self.done['class3d'].outputParticles.getFirstItem().getParticlesStar())
        for column in ('rlnAngleRot', 'rlnAngleTilt', 'rlnAnglePsi', 'rlnOriginXAngst', 'rlnCenteredCoordinateXAngst'):
            np.testing.assert_allclose(rows[column], whole.loc[names, column], atol=1e-6)
        self.assertIn('Average of 7 particles', protocol.summary()[0])

    def test_a_subset_can_be_compared_with_the_whole_after_a_job(self):
        """Scipion intersects sets by id: with new ids, other particles than those chosen would be kept."""
        chosen, names = self._choose(self.output('extract', 'outputParticles'), selectIds=True, range='3,8-10,16')
        protocol = self.run_new('ProtStaClass3D', inputParticles=chosen, nr_iter=1, dont_skip_align=False,
                                referenceVolume=self.output('reconstruct', 'average'),
                                particle_diameter=SETTINGS.diameter)
        common, again = self._choose(self.output('extract', 'outputParticles'),
                                     inputSubSet=self.output(protocol, 'outputParticles'))
        self.assertEqual(list(again), list(names))

    def _choose(self, particles, **how):
        """Scipion's own subset of particles: a pointer to it, and the names that it has."""
        protocol = new_protocol(self.proj, 'ProtSubSet', 'Subset of a test', dict(inputFullSet=particles, **how))
        name, subset = next(self.road.launch(protocol).iterOutputAttributes())
        return self.output(protocol, name), read_columns(subset, ['_particleName'])['_particleName']

    def test_3d_subtomograms_go_through_a_classification(self):
        """RELION 5.1 writes a flag with its 3D pseudo-subtomograms that makes it refuse them afterwards."""
        extract = self.run_new('ProtStaExtract', inputCoordinates=self.output('class3d', 'outputParticles'),
                               box_size_angst=192.0, binned_size_pix=16, subtomo_format='3D pseudo-subtomos')
        particles = extract.outputParticles
        self.assertEqual(particles.getKind(), objects.PSEUDO_SUBTOMOS)
        self.assertEqual(particles.getDim(), (16, 16, 16))
        optics = read_star(extract._getJobPath('particles.star'), ['optics'])['optics']
        self.assertEqual(list(optics['rlnCtfDataAreCtfPremultiplied']), [1])
        self.assertEqual(set(read_columns(particles, ['_particleName'])['_particleName']),
                         set(read_columns(self.done['class3d'].outputParticles, ['_particleName'])['_particleName']))
        classes = self.run_new('ProtStaClass3D', inputParticles=self.output(extract, 'outputParticles'),
                               referenceVolume=self.output('reconstruct', 'average'), particle_diameter=SETTINGS.diameter,
                               nr_classes=2, nr_iter=1, dont_skip_align=False, ini_high=40.0)
        self.assertEqual(classes.outputAverages.getSize(), 2)
        self.assertEqual(classes.outputParticles.getSize(), NUMBER)
        self.assertEqual(sum(one.getSize() for one in classes.outputClasses), NUMBER)

    def test_particles_are_extracted_again_at_another_binning(self):
        """Going down in binning keeps every particle, its name and its refined pose."""
        protocol = self.run_new('ProtStaExtract', inputCoordinates=self.output('class3d', 'outputParticles'),
                                sizesBy='binning and pixels', boxBinning=1.25, binned_size_pix=30)
        before, after = self.done['class3d'].outputParticles, protocol.outputParticles
        self.assertAlmostEqual(after.getSamplingRate(), 1.25 * SCENE.pixel, places=4)
        self.assertAlmostEqual(after.getParticleBinning(), 1.25, places=4)
        self.assertEqual(after.getBoxSize(), 30)
        paths = ['_particleName', '_transform._matrix', '_coordinate._x', '_coordinate._y', '_coordinate._z']
        one, two = (read_columns(particles, paths) for particles in (before, after))
        for path in ['id'] + paths[:1]:
            np.testing.assert_array_equal(one[path], two[path])
        np.testing.assert_allclose(two['_transform._matrix'], one['_transform._matrix'], atol=1e-5)
        for path in paths[2:]:
            np.testing.assert_allclose(two[path], one[path], atol=1e-3)
        self.assertIn('binning 1.25', protocol.summary()[1])

    def test_another_iteration_becomes_the_output_without_running_again(self):
        """The last iteration is not always the best; RELION need not run for hours to give an earlier one."""
        protocol = self.run_new(
            'ProtStaClass3D', inputParticles=self.output('extract', 'outputParticles'),
            referenceVolume=self.output('reconstruct', 'average'), particle_diameter=SETTINGS.diameter,
            outputIteration=1, **SETTINGS.class3d)
        self._check_iteration(protocol, 1)
        with open(protocol._getExtraPath('relion_times.json')) as handle:
            times = handle.read()
        protocol.outputIteration.set(-1)
        protocol.runMode.set(MODE_RESUME)
        self.road.launch(protocol)
        self._check_iteration(protocol, 2)
        with open(protocol._getExtraPath('relion_times.json')) as handle:
            self.assertEqual(handle.read(), times, 'RELION ran again')

    def _check_iteration(self, protocol, iteration):
        star = protocol._getJobPath('run_it%03d_data.star' % iteration)
        particles = protocol.outputParticles
        self.assertEqual(particles.getFirstItem().getParticlesStar(), star)
        rows = read_star(star, ['particles'])['particles']
        self.assertEqual(particles.getSize(), len(rows))
        self.assertTrue(protocol.outputAverages.getFirstItem().getFileName().endswith('run_it%03d_class001.mrc' % iteration))
        self.assertIn('Iteration %d of 2' % iteration, protocol.summary()[0])

    def test_continue_with_other_inputs_does_all_again(self):
        """Scipion skips steps that were finished, even if their inputs have been exchanged since."""
        protocol = self.run_new('ProtStaReconstruct', inputParticles=self.output('extract', 'outputParticles'))
        first = self.rows(protocol._getInputPath('particles.star'))
        protocol.inputParticles.set(self.done['class3d'])
        protocol.inputParticles.setExtended('outputParticles')
        protocol.runMode.set(MODE_RESUME)
        self.road.launch(protocol)
        second = self.rows(protocol._getInputPath('particles.star'))
        self.assertGreater(np.abs(second['rlnAngleRot'] - first['rlnAngleRot']).max(), 0.1)
