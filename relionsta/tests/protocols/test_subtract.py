"""3D pseudo-subtomograms on real RELION: aligned, refined, and with a part of the particle subtracted."""
import mrcfile
import numpy as np
from pwem.objects import VolumeMask
from scipy.ndimage import shift

from relionsta.convert.bulk import read_columns
from relionsta.convert.coordinates import coordinates_table
from relionsta.convert.subtraction import centre_of_mass
from relionsta.geometry import pose_from_scipion
from relionsta.objects import PSEUDO_SUBTOMOS
from relionsta.simulate.truth import compare_maps, compare_poses, read_truth
from relionsta.star import read_star
from relionsta.tests.protocols.pseudo import CLASS3D, EXTRACT, PseudoCase
from relionsta.tests.protocols.scene import SCENE, SETTINGS, scene_folder
from relionsta.tests.protocols.shelf import Shelf

BOX, PIXEL = SETTINGS.box, SETTINGS.pixel
NUMBER = SCENE.series * SCENE.particles
SMALL = 16


class TestStaSubtract(PseudoCase):
    """The upper part of the particle is kept, the rest is subtracted."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shelf = Shelf(cls.proj, cls.new('ProtStaMask'))
        cls.kept, cls.gone = cls._split()
        cls.centre = centre_of_mass(mrcfile.read(cls.kept.getFileName())) * PIXEL
        cls.whole = cls._average(cls.done[CLASS3D])
        cls.plain = cls._subtract(do_center_mask=False)
        cls.small = cls._subtract(new_box=SMALL)

    @classmethod
    def _split(cls):
        """Masks of the upper part of the road's mask and of the rest, which overlap softly."""
        whole = mrcfile.read(cls.done['mask'].solventMask.getFileName())
        upper = np.clip((np.arange(BOX) - BOX // 2 + 3) / 4, 0, 1)[:, None, None] * np.ones_like(whole)
        masks = []
        for name, part in (('kept.mrc', upper), ('gone.mrc', 1 - upper)):
            mask = cls.shelf.map(name, kind=VolumeMask)
            with mrcfile.open(mask.getFileName(), mode='r+') as mrc:
                mrc.set_data((whole * part).astype(np.float32))
            masks.append(mask)
        return masks

    @classmethod
    def _subtract(cls, **values):
        return cls.run_new('ProtStaSubtract', **{'inputRun': cls.done[CLASS3D], 'keepMask': cls.kept, **values})

    @classmethod
    def _average(cls, protocol, diameter=SETTINGS.diameter):
        """RELION's average of the output particles at the poses that they have (z, y, x)."""
        made = cls.run_new('ProtStaClass3D', inputParticles=cls.output(protocol, 'outputParticles'),
                           referenceVolume=cls.output(CLASS3D, 'outputAverages.1'), dont_skip_align=False, nr_iter=1,
                           ref_correct_greyscale=True, ini_high=0.0, particle_diameter=diameter)
        return mrcfile.read(made.outputAverages.getFirstItem().getFileName()).astype(float)

    def _inside(self, mask, moved=False):
        """Voxels well inside of a mask; moved: where they are once the kept part is in the centre."""
        data = mrcfile.read(mask.getFileName()).astype(float)
        return (shift(data, -self.centre[::-1] / PIXEL) if moved else data) > 0.9

    def test_pseudo_subtomograms_are_aligned(self):
        """RELION 5.1 marks them as not multiplied by their CTF, and refuses them then: extraction mends it. Poses and map
        must come near to the truth, as those of 2D stacks do."""
        particles = self.done[CLASS3D].outputParticles
        self.assertEqual((particles.getKind(), particles.getSize()), (PSEUDO_SUBTOMOS, NUMBER))
        optics = read_star(particles.getParticlesStars()[0], ['optics'])['optics']
        self.assertEqual(list(optics['rlnCtfDataAreCtfPremultiplied']), [1])
        truth = read_truth(scene_folder())
        start, end = (compare_poses(truth.particles, coordinates_table(self.done[job].outputParticles),
                                    limit_A=SCENE.spacing / 3) for job in (EXTRACT, CLASS3D))
        self.assertEqual(end.n_matched, NUMBER)
        self.assertLess(end.median_shift_error_A, 0.7 * start.median_shift_error_A)
        average = self.done[CLASS3D].outputAverages.getFirstItem()
        self.assertGreater(compare_maps(average.getFileName(), truth, resolution_A=40).cc, 0.9)

    def test_the_rest_vanishes_and_the_kept_part_stays(self):
        """A mask of the wrong sense, or maps of another scale, leave what should go or take what should stay."""
        average, kept, gone = self._average(self.plain), self._inside(self.kept), self._inside(self.gone)
        self.assertGreater(_rms(self.whole[gone]), 1.0)
        self.assertLess(_rms(average[gone]), 0.25 * _rms(self.whole[gone]))
        self.assertGreater(np.corrcoef(average[kept], self.whole[kept])[0, 1], 0.98)
        self.assertAlmostEqual(np.polyfit(self.whole[kept], average[kept], 1)[0], 1, delta=0.1)

    def test_only_the_images_differ(self):
        """Names, ids, poses and halves belong to the particle, not to its image."""
        before, after = self.done[CLASS3D].outputParticles, self.plain.outputParticles
        for column in ('id', '_particleName', '_volName', '_transform._matrix', '_coordinate._x', '_randomSubset'):
            np.testing.assert_array_equal(*(read_columns(one, [column])[column] for one in (before, after)), column)
        rows = self.rows(after.getParticlesStars()[0])
        self.assertEqual(list(rows['rlnImageOriginalName']),
                         list(self.rows(before.getParticlesStars()[0]).loc[rows.index, 'rlnImageName']))
        self.assertFalse(set(rows['rlnImageName']) & set(rows['rlnImageOriginalName']))
        self.assertEqual((after.getBoxSize(), after.getKind()), (BOX, PSEUDO_SUBTOMOS))

    def test_centred_particles_are_at_the_kept_part(self):
        """The position of a particle is where its images are centred, for any next job and any other plugin."""
        before, after = (coordinates_table(one.outputParticles).set_index('rlnTomoParticleName')
                         for one in (self.done[CLASS3D], self.small))
        xyz = ['rlnCenteredCoordinate%sAngst' % axis for axis in 'XYZ']
        matrices = read_columns(self.small.outputParticles, ['_particleName', '_transform._matrix'])
        A, _ = pose_from_scipion(matrices['_transform._matrix'])
        moved = (after[xyz] - before[xyz]).loc[list(matrices['_particleName'])].to_numpy()
        np.testing.assert_allclose(moved, A @ self.centre, atol=0.01)

    def test_a_smaller_box_shows_the_kept_part_in_its_centre(self):
        """With weights of the old box RELION divides by the wrong ones: the map is almost twice as strong."""
        particles = self.small.outputParticles
        self.assertEqual((particles.getBoxSize(), particles.getSize()), (SMALL, NUMBER))
        image = mrcfile.read(particles.getFirstItem().getFileName())
        self.assertEqual(image.shape, (SMALL,) * 3)
        average = self._average(self.small, diameter=0.9 * SMALL * PIXEL)
        part = (slice((BOX - SMALL) // 2, (BOX + SMALL) // 2),) * 3
        kept = self._inside(self.kept, moved=True)[part]
        expected = shift(self.whole, -self.centre[::-1] / PIXEL)[part]
        self.assertGreater(np.corrcoef(average[kept], expected[kept])[0, 1], 0.9)
        self.assertAlmostEqual(np.polyfit(expected[kept], average[kept], 1)[0], 1, delta=0.35)

    def test_first_images_come_back(self):
        """Reverted particles must give the whole particle again, centred where they are now."""
        back = self.run_new('ProtStaSubtract', do_fliplabel=True,
                            subtractedParticles=self.output(self.small, 'outputParticles'))
        self.assertEqual((back.outputParticles.getBoxSize(), back.outputParticles.getSize()), (BOX, NUMBER))
        for axis in ('_coordinate._x', '_coordinate._y', '_coordinate._z'):
            one, other = (read_columns(run.outputParticles, [axis])[axis] for run in (self.small, back))
            np.testing.assert_allclose(one, other, atol=1e-5)
        average = self._average(back)
        inside = self._inside(self.kept, moved=True) | self._inside(self.gone, moved=True)
        expected = shift(self.whole, -self.centre[::-1] / PIXEL)
        self.assertGreater(np.corrcoef(average[inside], expected[inside])[0, 1], 0.98)

    def test_a_subset_is_subtracted_alone(self):
        """Subtraction from particles that were dropped costs time and brings them back; symmetry copies are particles of
        their own, each with an image of its own from here on."""
        source = self.done[CLASS3D].outputParticles
        half = self.shelf.changed(source, 'half', keep=lambda item: item.getObjId() % 2)
        copies = self.run_new('ProtStaSymmetryExpand', inputParticles=half, sym_name='C2')
        for particles, number in ((half, NUMBER // 2), (copies.outputParticles, NUMBER)):
            with self.part(particles=number):
                made = self._subtract(someParticles=particles, numberOfMpi=2)
                wanted = sorted(read_columns(particles, ['_particleName'])['_particleName'])
                self.assertEqual(sorted(read_columns(made.outputParticles, ['_particleName'])['_particleName']), wanted)
                rows = self.rows(made.outputParticles.getParticlesStars()[0])
                self.assertEqual(sorted(rows.index), wanted)
                self.assertEqual(rows['rlnImageName'].nunique(), number)

    def test_refusals(self):
        """RELION subtracts from the first tilt image of a 2D stack alone, and ends well."""
        cases = {
            '2D stacks': (dict(inputRun=self.done['class3d'], keepMask=self.kept), ('2D stacks', 'first tilt image')),
            'mask of another box': (dict(keepMask=self.shelf.map('small.mrc', kind=VolumeMask, size=(16,) * 3)),
                                    ('*Mask of the signal to keep*', '16', '24')),
            'iteration': (dict(runIteration=9), ('*Iteration of it*', '9', '1, 2')),
            'larger box': (dict(new_box=32), ('*New box size', '32', '24')),
            'centre outside': (dict(do_center_mask=False, do_center_xyz=True, center_y=13.0), ('*Center coordinate', 'Y')),
            'particles of another box': (dict(someParticles=self.small.outputParticles),
                                         ('*Particles (optional)*', '16 pixels', 'has 24')),
            'nothing to revert': (dict(do_fliplabel=True, subtractedParticles=self.done[CLASS3D].outputParticles),
                                  ('*Particles to revert*', 'rlnImageOriginalName'))}
        for what, (values, words) in cases.items():
            with self.part(refused=what):
                errors = '\n'.join(self.new('ProtStaSubtract', **{
                    'inputRun': self.done[CLASS3D], 'keepMask': self.kept, **values}).validate())
                for word in words:
                    self.assertIn(word, errors)


def _rms(values):
    return float(np.sqrt((values ** 2).mean()))
