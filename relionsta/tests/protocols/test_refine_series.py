"""CTF refinement and Bayesian polishing of a data set whose defocus and alignment are known to be wrong."""
import numpy as np

from relionsta import geometry
from relionsta.constants import X_TILT
from relionsta.convert.bulk import read_columns
from relionsta.convert.marks import remembered_columns, remembered_hand
from relionsta.convert.poses import COORDINATES, ORIGINS
from relionsta.protocols.extract_again import newExtraction
from relionsta.simulate.scene import make_scene
from relionsta.simulate.series_errors import read_tilt_series as tables
from relionsta.simulate.series_errors import series_errors
from relionsta.simulate.truth import compare_maps, read_truth
from relionsta.tests.protocols.scene import scene_folder
from relionsta.tests.protocols.series_scene import BOX, PIXEL, WRONG, SeriesCase, reconstruct, refined

NUMBER = WRONG.series * WRONG.particles


def defocus_error(star):
    """Median error of the defocus (Å) over all images."""
    return series_errors(make_scene(WRONG), star).median_defocus_error_A


def shift_error(star):
    """Rms error of the shifts (Å) that can be seen."""
    return series_errors(make_scene(WRONG), star).rms_tilt_shift_error_A


class TestStaRefineSeries(SeriesCase):
    """CTF refinement, then polishing, then extraction, and what each hands on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, value in refined(cls.road).items():
            setattr(cls, name, value)
        cls.again = cls.road.launch(newExtraction(cls.proj, cls.polish, 'outputParticles'))

    def test_reference_mask_and_fsc_are_given_to_relion(self):
        """RELION takes an FSC of its own, and no mask, where these are missing."""
        for run in (self.ctf, self.polish):
            values = run.getValues()
            self.assertEqual(values['in_post'], self.postprocess._getJobPath('postprocess.star'))
            with open(run._getExtraPath('run.sh')) as handle:
                command = handle.read()
            for flag, name in (('--mask', 'in_refmask'), ('--fsc', 'in_post'), ('--ref1', 'in_halfmaps')):
                self.assertIn('%s %s' % (flag, values[name]), command)
        halves = [self.shelf.file('fsc_half%d.mrc' % number, size=(48,) * 3, pixel=PIXEL) for number in (1, 2)]
        other = self.shelf.map('fsc.mrc', size=(48,) * 3, pixel=PIXEL, halves=halves)
        refused = self.new('ProtStaPolish', inputParticles=self.halved, referenceVolume=other, box_size=BOX,
                           inputPostprocess=self.postprocess).validate()
        self.assertIn('its box is %d voxels and that of the reference is 48' % BOX, '\n'.join(refused))

    def test_defocus_comes_near_to_the_truth(self):
        """A sign or a unit that is wrong on the way makes the defocus worse, or leaves it."""
        before = defocus_error(self.halved.getTomogramsStar())
        self.assertGreater(before, 1000)
        self.assertLess(defocus_error(self.ctf.outputParticles.getTomogramsStar()), 0.5 * before)

    def test_alignment_comes_near_to_the_truth(self):
        """The same for the shifts of the tilt images."""
        before = shift_error(self.ctf.outputParticles.getTomogramsStar())
        self.assertGreater(before, 3.5)
        self.assertLess(shift_error(self.polish.outputParticles.getTomogramsStar()), 0.5 * before)

    def test_average_of_the_extracted_particles_is_better(self):
        """The reason for all of it: CTF, alignment and positions must all have reached the next job."""
        truth = read_truth(scene_folder(WRONG))
        better = reconstruct(self, self.output(self.again, 'outputParticles'))
        before, after = (compare_maps(run.average.getFileName(), truth, resolution_A=10).cc
                         for run in (self.average, better))
        self.assertGreater(after, before + 0.02)

    def test_ctfs_are_those_of_relion(self):
        """Scipion's other programs take the set, not RELION's file."""
        ctfs = self.ctf.ctfs
        self.assertEqual(ctfs.getSetOfTiltSeries().getObjId(), self.imported.tiltSeries.getObjId())
        self.assertEqual(remembered_hand(ctfs), WRONG.hand)
        wanted = tables(self.ctf.outputParticles.getTomogramsStar())
        for series in ctfs.iterItems():
            name = series.getTsId()
            with self.part(series=name):
                table = wanted[name].sort_values('rlnMicrographPreExposure')
                items = sorted((ctf.clone() for ctf in series.iterItems()), key=lambda ctf: ctf.getAcquisitionOrder())
                self.assertEqual(len(items), WRONG.tilts)
                enabled = [ctf for ctf in items if ctf.isEnabled()]
                self.assertEqual(len(enabled), WRONG.tilts - WRONG.dark_images)
                ours = np.array([(ctf.getDefocusU(), ctf.getDefocusV(), ctf.getDefocusAngle()) for ctf in enabled])
                np.testing.assert_allclose(astigmatic(*ours.T), astigmatic(
                    *table[['rlnDefocusU', 'rlnDefocusV', 'rlnDefocusAngle']].to_numpy().T), rtol=1e-6, atol=0.01)
                self.assertEqual(remembered_hand(series), WRONG.hand)
                scale = remembered_columns(series)['rlnCtfScalefactor']
                np.testing.assert_allclose([scale[ctf.getAcquisitionOrder()] for ctf in enabled],
                                           table['rlnCtfScalefactor'])

    def test_tilt_series_are_those_of_relion(self):
        """The same for the alignment; images that were left out must stay in the series, disabled."""
        wanted = tables(self.polish.outputParticles.getTomogramsStar())
        self.assertEqual(self.polish.tiltSeries.getSize(), WRONG.series)
        for series in self.polish.tiltSeries.iterItems():
            name = series.getTsId()
            with self.part(series=name):
                self.assertTrue(series.hasAlignment())
                table = wanted[name]
                images = {'%d@%s:mrcs' % image.getLocation(): image.clone() for image in series.iterItems()}
                self.assertEqual(len(images), WRONG.tilts)
                enabled = {name for name, image in images.items() if image.isEnabled()}
                self.assertEqual(enabled, set(table['rlnMicrographName']))
                images = [images[name] for name in table['rlnMicrographName']]
                matrices = np.array([image.getTransform().getMatrix() for image in images])
                for values, label in zip(geometry.tilt_from_transform(matrices, PIXEL),
                                         ('rlnTomoZRot', 'rlnTomoXShiftAngst', 'rlnTomoYShiftAngst')):
                    np.testing.assert_allclose(values, table[label], atol=1e-6)
                np.testing.assert_allclose([image.getTiltAngle() for image in images], table['rlnTomoYTilt'])
                turns = [getattr(image.getTransform(), X_TILT).get() for image in images]
                np.testing.assert_allclose(turns, table['rlnTomoXTilt'])
                self.assertGreater(np.abs(turns).max(), 0.01)

    def test_particles_keep_names_ids_and_poses_through_ctf_refinement(self):
        """Only the tomograms are new: a changed pose or id would be lost work."""
        before, after = self.halved, self.ctf.outputParticles
        columns = ['_particleName', '_transform._matrix', '_randomSubset', '_coordinate._x', '_coordinate._z']
        one, other = (read_columns(particles, columns) for particles in (before, after))
        for name in ['id'] + columns:
            np.testing.assert_array_equal(one[name], other[name])
        self.assertNotEqual(before.getTomogramsStar(), after.getTomogramsStar())

    def test_polished_particles_are_where_relion_says(self):
        """RELION folds the origins into the coordinates."""
        particles = self.polish.outputParticles
        columns = read_columns(particles, ['_particleName', '_coordinate._x', '_coordinate._y', '_coordinate._z'])
        rows = self.rows(particles.getParticlesStars()[0]).loc[columns['_particleName']]
        self.assertEqual(len(rows), NUMBER)
        np.testing.assert_array_equal(rows[ORIGINS], 0)
        xyz = np.stack([columns['_coordinate.' + axis] for axis in ('_x', '_y', '_z')], axis=1)
        np.testing.assert_allclose(xyz * particles.getCoordinatesPixelSize(), rows[COORDINATES], atol=1e-4)

    def test_old_images_are_refused_until_they_are_extracted_again(self):
        """Old images with new positions go through every job of RELION, and give a worse map in silence."""
        reference = self.output(self.average, 'average')
        for run in (self.ctf, self.polish):
            with self.part(run=run.getObjLabel()):
                self.assertIn('extract again', str(run.outputParticles))
                self.assertIn('extract them again', '\n'.join(run.summary()))
                refused = self.new('ProtStaClass3D', inputParticles=run.outputParticles, referenceVolume=reference,
                                   particle_diameter=120.0).validate()
                self.assertIn('Extract the particles again', '\n'.join(refused))
        accepted = self.new('ProtStaClass3D', inputParticles=self.again.outputParticles, referenceVolume=reference,
                            particle_diameter=120.0).validate()
        self.assertEqual(accepted, [])
        self.assertNotIn('again', str(self.again.outputParticles))

    def test_extraction_again_is_filled_in_as_before(self):
        """One click: whoever has to type box and binning anew types a wrong one some day."""
        particles, before = self.again.outputParticles, self.extracted.outputParticles
        self.assertEqual(particles.getSize(), NUMBER)
        for get in ('getBoxSize', 'getSamplingRate', 'getParticleBinning', 'getKind'):
            self.assertEqual(getattr(particles, get)(), getattr(before, get)())
        self.assertEqual(particles.getTomogramsStar(), self.polish.outputParticles.getTomogramsStar())
        self.assertEqual(particles.getTiltSeries().getObjId(), self.polish.tiltSeries.getObjId())
        self.assertEqual(particles.getCtfs().getObjId(), self.ctf.ctfs.getObjId())

    def test_sets_take_all_to_an_extraction_that_relion_refined(self):
        """Whoever chooses the refined sets by hand must get what the particles themselves would."""
        protocol = self.run_new(
            'ProtStaExtract', inputCoordinates=self.output(self.picks, 'outputCoordinates'),
            inputTiltSeries=self.output(self.polish, 'tiltSeries'), inputCtfs=self.output(self.ctf, 'ctfs'),
            sizesBy=1, boxBinning=2.0, binned_size_pix=BOX // 2)
        ours = tables(protocol.outputParticles.getTomogramsStar())
        wanted = tables(self.polish.outputParticles.getTomogramsStar())
        self.assertEqual(set(ours), set(wanted))
        for name, table in wanted.items():
            with self.part(series=name):
                self.assertEqual(list(ours[name]['rlnMicrographName']), list(table['rlnMicrographName']))
                for label in ('rlnTomoXTilt', 'rlnTomoYTilt', 'rlnTomoZRot', 'rlnTomoXShiftAngst', 'rlnTomoYShiftAngst',
                              'rlnCtfScalefactor', 'rlnMicrographPreExposure'):
                    np.testing.assert_allclose(ours[name][label], table[label], atol=1e-6, err_msg=label)
                defocus = ['rlnDefocusU', 'rlnDefocusV', 'rlnDefocusAngle']
                np.testing.assert_allclose(astigmatic(*ours[name][defocus].to_numpy().T),
                                           astigmatic(*table[defocus].to_numpy().T), atol=1e-3)


def astigmatic(u, v, angle):
    """Mean defocus, and the astigmatism as a vector: the same for (U, V, angle) and (V, U, angle + 90)."""
    half, radians = (u - v) / 2, np.radians(2 * angle)
    return np.stack([(u + v) / 2, half * np.cos(radians), half * np.sin(radians)])
