"""What the imports make of AreTomo3's files and of picks is what the scene is made of."""
import numpy as np

from relionsta import geometry
from relionsta.convert.bulk import read_columns
from relionsta.convert.coordinates import coordinates_table
from relionsta.convert.poses import ANGLES, COORDINATES
from relionsta.simulate.scene import make_scene
from relionsta.simulate.truth import compare_poses, read_truth
from relionsta.star import read_star
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, scene_folder

TRUE = make_scene(SCENE)


class TestStaImportTruth(StaCase):
    """Import AreTomo3 results, Import picks, and what of them reaches RELION through an extraction."""

    _until = 'extract'

    def test_sets_have_what_scipion_expects(self):
        """Other plugins take these sets: size, pixel size and state must be stored, not only in memory."""
        done = self.done['import_aretomo3']
        self.checkSetGeneralProps(done.tiltSeries, SCENE.series, SCENE.pixel)
        self.checkSetGeneralProps(done.tomograms, SCENE.series, SCENE.voxel)
        self.assertSetSize(done.ctfs, SCENE.series)
        self.assertSetSize(self.done['import_picks'].outputCoordinates, SCENE.series * SCENE.particles)
        for name in SCENE.series_names:
            self.assertIn(name, done.tiltSeries.getTSIds())

    def test_images_carry_their_tilt_dose_and_order(self):
        """An image with its neighbour's tilt or dose is back-projected into the wrong place, with a wrong weight."""
        for series in self.done['import_aretomo3'].tiltSeries.iterItems():
            true = TRUE.tilt_series[series.getTsId()]
            columns = read_columns(series, ['_index', '_tiltAngle', '_acqOrder', '_acquisition._doseInitial',
                                            '_acquisition._dosePerFrame', '_acquisition._accumDose'])
            kept = ~true['dark'].to_numpy()
            with self.part(series=series.getTsId()):
                np.testing.assert_array_equal(columns['_index'], np.arange(1, SCENE.tilts + 1))
                np.testing.assert_array_equal(columns['enabled'], kept)
                np.testing.assert_array_equal(columns['_acqOrder'], true['acquisition'])
                np.testing.assert_allclose(columns['_tiltAngle'][kept], true['rlnTomoYTilt'][kept], atol=0.006)
                before = (true['acquisition'] - 1) * SCENE.dose
                np.testing.assert_allclose(columns['_acquisition._doseInitial'], before)
                np.testing.assert_allclose(columns['_acquisition._accumDose'], before + SCENE.dose)
                np.testing.assert_allclose(columns['_acquisition._dosePerFrame'], SCENE.dose)

    def test_transforms_are_the_alignment(self):
        """Tilt axis and shifts go through Scipion's matrix and back: a wrong sign blurs every average."""
        for series in self.done['import_aretomo3'].tiltSeries.iterItems():
            true = TRUE.tilt_series[series.getTsId()]
            kept = ~true['dark'].to_numpy()
            matrices = read_columns(series, ['_transform._matrix'])['_transform._matrix'][kept]
            z_rot, x_shift, y_shift = geometry.tilt_from_transform(matrices, SCENE.pixel)
            with self.part(series=series.getTsId()):
                np.testing.assert_allclose(z_rot, true['rlnTomoZRot'][kept], atol=1e-3)
                np.testing.assert_allclose(x_shift, true['rlnTomoXShiftAngst'][kept], atol=0.01)
                np.testing.assert_allclose(y_shift, true['rlnTomoYShiftAngst'][kept], atol=0.01)

    def test_ctfs_are_those_of_their_images(self):
        """Defocus of a neighbouring row flips the contrast of whole resolution shells."""
        for ctfs in self.done['import_aretomo3'].ctfs.iterItems():
            true = TRUE.tilt_series[ctfs.getTsId()]
            columns = read_columns(ctfs, ['_defocusU', '_defocusV', '_defocusAngle', '_acqOrder', '_index'])
            with self.part(series=ctfs.getTsId()):
                np.testing.assert_array_equal(columns['_acqOrder'], true['acquisition'])
                np.testing.assert_allclose(columns['_defocusU'], true['rlnDefocusU'], atol=0.01)
                np.testing.assert_allclose(columns['_defocusV'], true['rlnDefocusV'], atol=0.01)
                turned = np.radians(2 * (columns['_defocusAngle'] - true['rlnDefocusAngle']))
                np.testing.assert_allclose(np.cos(turned), 1, atol=1e-6)

    def test_microscope_and_tomograms(self):
        """Voltage, Cs and contrast come from the session file, the voxel size from the sizes of the files."""
        done = self.done['import_aretomo3']
        for acquisition in (done.tiltSeries.getAcquisition(), done.tomograms.getAcquisition()):
            self.assertEqual(acquisition.getVoltage(), SCENE.voltage)
            self.assertEqual(acquisition.getSphericalAberration(), SCENE.spherical_aberration)
            self.assertEqual(acquisition.getAmplitudeContrast(), SCENE.amplitude_contrast)
            self.assertAlmostEqual(acquisition.getTiltAxisAngle(), SCENE.tilt_axis, delta=2)
        for tomogram in done.tomograms.iterItems():
            size = np.array(SCENE.tomogram_size) // SCENE.tomogram_binning
            self.assertEqual(tomogram.getDim(), tuple(size))
            np.testing.assert_allclose(tomogram.getOrigin().getShifts(), -size / 2 * SCENE.voxel)

    def test_picks_lie_where_the_particles_are(self):
        """Picks half a voxel or one mirror off still look right on the screen."""
        start = read_truth(scene_folder())
        table = coordinates_table(self.done['import_picks'].outputCoordinates)
        errors = compare_poses(start.particles, table)
        self.assertEqual(errors.n_matched, SCENE.series * SCENE.particles)
        self.assertLess(errors.median_shift_error_A, SCENE.pick_shift_error + 0.6 * SCENE.voxel)
        self.assertLess(errors.frame_shift_A, 0.6 * SCENE.voxel)
        self.assertLess(errors.median_angle_error_deg, 1.5 * SCENE.pick_angle_error)

    def test_relion_gets_the_scene(self):
        """The STAR files of an extraction hold the same alignment, doses, CTFs and poses as those of the truth."""
        extract = self.done['extract']
        folder = extract._getInputPath()
        overview = read_star(folder + '/tomograms.star', ['global'])['global'].set_index('rlnTomoName')
        self.assertEqual(list(overview['rlnTomoHand']), [SCENE.hand] * SCENE.series)
        self.assertEqual(list(overview['rlnTomoSizeX']), [SCENE.tomogram_size[0]] * SCENE.series)
        for name, row in overview.iterrows():
            images = read_star(row['rlnTomoTiltSeriesStarFile'], [name])[name]
            true = TRUE.tilt_series[name]
            true = true[~true['dark']]
            with self.part(series=name):
                for column in ('rlnTomoXTilt', 'rlnTomoYTilt', 'rlnTomoZRot', 'rlnTomoXShiftAngst',
                               'rlnTomoYShiftAngst', 'rlnMicrographPreExposure', 'rlnDefocusU', 'rlnDefocusV'):
                    np.testing.assert_allclose(images[column], true[column], atol=0.02, err_msg=column)
                sections = images['rlnMicrographName'].str.partition('@')[0].astype(int)
                np.testing.assert_array_equal(sections, true.index + 1)
        table = coordinates_table(self.done['import_picks'].outputCoordinates)
        rows = self.rows(folder + '/particles.star').loc[table['rlnTomoParticleName']]
        np.testing.assert_allclose(rows[COORDINATES], table[COORDINATES], atol=1e-4)
        np.testing.assert_allclose(geometry.euler_to_matrix(rows[ANGLES]), geometry.euler_to_matrix(table[ANGLES]),
                                   atol=1e-5)
