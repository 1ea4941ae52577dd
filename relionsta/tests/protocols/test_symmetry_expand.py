"""Copies of particles for a symmetry: their poses, names, half sets, images and trajectories."""
import mrcfile
import numpy as np

from relionsta import geometry
from relionsta.convert.bulk import read_columns
from relionsta.star import read_star
from relionsta.star.trajectories import read_trajectories, still_trajectory, write_trajectories
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SETTINGS
from relionsta.tests.protocols.shelf import Shelf
from relionsta.tests.protocols.subsets import names_of

NUMBER = SCENE.series * SCENE.particles
#: The rotations of D2: none, and half a turn about Z, X and Y.
D2 = np.array([np.diag(signs) for signs in ((1, 1, 1), (-1, -1, 1), (1, -1, -1), (-1, 1, -1))], dtype=float)


class TestStaSymmetryExpand(StaCase):
    """A copy at a wrong pose, under the name of another or in the other half set spoils all that follows."""

    _until = 'extract'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if 'd2' not in cls.done:
            cls.done['d2'] = cls.run_new('ProtStaSymmetryExpand', sym_name='D2',
                                         inputParticles=cls.output('extract', 'outputParticles'))
        cls.before, cls.copies = cls.done['extract'].outputParticles, cls.done['d2'].outputParticles

    def test_copies_stand_where_geometry_puts_them(self):
        """The pose A of a particle becomes A R for each rotation R of the group; the place stays."""
        paths = ['_particleName', '_transform._matrix', '_coordinate._x', '_coordinate._z', '_filename', '_randomSubset']
        before, after = (read_columns(items, paths) for items in (self.before, self.copies))
        self.assertEqual(len(after['id']), 4 * NUMBER)
        self.assertFalse(set(after['id']) & set(before['id']), "an id of a particle would be taken for that particle")
        self.assertEqual(list(after['_particleName']),
                         ['%s_s%d' % (name, copy) for name in before['_particleName'] for copy in (1, 2, 3, 4)])
        old, _ = geometry.pose_from_scipion(before['_transform._matrix'])
        new, _ = geometry.pose_from_scipion(after['_transform._matrix'])
        for one, four in zip(old, new.reshape(-1, 4, 3, 3)):
            np.testing.assert_allclose(four[0], one, atol=1e-12)
            found = np.array([one.T @ A for A in four])
            far = np.abs(found[:, None] - D2[None]).max(axis=(2, 3))
            self.assertEqual(sorted(far.argmin(axis=1)), [0, 1, 2, 3])
            self.assertLess(far.min(axis=1).max(), 1e-6)
        for path in ('_coordinate._x', '_coordinate._z'):
            np.testing.assert_allclose(after[path], np.repeat(before[path], 4), atol=1e-9)
        self.assertEqual(list(after['_filename']), list(np.repeat(before['_filename'], 4)))
        halves = after['_randomSubset'].reshape(-1, 4)
        self.assertTrue((halves == halves[:, :1]).all())
        self.assertEqual(sorted(np.unique(halves[:, 0], return_counts=True)[1]), [NUMBER // 2, NUMBER // 2])

    def test_average_of_copies_is_the_symmetrised_average(self):
        """RELION's own symmetry in the reconstruction is the yardstick: the maps are one, but for interpolation."""
        symmetrised = self.run_new('ProtStaReconstruct', sym_name='D2',
                                   inputParticles=self.output('extract', 'outputParticles'))
        expanded = self.run_new('ProtStaReconstruct', inputParticles=self.output('d2', 'outputParticles'))
        self.assertIn('Average of %d particles' % (4 * NUMBER), expanded.summary()[0])
        for which in ('merged', 'half1', 'half2'):
            maps = [mrcfile.read(run._getJobPath(which + '.mrc')).astype(float) for run in (symmetrised, expanded)]
            self.assertGreater(np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1], 0.99, which)
        plain = mrcfile.read(self._plain()._getJobPath('merged.mrc')).astype(float)
        self.assertLess(np.corrcoef(plain.ravel(), maps[1].ravel())[0, 1], 0.95)

    def _plain(self):
        self.road.until('reconstruct')
        return self.done['reconstruct']

    def test_copies_get_images_of_their_own_when_extracted_again(self):
        """With RELION's names all copies would be written to one file, over each other."""
        again = self.run_new('ProtStaExtract', inputCoordinates=self.output('d2', 'outputParticles'),
                             box_size_angst=SETTINGS.box_angst, binned_size_pix=SETTINGS.box)
        images = self.rows(again._getJobPath('particles.star'))['rlnImageName']
        self.assertEqual(images.nunique(), 4 * NUMBER)
        self.assertEqual(names_of(again.outputParticles), names_of(self.copies))
        # The images of all copies of a particle are the same: the pose is not in them.
        stacks = [mrcfile.read(images[name]) for name in images.index[:4]]
        for stack in stacks[1:]:
            np.testing.assert_array_equal(stack, stacks[0])

    def test_helix_and_trajectories(self):
        """Units of a helix move along the axis of their particle; RELION finds a trajectory for each copy, and refuses
        to start without."""
        shelf = Shelf(self.proj, self.new('ProtStaReconstruct'))
        tilts = {name: len(read_star(file, [name])[name]) for name, file in read_star(
            self.before.getTomogramsStar(), ['global'])['global'][['rlnTomoName', 'rlnTomoTiltSeriesStarFile']].to_numpy()}
        motion = shelf.path('motion.star')
        write_trajectories(motion, {name: still_trajectory(tilts[name[:5]]) for name in names_of(self.before)})
        moving = shelf.changed(self.before, 'moving', change=lambda item: item.setTrajectoriesStar(motion),
                               keep=lambda item: item.getObjId() % 4 == 0)
        helix = self.run_new('ProtStaSymmetryExpand', inputParticles=moving, do_helix=True, helical_nr_asu=3,
                             helical_twist=-30.0, helical_rise=12.0)
        made = helix.outputParticles
        self.assertEqual(set(read_trajectories(made.getTrajectoriesStar())), set(names_of(made)))
        paths = ['_transform._matrix', '_coordinate._x', '_coordinate._y', '_coordinate._z']
        before, after = (read_columns(items, paths) for items in (moving, made))
        old, _ = geometry.pose_from_scipion(before['_transform._matrix'])
        new, _ = geometry.pose_from_scipion(after['_transform._matrix'])
        places = [np.stack([columns[path] for path in paths[1:]], axis=1) * made.getCoordinatesPixelSize()
                  for columns in (before, after)]
        for copy, unit in enumerate((0, -1, 1)):
            angle = np.radians(-30.0 * unit)
            turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
            np.testing.assert_allclose(new[copy::3], old @ turn, atol=1e-6)
            np.testing.assert_allclose(places[1][copy::3], places[0] + unit * 12.0 * old[:, :, 2], atol=1e-5)
        average = self.run_new('ProtStaReconstruct', inputParticles=self.output(helix, 'outputParticles'))
        self.assertIn('--mot', average.getCommands()[0])
        self.assertIn('Average of %d particles' % made.getSize(), average.summary()[0])

    def test_what_cannot_be_expanded(self):
        """Groups with mirror planes would make mirror images of molecules; C1 makes nothing."""
        for values, message in ((dict(sym_name='C1'), 'nothing to expand'), (dict(sym_name='C2V'), 'mirror images'),
                                (dict(sym_name='OH'), 'mirror images'), (dict(sym_name='X'), 'no group of rotations'),
                                (dict(do_helix=True, helical_nr_asu=1), 'nothing would be expanded')):
            with self.part(**values):
                errors = self.new('ProtStaSymmetryExpand', inputParticles=self.before, **values).validate()
                self.assertEqual(len(errors), 1, errors)
                self.assertIn(message, errors[0])
