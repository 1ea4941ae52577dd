"""Averages on real RELION at any binning: sizes, agreement with the truth, symmetry, helix, filter, memory."""
import os
from unittest import mock

import mrcfile
import numpy as np
from scipy.spatial import cKDTree

from relionsta.convert.particles import read_particles
from relionsta.objects import SetOfStaParticles
from relionsta.results.maps import read_header
from relionsta.simulate.maps import match_maps
from relionsta.simulate.truth import read_truth
from relionsta.star import read_star, write_star
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, scene_folder
from relionsta.tests.protocols.shelf import Shelf

POSE = ['rlnCenteredCoordinate%sAngst' % axis for axis in 'XYZ'] + ['rlnAngle' + angle for angle in ('Rot', 'Tilt', 'Psi')]
RESOLUTION = 25.0
MEMORY = 'relionsta.runtime.machine.memory_bytes'


class TestStaReconstruct(StaCase):
    """Particles of the road, put to their true poses."""

    _until = 'extract'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.truth = read_truth(scene_folder())
        cls.shelf = Shelf(cls.proj, cls.new('ProtStaReconstruct'))
        cls.particles = cls.shelf.put(cls._at_true_poses(cls.done['extract'].outputParticles))
        cls.finest = cls.run_new('ProtStaReconstruct', inputParticles=cls.particles, binning=1.0, numberOfThreads=2)

    @classmethod
    def _at_true_poses(cls, source):
        """A copy of a set whose particles have the poses of the truth."""
        blocks = read_star(source.getParticlesStars()[0])
        table, true = blocks['particles'], cls.truth.particles
        for name in table['rlnTomoName'].unique():  # picks are counted on from one tilt series to the next
            here, there = table['rlnTomoName'] == name, true[true['rlnTomoName'] == name]
            distance, nearest = cKDTree(there[POSE[:3]]).query(table.loc[here, POSE[:3]])
            assert sorted(nearest) == list(range(len(there))) and distance.max() < SCENE.spacing / 2
            table.loc[here, POSE] = there[POSE].to_numpy()[nearest]
        path = cls.shelf.path('true.star')
        write_star(path, blocks)
        particles = SetOfStaParticles(filename=cls.shelf.path('true.sqlite'))
        read_particles(path, particles, source.getCoordinates3D(asPointer=True), source.getTomogramsStar(), None,
                       source)
        particles.write()
        return particles

    def _cc(self, path):
        """Correlation of a map with the true one, without any alignment but what a shift of a voxel would show."""
        with mrcfile.open(path) as mrc:
            volume, pixel = np.array(mrc.data, dtype=float), float(mrc.voxel_size.x)
        found = match_maps(volume, self.truth.map(len(volume), pixel).astype(float), pixel, RESOLUTION)
        self.assertLess(found.shift_A, 2)
        self.assertLess(found.rotation_deg, 3)
        return found.cc

    def _check(self, volume, box, binning):
        pixel = SCENE.pixel * binning
        for path in [volume.getFileName()] + volume.getHalfMaps().split(','):
            header = read_header(path)
            self.assertEqual(header.size, (box,) * 3)
            self.assertAlmostEqual(header.voxel[0], pixel, places=4)
        self.assertAlmostEqual(volume.getSamplingRate(), pixel, places=4)

    def test_the_finest_binning_has_the_same_box_in_angstrom(self):
        """The reference for CTF refinement must be at the pixel size of the tilt series, and hold the whole particle."""
        self._check(self.finest.average, 40, 1.0)  # 24 px at binning 1.6 are 38.4; 40 transforms quickly
        summary = '\n'.join(self.finest.summary())
        self.assertIn('Box 40 pixels of 5 Å (200 Å), binning 1, Nyquist 10 Å', summary)
        self.assertGreater(self._cc(self.finest.average.getFileName()), 0.9)

    def test_other_binnings(self):
        """A fractional binning, a box of the user's own and a crop: header and Scipion must say what was asked."""
        for values, box, binning in ((dict(binning=2.4), 16, 2.4), (dict(binning=1.2, box_size=48, crop_size=36), 36, 1.2)):
            with self.part(values=values):
                made = self.run_new('ProtStaReconstruct', inputParticles=self.particles, **values)
                self._check(made.average, box, binning)
                if SCENE.pixel * binning * 2 < RESOLUTION:
                    self.assertGreater(self._cc(made.average.getFileName()), 0.9)

    def test_symmetry(self):
        """A symmetry that is not applied, or about another axis, spoils a reference."""
        made = self.run_new('ProtStaReconstruct', inputParticles=self.particles, sym_name='C2')
        volume = mrcfile.read(made.average.getFileName())[1:, 1:, 1:]  # voxel 0 has no partner
        turned = volume[:, ::-1, ::-1]
        self.assertGreater(np.corrcoef(volume.ravel(), turned.ravel())[0, 1], 0.99)
        self.assertIn('Symmetry C2.', made.summary())

    def test_wiener_filter(self):
        """The constant must reach RELION: without it noise at high resolution is blown up, with it damped."""
        made = self.run_new('ProtStaReconstruct', inputParticles=self.particles, binning=1.0, snr=0.0001)
        fine = [np.abs(np.fft.fftn(mrcfile.read(run.average.getFileName())))[20].mean() for run in (self.finest, made)]
        self.assertLess(fine[1], 0.8 * fine[0])

    def test_helix(self):
        """The map with the helical symmetry in real space, and its half maps, are what a helix is looked at."""
        rise = 10.0
        made = self.run_new('ProtStaReconstruct', inputParticles=self.particles, binning=1.0, do_helix=True,
                            helical_twist=30.0, helical_rise=rise, helical_tube_outer_diameter=150.0,
                            helical_z_percentage=40.0)
        self.assertEqual(self.reloaded(made).summary(), made.summary())
        self.assertIn('helix: twist 30 degrees, rise 10 Å', '\n'.join(made.summary()))
        self._check(made.helicalAverage, 40, 1.0)
        self.assertTrue(made.helicalAverage.getHalfMaps().split(',')[0].endswith('helical_half1.mrc'))
        with open(made._getExtraPath('run.sh')) as handle:
            self.assertEqual(handle.read().count('relion_helix_toolbox'), 3)
        # Three units up, a right-handed helix has turned by +90 degrees: x, y becomes -y, x, six voxels higher
        volume = mrcfile.read(made.helicalAverage.getFileName())[:, 1:, 1:]  # voxel 0 has no partner
        below, above = volume[18:24], volume[24:30]
        right, left = (np.corrcoef(np.rot90(below, turns, axes=(1, 2)).ravel(), above.ravel())[0, 1] for turns in (-1, 1))
        self.assertGreater(right, 0.9)
        self.assertGreater(right, left + 0.2)
        self.assertFalse(hasattr(self.finest, 'helicalAverage'))
        self.assertEqual(len(self.finest.summary()), 5)

    def test_what_is_refused(self):
        """Out of memory after an hour, or a box that no particle fits in."""
        images = self.shelf.changed(self.particles, 'noimages', of_set=lambda items: items._boxSize.set(None))
        for values, words in (
                (dict(binning=0.0), ('*Binning factor*', '0')),
                (dict(box_size=25), ('*Box size (binned pix)*', '25', '24 or 26')),
                (dict(box_size=400), ('*Box size (binned pix)*', '3200 Å', 'tilt images')),
                (dict(inputParticles=images), ('*Box size (binned pix)*', 'no images', 'Give a number')),
                (dict(do_helix=True, splitHalves=False), ('*Apply helical symmetry?*', 'half sets'))):
            with self.part(values=values):
                errors = self.new('ProtStaReconstruct', **dict(dict(inputParticles=self.particles), **values)).validate()
                self.assertTrue([text for text in errors if all(word in text for word in words)], errors)

    def test_memory(self):
        """The numbers that the user can change must be named; a run that goes to a queue may have more."""
        protocol = self.new('ProtStaReconstruct', inputParticles=self.particles, binning=1.0, numberOfThreads=4)
        needed = 2 * 21 * 40 * 40 * 24 * 7
        with mock.patch(MEMORY, return_value=needed // 2):
            errors = protocol.validate()
            self.assertEqual(['box 40' in text and '4 threads' in text and '11.3 MB' in text for text in errors], [True])
            protocol._useQueue.set(True)
            self.assertEqual(protocol.validate() + protocol.warnings(), [])
            protocol._useQueue.set(False)
        with mock.patch(MEMORY, return_value=needed):
            self.assertEqual(protocol.validate(), [])
            self.assertEqual(['4 threads' in text for text in protocol.warnings()], [True])
        with mock.patch(MEMORY, return_value=2 * needed):
            self.assertEqual(protocol.validate() + protocol.warnings(), [])

    def test_without_half_sets(self):
        """Nothing is split against the user's will; without half sets there is one map, and the summary says so."""
        made = self.run_new('ProtStaReconstruct', inputParticles=self.particles, splitHalves=False)
        self.assertFalse(made.average.getHalfMaps())
        self.assertFalse(os.path.exists(made._getJobPath('half1.mrc')))
        self.assertIn('No half maps', '\n'.join(made.summary()))
