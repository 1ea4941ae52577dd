"""3D initial reference: a map from the particles alone."""
import os

import mrcfile
import numpy as np

from relionsta.convert.bulk import read_columns
from relionsta.results.maps import read_header
from relionsta.star import read_star
from relionsta.tests.protocols.scene import SETTINGS
from relionsta.tests.protocols.subsets import by_hand
from relionsta.tests.protocols.test_continue import ContinueCase

BOX, PIXEL = SETTINGS.box, SETTINGS.pixel
#: few, so that a global search takes seconds
NUMBER, CLASSES, ITERATIONS = 4, 2, 4


class TestStaInitialModel(ContinueCase):
    """Two classes, stopped on the way, with symmetry looked for afterwards."""

    _until = 'extract'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        particles = cls.output('extract', 'outputParticles')
        few = by_hand(cls, particles.get(), read_columns(particles.get(), [])['id'][::4][:NUMBER])
        stopped = cls.stop_at(cls.new('ProtStaInitialModel', inputParticles=few, **cls._values()),
                              'run_it002_class001.mrc')
        cls.before = stopped.getCompleteIterations()
        cls.protocol = cls.go_on(stopped)
        cls.commands = cls.script(cls.protocol)

    @staticmethod
    def _values():
        return dict(particle_diameter=SETTINGS.diameter, nr_iter=ITERATIONS, nr_classes=CLASSES, sym_name='C2',
                    numberOfThreads=2, other_args='--random_seed 1')

    def test_it_went_on_from_where_it_was_stopped(self):
        """A descent of hours must not begin again because a computer went down."""
        self.assertIn(self.before, ([1], [1, 2]))
        self.assertEqual(self.protocol.getCompleteIterations(), list(range(1, ITERATIONS + 1)))
        self.assertIn('--continue %s' % self.protocol._getJobPath('run_it%03d_optimiser.star' % self.before[-1]),
                      self.commands)
        self.assertIn('relion_align_symmetry', self.commands)

    def test_maps_have_the_box_and_pixel_size_of_the_particles(self):
        """The next job takes the map as its reference: its header must be right."""
        maps = [one.clone() for one in self.protocol.outputAverages] + [self.protocol.initialVolume]
        self.assertEqual(len(maps), CLASSES + 1)
        for volume in maps:
            header = read_header(volume.getFileName())
            self.assertEqual((header.size, volume.getDim()), ((BOX,) * 3,) * 2)
            self.assertAlmostEqual(header.voxel[0], PIXEL, places=4)
            self.assertAlmostEqual(volume.getSamplingRate(), PIXEL, places=4)
        self.assertGreater(np.std(mrcfile.read(self.protocol.initialVolume.getFileName())), 0)

    def test_the_initial_reference_has_the_symmetry(self):
        """The largest class, turned so that its axis is along Z: a half turn about Z must leave it as it is."""
        data = mrcfile.read(self.protocol.initialVolume.getFileName())[1:, 1:, 1:]  # symmetric about voxel N/2
        turned = data[:, ::-1, ::-1]
        self.assertGreater(np.corrcoef(data.ravel(), turned.ravel())[0, 1], 0.99)
        largest = max(self.protocol.getModel().classes, key=lambda one: one.distribution)
        average = mrcfile.read(self.protocol._getJobPath('run_it%03d_class%03d.mrc' % (ITERATIONS, largest.number)))
        self.assertGreater(np.abs(average[1:, 1:, 1:] - data).max(), 0)

    def test_every_particle_is_in_a_class(self):
        """Particles without a class, or in two, would be lost or doubled in the next step."""
        protocol = self.protocol
        sizes = {one.getObjId(): one.getSize() for one in protocol.outputClasses.iterItems()}
        self.assertEqual((sorted(sizes), sum(sizes.values())), ([1, 2], NUMBER))
        columns = read_columns(protocol.outputParticles, ['_particleName', '_classId'])
        rows = read_star(protocol._getJobPath('run_it004_data.star'), ['particles'])['particles']
        self.assertEqual(dict(zip(columns['_particleName'], columns['_classId'])),
                         dict(zip(rows['rlnTomoParticleName'], rows['rlnClassNumber'])))
        self.assertEqual({number: list(columns['_classId']).count(number) for number in sizes}, sizes)

    def test_it_says_that_angles_and_map_do_not_fit(self):
        """Local searches around these angles, in the map that was turned, find nothing."""
        self.assertIn('do not fit the initial reference', '\n'.join(self.protocol.summary()))

    def test_another_symmetry_needs_no_other_descent(self):
        """Nobody knows the symmetry before there is a map."""
        protocol, names = self.protocol, self.files(self.protocol)
        before = {name: os.path.getmtime(protocol._getJobPath(name)) for name in names if name.startswith('run_')}
        try:
            self.go_on(protocol, sym_name='C1', outputIteration=3)
            told = '\n'.join(protocol.summary())
            self.assertIn('Iteration 3 of 4', told)
            self.assertNotIn('do not fit', told)
            self.assertEqual({name: os.path.getmtime(protocol._getJobPath(name)) for name in before}, before)
            largest = max(protocol.getModel().classes, key=lambda one: one.distribution)
            np.testing.assert_array_equal(
                mrcfile.read(protocol.initialVolume.getFileName()),
                mrcfile.read(protocol._getJobPath('run_it003_class%03d.mrc' % largest.number)))
        finally:
            self.go_on(protocol, sym_name='C2', outputIteration=-1)

    def test_what_cannot_run_is_refused(self):
        """RELION's descent has no MPI, and crashes with boxes below 24 pixels."""
        protocol = self.protocol
        self.assertIsNone(protocol.getParam('numberOfMpi'))
        self.assertEqual(protocol.getValues()['nr_mpi'], 1)
        small = self.run_new('ProtStaExtract', inputCoordinates=self.output('extract', 'outputParticles'),
                             box_size_angst=SETTINGS.box_angst, binned_size_pix=16)
        errors = self.new('ProtStaInitialModel', inputParticles=self.output(small, 'outputParticles'),
                          **self._values()).validate()
        self.assertEqual(len(errors), 1)
        for word in ('*Particles*', '16', '24'):
            self.assertIn(word, errors[0])
