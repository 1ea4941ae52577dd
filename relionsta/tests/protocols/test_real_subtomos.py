"""Real-space subtomograms: cut out of the imported tomograms, averaged by RELION, and refused where they cannot be."""
import os

import mrcfile
import numpy as np

from relionsta.objects import REAL_SUBTOMOS
from relionsta.results.maps import read_header
from relionsta.simulate.truth import compare_maps, read_truth
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SETTINGS, scene_folder
from relionsta.tests.protocols.shelf import Shelf

BOX = 24
PIXEL = SCENE.voxel


class TestStaRealSubtomos(StaCase):
    """The pixel size is that of the tomograms, whatever the form says: RELION ignores the other sizes."""

    _until = 'import_picks'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        imported = cls.done['import_aretomo3']
        cls.good = dict(inputCoordinates=cls.output('import_picks', 'outputCoordinates'), subtomo_format='3D subtomos',
                        inputTiltSeries=cls.output('import_aretomo3', 'tiltSeries'), numberOfThreads=2,
                        inputCtfs=cls.output('import_aretomo3', 'ctfs'), box_size_angst=BOX * PIXEL, binned_size_pix=BOX)
        cls.imported = imported

    def test_they_average_to_the_particle(self):
        """Subtomograms of the wrong place, turn or contrast give noise, or the particle in black."""
        extracted = self.run_new('ProtStaExtract', **self.good)
        particles = extracted.outputParticles
        self.assertEqual(particles.getKind(), REAL_SUBTOMOS)
        self.assertEqual((particles.getBoxSize(), particles.getSamplingRate()), (BOX, PIXEL))
        self.assertAlmostEqual(particles.getParticleBinning(), SCENE.tomogram_binning)
        for particle in particles.iterItems():
            header = read_header(particle.getFileName())
            self.assertEqual((header.size, header.voxel[0]), ((BOX,) * 3, PIXEL))
        rows = self.rows(extracted._getJobPath('particles.star'))
        self.assertTrue(all(os.path.exists(path) for path in rows['rlnCtfImage']))
        reference = self.run_new('ProtStaReconstruct', inputParticles=self.output(extracted, 'outputParticles'))
        self.assertEqual(read_header(reference.average.getFileName()).size, (BOX,) * 3)
        averaged = self.run_new(
            'ProtStaClass3D', inputParticles=self.output(extracted, 'outputParticles'), nr_iter=1, dont_skip_align=False,
            referenceVolume=self.output(reference, 'average'), particle_diameter=SETTINGS.diameter, ini_high=60.0,
            ref_correct_greyscale=True, other_args='--random_seed 1')
        average = averaged.outputAverages.getFirstItem()
        match = compare_maps(average.getFileName(), read_truth(scene_folder()), resolution_A=60)
        self.assertGreater(match.cc, 0.8)
        self.assertGreater(mrcfile.read(average.getFileName())[BOX // 2, BOX // 2, BOX // 2], 0)
        self.assertEqual(len(averaged.outputParticles), len(particles))

    def test_sizes_that_do_not_fit_are_refused(self):
        """RELION would make the box of another number of pixels, at another pixel size, without a word."""
        for values, words in ((dict(box_size_angst=192.0), ('*Box size (A)*', '1.6', '4', '480 Å for 24 pixels')),
                              (dict(sizesBy=1, boxBinning=2.0), ('*Binning*', '2', 'a binning of 4'))):
            with self.part(values=values):
                self._refused(dict(self.good, **values), words)
        fine = dict(self.good, sizesBy=1, boxBinning=4.0)
        self.assertEqual(self.new('ProtStaExtract', **fine).validate(), [])

    def test_without_tomograms_they_are_refused(self):
        """RELION fails when the first subtomogram is to be cut out."""
        shelf = Shelf(self.proj, self.new('ProtStaExtract'))
        self.road.until('extract')
        again = dict(self.good, inputTiltSeries=None, inputCtfs=None)
        particles = self.done['extract'].outputParticles
        self.assertEqual(self.new('ProtStaExtract', **dict(again, inputCoordinates=particles)).validate(), [])
        self._refused(dict(self.good, inputCoordinates=particles, box_size_angst=240.0), ('*Box size (A)*', '480 Å'))
        moved = shelf.changed(self.imported.tomograms, 'moved', change=lambda one: one.setFileName('gone.mrc'))
        coordinates = shelf.changed(self.done['import_picks'].outputCoordinates, 'picks',
                                    of_set=lambda items: items.setPrecedents(moved))
        told = self.new('ProtStaExtract', **dict(self.good, inputCoordinates=coordinates)).validate()
        self.assertTrue([text for text in told if 'gone.mrc' in text], told)

    def _refused(self, values, words):
        values = {name: value for name, value in values.items() if value is not None}
        errors = self.new('ProtStaExtract', **values).validate()
        self.assertTrue([text for text in errors if all(word in text for word in words)], errors)
        self.assertEqual(np.shape(errors), (1,))
