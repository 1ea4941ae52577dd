"""Reconstruct tomograms: the particles of a known scene must lie at their coordinates."""
import os

import mrcfile
import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, spline_filter
from tomo.constants import BOTTOM_LEFT_CORNER

from relionsta.results.maps import read_header
from relionsta.tests.protocols.series_scene import PIXEL, WRONG, SeriesCase

THICKNESS = WRONG.thickness
#: How far from its coordinate the density may be, which the wrong alignment of the scene moves too (Å in X, Y and Z), and
#: how far from where it is in the tomogram that was picked from, which has the same alignment. The missing wedge blurs Z.
NEAR, SAME = (8.0, 8.0, 20.0), (2.0, 2.0, 8.0)


def density_offset(tomogram, positions):
    """Where the density of particles is, seen from where they should be: X, Y, Z in Å, mean over all.

    positions: (n, 3) voxels from the first.
    """
    with mrcfile.open(tomogram.getFileName()) as file:
        volume = -np.asarray(file.data, dtype=np.float64)
    voxel = tomogram.getSamplingRate()
    smooth = spline_filter(gaussian_filter(volume - volume.mean(), 30 / voxel))
    steps, offset = np.arange(-20.0, 21.0, 2.0), []
    for axis in range(3):
        moved = [positions + np.eye(3)[axis] * step / voxel for step in steps]
        heights = [map_coordinates(smooth, place.T[::-1], prefilter=False, mode='nearest').mean() for place in moved]
        curve = np.polyfit(steps, heights, 2)
        assert curve[0] < 0, 'no density in the middle along axis %d' % axis
        offset.append(-curve[1] / (2 * curve[0]))
    return np.array(offset)


