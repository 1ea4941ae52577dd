"""Sets of particles cut by what Scipion itself offers, and poses that another plugin has changed."""
from pathlib import Path

import numpy as np
from pwem.protocols import ProtSubSet
from scipy.spatial.transform import Rotation

from relionsta import geometry
from relionsta.convert.poses import poses_of_rows
from relionsta.star import read_star, write_star
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.shelf import Shelf
from relionsta.tests.protocols.subsets import by_hand, by_split, names_of

#: another plugin's new pose: a turn, and a shift in pixels
TURN = Rotation.from_euler('ZYZ', (25.0, 40.0, -70.0), degrees=True)
SHIFT = (1.5, -2.0, 0.75)


class TestStaSetOperations(StaCase):
    """The next job must get exactly the particles and poses that Scipion shows, whatever made the set."""

    _until = 'class3d'

    def _given(self, particles, protocol='ProtStaReconstruct'):
        """The particles STAR that RELION would get."""
        job = self.new(protocol, inputParticles=particles)
        self.proj.saveProtocol(job)
        job.makePathsAndClean()
        job.convertInputStep('')
        return self.rows(job._inputFiles().particles)

    def test_intersection_and_difference_keep_the_poses_of_the_full_set(self):
        """Poses of the smaller set, or of rows that stand in its places, would be taken for those of the full one."""
        refined = self.output('class3d', 'outputParticles')
        extracted = self.output('extract', 'outputParticles')
        some, others = by_split(self, refined)
        rows = {'extracted': self.rows(extracted.get().getFirstItem().getParticlesStar()),
                'refined': self.rows(refined.get().getFirstItem().getParticlesStar())}
        self.assertGreater(np.abs(rows['extracted']['rlnAngleTilt'] - rows['refined']['rlnAngleTilt']).max(), 0.1)
        for full, full_set in (('extracted', extracted), ('refined', refined)):
            for operation, left in ((ProtSubSet.SET_INTERSECTION, some), (ProtSubSet.SET_DIFFERENCE, others)):
                with self.part(full=full, operation=operation):
                    protocol = self.run_new('ProtSubSet', inputFullSet=full_set, inputSubSet=some,
                                            setOperation=operation)
                    name, _ = next(protocol.iterOutputAttributes())
                    given = self._given(self.output(protocol, name))
                    self.assertEqual(sorted(given.index), sorted(names_of(left)))
                    self._assert_rows(given, rows[full])

    def test_subset_crossed_by_name_and_by_ids(self):
        """Scipion's crossed subset knows nothing but one attribute, and a range nothing but ids."""
        refined = self.output('class3d', 'outputParticles')
        half = by_hand(self, refined, [2, 3, 5, 7, 11])
        rows = self.rows(refined.get().getFirstItem().getParticlesStar())
        crossed = self.run_new('ProtCrossSubSet', mainSet=refined, mainSetField='_particleName', secSet=half,
                               secSetField='_particleName')
        ranged = self.run_new('ProtSubSet', inputFullSet=refined, selectIds=True, range='2,3,5,7,11')
        name, _ = next(ranged.iterOutputAttributes())
        for items in (self.output(crossed, 'subset'), self.output(ranged, name)):
            with self.part(items=str(items)):
                given = self._given(items)
                self.assertEqual(sorted(given.index), sorted(names_of(half)))
                self._assert_rows(given, rows)

    def test_pose_of_another_plugin_over_a_shuffled_file(self):
        """A pose that goes to the row in its place, and not to that of its name, turns the wrong particle."""
        refined = self.output('class3d', 'outputParticles').get()
        shelf = Shelf(self.proj, self.new('ProtStaReconstruct'))
        shuffled = Path(shelf.path('shuffled.star'))
        blocks = read_star(refined.getFirstItem().getParticlesStar())
        before = blocks['particles'].set_index('rlnTomoParticleName')
        blocks['particles'] = blocks['particles'].sample(frac=1.0, random_state=3)
        write_star(shuffled, blocks)
        turned = set(names_of(refined)[::3])

        def change(item):
            item.setParticlesStar(str(shuffled))
            if item.getParticleName() in turned:
                # x_tomo = M^-1 x_ref in Scipion's convention: a turn of the reference stands on the left of M.
                matrix = np.eye(4)
                matrix[:3, :3] = TURN.as_matrix()
                transform = item.getTransform()
                transform.setMatrix(matrix @ transform.getMatrix())
                transform.setShifts(*SHIFT)

        changed = shelf.changed(refined, 'changed', change=change)
        given = self._given(changed)
        self.assertEqual(list(given.index), names_of(refined))
        rest = [name for name in given.index if name not in turned]
        self._assert_rows(given.loc[rest], before)
        was, now = (poses_of_rows(table.loc[sorted(turned)].reset_index()) for table in (before, given))
        A_turned, origins = geometry.pose_from_scipion(np.array(
            [item.getTransform().getMatrix() for item in sorted(
                (item.clone() for item in changed if item.getParticleName() in turned),
                key=lambda item: item.getParticleName())]))
        np.testing.assert_allclose(now[1], A_turned, atol=1e-6)
        np.testing.assert_allclose(now[0], was[0] - origins * refined.getSamplingRate(), atol=1e-4)
        angles = np.degrees(np.arccos(np.clip((np.einsum('nij,nij->n', was[1], now[1]) - 1) / 2, -1, 1)))
        np.testing.assert_allclose(angles, np.degrees(TURN.magnitude()), atol=1e-3)
        # The image stays where it was cut out.
        np.testing.assert_allclose(given['rlnCenteredCoordinateXAngst'],
                                   before.loc[given.index, 'rlnCenteredCoordinateXAngst'], atol=1e-6)

    @staticmethod
    def _assert_rows(given, rows):
        """Every column of the rows but those of class and half set is as it was."""
        for column in given:
            if column in ('rlnClassNumber', 'rlnRandomSubset'):
                continue
            expected = rows.loc[given.index, column]
            if expected.dtype.kind == 'f':
                np.testing.assert_allclose(given[column], expected, atol=1e-6, err_msg=column)
            else:
                assert list(given[column]) == list(expected), column
