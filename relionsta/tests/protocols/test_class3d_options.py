"""3D classification: what is asked in the form reaches RELION, and what RELION must not touch stays."""
import numpy as np

from relionsta.convert.bulk import read_columns
from relionsta.runtime.build import find_build
from relionsta.star import read_star
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SETTINGS

NUMBER = SCENE.series * SCENE.particles
POSE = ['rlnAngleRot', 'rlnAngleTilt', 'rlnAnglePsi', 'rlnOriginXAngst', 'rlnOriginYAngst', 'rlnOriginZAngst',
        'rlnCenteredCoordinateXAngst', 'rlnCenteredCoordinateYAngst', 'rlnCenteredCoordinateZAngst']


class TestStaClass3DOptions(StaCase):
    """Short runs with rare options."""

    _until = 'class3d'

    def _class3d(self, **values):
        good = dict(inputParticles=self.output('class3d', 'outputParticles'),
                    referenceVolume=self.output('class3d', 'outputAverages.1'), particle_diameter=SETTINGS.diameter,
                    ini_high=40.0, other_args='--random_seed 1')
        return self.new('ProtStaClass3D', **dict(good, **values))

    @staticmethod
    def _optimiser(protocol):
        """What RELION wrote down of its options, of the last iteration."""
        names = protocol._getNames()
        row = read_star(protocol._getJobPath(names['optimiser']), ['optimiser_general'])['optimiser_general'].iloc[0]
        return row, read_star(protocol._getJobPath(names['model']), ['model_general'])['model_general'].iloc[0]

    def test_without_alignment_no_pose_changes(self):
        """A focused classification that moves particles mixes classes with alignment errors.

        Fast subsets as well: the parts of the data must be put together again, in their order.
        """
        protocol = self.road.launch(self._class3d(dont_skip_align=False, nr_classes=3, nr_iter=20, do_fast_subsets=True,
                                                  highres_limit=30.0, ctf_intact_first_peak=True, tau_fudge=4.0))
        before, after = (read_columns(run.outputParticles, ['_particleName', '_transform._matrix', '_coordinate._x',
                                                            '_coordinate._y', '_coordinate._z'])
                         for run in (self.done['class3d'], protocol))
        for column in before:
            np.testing.assert_array_equal(before[column], after[column], column)
        rows = [self.rows(run.outputParticles.getFirstItem().getParticlesStar())
                for run in (self.done['class3d'], protocol)]
        for column in POSE:
            np.testing.assert_array_equal(rows[0][column], rows[1].loc[rows[0].index, column], column)
        with self.part(classes='Scipion classes'):
            self._check_classes(protocol, 3)
        with self.part(options='in the optimiser'):
            optimiser, model = self._optimiser(protocol)
            self.assertEqual(int(optimiser['rlnDoFastSubsetOptimisation']), 1)
            self.assertEqual(float(optimiser['rlnHighresLimitExpectation']), 30)
            self.assertEqual(int(optimiser['rlnDoIgnoreCtfUntilFirstPeak']), 1)
            self.assertEqual(int(optimiser['rlnDoSkipAlign']), 1)
            self.assertEqual(float(model['rlnTau2FudgeFactor']), 4)
        self.assertIn('not aligned', protocol.summary()[0])

    def _check_classes(self, protocol, number):
        """Every class is there, an empty one as empty, with what the model says of it."""
        model, numbers = protocol.getModel(), read_columns(protocol.outputParticles, ['_classId'])['_classId']
        self.assertEqual((len(model.classes), protocol.outputClasses.getSize()), (number, number))
        self.assertEqual(sum(one.getSize() for one in protocol.outputClasses.iterItems()), NUMBER)
        for one, result in zip(protocol.outputClasses.iterItems(), model.classes):
            self.assertEqual(one.getObjId(), result.number)
            self.assertEqual(one.getSize(), np.count_nonzero(numbers == result.number))
            self.assertEqual(len(read_columns(one, [])['id']), one.getSize())
            self.assertAlmostEqual(one.getShare(), result.distribution, places=6)
            self.assertEqual(one.getResolution() is None, result.resolution is None)
            self.assertEqual(one.getObjComment(), result.describe())
            if not result.distribution:
                self.assertEqual(one.getObjComment(), 'no particles')

    def test_a_helix_with_mpi(self):
        """The options of the Helix tab, and an MPI run with three processes."""
        protocol = self.road.launch(self._class3d(
            do_local_ang_searches=True, sigma_angles=15.0, offset_range=1.0, nr_iter=1, numberOfMpi=3, do_helix=True,
            helical_tube_outer_diameter=150.0, helical_twist_initial=30.0, helical_rise_initial=20.0))
        self.assertEqual(protocol.outputParticles.getSize(), NUMBER)
        optimiser, _ = self._optimiser(protocol)
        self.assertEqual(int(optimiser['rlnDoHelicalRefine']), 1)
        self.assertEqual([float(optimiser['rlnHelicalTwistInitial']), float(optimiser['rlnHelicalRiseInitial'])], [30, 20])
        self._check_classes(protocol, 1)

    def test_what_relion_ignores_or_cannot_is_refused(self):
        """RELION goes on without a GPU and without a word, and fails hours later without Blush."""
        refused = [(dict(dont_skip_align=False, useGpu=True), ('GPU', 'without image alignment RELION uses no GPU')),
                   (dict(do_fast_subsets=True, nr_iter=19), ('*Number of iterations*', '19', '20'))]
        if not find_build().has_blush:
            refused.append((dict(do_blush=True), ('*Use Blush regularisation?*', 'relion_python_blush', 'Choose No')))
        for values, words in refused:
            with self.part(values=values):
                errors = self._class3d(**values).validate()
                self.assertTrue(any(all(word in error for word in words) for error in errors), errors)