class TestStaReconstructTomograms(SeriesCase):
    """From tilt series and from particles, in all ways that RELION has."""

    def reconstruct(self, **values):
        return self.run_new('ProtStaReconstructTomograms', **{**dict(zdim=THICKNESS, binned_angpix=12.0, numberOfThreads=2),
                                                              **values})

    def from_series(self, series='tiltSeries', **values):
        return self.reconstruct(inputTiltSeries=self.output(self.imported, series),
                                inputCtfs=self.output(self.imported, 'ctfs'), **values)

    def offsets(self, tomograms):
        """tsId -> density_offset at Scipion's own Coordinate3D of each particle, put into these tomograms."""
        particles, found = self.extracted.outputParticles, {}
        for tomogram in tomograms.iterItems():
            tomogram, positions = tomogram.clone(), []
            for particle in particles.iterItems():
                coordinate = particle.getCoordinate3D()
                if coordinate.getTomoId() == tomogram.getTsId():
                    coordinate.scale(particles.getCoordinatesPixelSize() / tomogram.getSamplingRate())
                    coordinate.setVolume(tomogram)
                    positions.append([getattr(coordinate, 'get' + axis)(BOTTOM_LEFT_CORNER) for axis in 'XYZ'])
            self.assertEqual(len(positions), WRONG.particles)
            found[tomogram.getTsId()] = density_offset(tomogram, np.array(positions, dtype=np.float64))
        return found

    def test_particles_lie_at_their_coordinates(self):
        """Half a voxel or a mirror image off, and picks of these tomograms are beside the particles.

        Sizes that do not divide by the binning put RELION's centre on no whole voxel.
        """
        picked = self.offsets(self.imported.tomograms)
        for values in (dict(do_fourier=False), dict(do_fourier=False, binned_angpix=10.0, xdim=290, zdim=104),
                       dict(do_skip_wiener=True, binned_angpix=7.3)):
            with self.part(**values):
                offsets = self.offsets(self.from_series(**values).tomograms)
                self.assertEqual(sorted(offsets), WRONG.series_names)
                for name, offset in offsets.items():
                    self.assertTrue((np.abs(offset) < NEAR).all(), '%s: %s Å' % (name, offset.round(2)))
                    moved = offset - picked[name]
                    self.assertTrue((np.abs(moved) < SAME).all(), '%s: moved by %s Å' % (name, moved.round(2)))

    def test_size_and_pixel_are_those_that_were_asked_for(self):
        """Empty sizes are those of the tilt images with the tilt axis along Y."""
        run = self.from_series(do_fourier=False)
        x, y = WRONG.tomogram_size[:2]
        for tomogram in run.tomograms.iterItems():
            header = read_header(tomogram.getFileName())
            self.assertEqual(header.size, (x // 4, y // 4, THICKNESS // 4))
            self.assertEqual(tuple(tomogram.getDim()), header.size)
            self.assertAlmostEqual(header.voxel[0], 12.0, places=4)
            self.assertAlmostEqual(tomogram.getSamplingRate(), 12.0, places=4)
            self.assertTrue(tomogram.hasAcquisition())
        self.assertTrue(os.path.exists(run._getJobPath('projections', 'rec_TS_01.mrc')))
        self.assertIn('weighted back-projection', '\n'.join(run.summary()))

    def test_one_tomogram_of_particles_with_offset(self):
        """The offset turns the specimen: the tilt series that goes with the tomogram must be handed out too."""
        run = self.reconstruct(inputTiltSeries=self.output(self.extracted, 'outputParticles'), do_fourier=False,
                               tomo_name='TS_02', tiltangle_offset=10.0, numberOfMpi=2, numberOfThreads=1)
        self.assertEqual([tomogram.getTsId() for tomogram in run.tomograms], ['TS_02'])
        self.assertEqual(run.tiltSeries.getTSIds(), ['TS_02'])
        before = {image.getIndex(): image.getTiltAngle() for series in self.imported.tiltSeries.iterItems()
                  if series.getTsId() == 'TS_02' for image in series.iterItems() if image.isEnabled()}
        after = {image.getIndex(): image.getTiltAngle() for series in run.tiltSeries.iterItems()
                 for image in series.iterItems() if image.isEnabled()}
        self.assertEqual(set(before), set(after))
        np.testing.assert_allclose([after[index] - before[index] for index in before], 10.0, atol=1e-6)

    def give_halves(self, image):
        """Let a tilt image have even and odd frames: the image with noise of either sign."""
        whole, names = image.getFileName(), []
        for name, sign in (('odd', 1), ('even', -1)):
            names.append(self.shelf.path('%s_%s.mrc' % (image.getTsId(), name)))
            if not os.path.exists(names[-1]):
                values = mrcfile.read(whole)
                noise = np.random.RandomState(1).normal(scale=values.std(), size=values.shape).astype(np.float32)
                with mrcfile.new(names[-1], values + sign * noise) as file:
                    file.voxel_size = PIXEL
        image.setOddEven(names)

    def test_even_and_odd_frames_are_needed_and_used(self):
        """RELION stops at the first tomogram without them."""
        inputs = dict(inputTiltSeries=self.imported.tiltSeries, inputCtfs=self.imported.ctfs, zdim=THICKNESS)
        for values, wanted in ((dict(), 'Skip Wiener filter'), (dict(do_fourier=False, generate_split_tomograms=True),
                                                                 'Generate tomograms for denoising')):
            with self.part(**values):
                self.assertIn(wanted, '\n'.join(self.new('ProtStaReconstructTomograms', **{**inputs, **values}).validate()))
        halved = self.shelf.changed(self.imported.tiltSeries, 'odd_even', change=self.give_halves)
        run = self.reconstruct(inputTiltSeries=halved, inputCtfs=self.output(self.imported, 'ctfs'), do_fourier=False,
                               generate_split_tomograms=True)
        for tomogram in run.tomograms.iterItems():
            halves = [mrcfile.read(path) for path in tomogram.getHalfMaps(asList=True)]
            self.assertGreater(np.abs(halves[0] - halves[1]).max(), 0)
            np.testing.assert_allclose(mrcfile.read(tomogram.getFileName()), (halves[0] + halves[1]) / 2, atol=1e-4)

    def test_wrong_inputs_are_refused(self):
        """With names and numbers, before anything runs."""
        inputs = dict(inputTiltSeries=self.imported.tiltSeries, inputCtfs=self.imported.ctfs, do_fourier=False)
        for values, wanted in ((dict(inputCtfs=None), 'CTFs'), (dict(tomo_name='TS_09'), 'TS_09'),
                               (dict(zdim=101), 'Choose 102'), (dict(binned_angpix=0.0), 'impossible')):
            with self.part(**values):
                given = {name: value for name, value in {**inputs, **values}.items() if value is not None}
                self.assertIn(wanted, '\n'.join(self.new('ProtStaReconstructTomograms', **given).validate()))
