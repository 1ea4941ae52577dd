"""Half of the particles, dropped in Scipion in every way, reaches RELION as exactly those."""
import mrcfile
import numpy as np

from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SETTINGS
from relionsta.tests.protocols.shelf import Shelf
from relionsta.tests.protocols.subsets import WAYS, by_hand, half_set, names_of, two_classes

NUMBER = SCENE.series * SCENE.particles


class TestStaSubsets(StaCase):
    """Particles that were thrown away must not come back, and no other may go."""

    _until = 'class3d'

    def test_reconstruction_and_extraction_of_half_the_particles(self):
        """A job that takes the file of the whole set in place of the set averages what was thrown away."""
        particles = self.output('class3d', 'outputParticles')
        whole = self.rows(particles.get().getFirstItem().getParticlesStar())
        classes = two_classes(self, particles)
        for way in WAYS:
            with self.part(way=way):
                half = half_set(self, way, particles, classes)
                names = names_of(half)
                self.assertTrue(0 < len(names) < NUMBER, len(names))
                again = self.run_new('ProtStaExtract', inputCoordinates=half, box_size_angst=SETTINGS.box_angst,
                                     binned_size_pix=SETTINGS.box)
                self.assertEqual(names_of(again.outputParticles), names)
                images = self.rows(again._getJobPath('particles.star'))['rlnImageName']
                self.assertEqual(images.nunique(), len(names))
                average = self.run_new('ProtStaReconstruct', inputParticles=half).average
                rows = self.rows(self._input(average))
                self.assertEqual(list(rows.index), names)
                for column in ('rlnAngleRot', 'rlnAngleTilt', 'rlnAnglePsi', 'rlnOriginXAngst',
                               'rlnCenteredCoordinateXAngst'):
                    np.testing.assert_allclose(rows[column], whole.loc[names, column], atol=1e-6)
                with mrcfile.open(average.getFileName(), header_only=True) as mrc:
                    self.assertEqual(int(mrc.header.nx), SETTINGS.box)

    @staticmethod
    def _input(average):
        """The particles STAR that RELION got for an average."""
        return average.getFileName().replace('job001/merged.mrc', 'job000/particles.star')

    def test_one_particle_and_none(self):
        """One particle has no half maps: an empty one would go into an FSC. None, or none enabled, is told before."""
        whole = self.output('class3d', 'outputParticles')
        one = by_hand(self, whole, [5])
        average = self.run_new('ProtStaReconstruct', inputParticles=one)
        self.assertIn('Average of 1 particles from 1 tilt series', average.summary()[0])
        self.assertEqual(average.average.getHalfMaps(), '')
        shelf = Shelf(self.proj, self.new('ProtStaReconstruct'))
        off = shelf.changed(whole.get(), 'off', change=lambda item: item.setEnabled(False))
        empty = shelf.changed(whole.get(), 'empty', keep=lambda item: False)
        half = shelf.changed(whole.get(), 'half', change=lambda item: item.setRandomSubset(1),
                             keep=lambda item: item.getObjId() < 4)
        self.assertEqual(self.run_new('ProtStaReconstruct', inputParticles=half).average.getHalfMaps(), '')
        for items, message in ((off, 'all 16 particles of the set are disabled'), (empty, 'no particles')):
            for name, values in (('ProtStaReconstruct', dict(inputParticles=items)),
                                 ('ProtStaExtract', dict(inputCoordinates=items)),
                                 ('ProtStaSelectParticles', dict(inputParticles=items)),
                                 ('ProtStaSymmetryExpand', dict(inputParticles=items, sym_name='C2'))):
                with self.part(protocol=name, message=message):
                    errors = self.new(name, **values).validate()
                    self.assertEqual(len(errors), 1, errors)
                    self.assertTrue(message in errors[0] or 'the set is empty' in errors[0], errors)
