"""Real-space subtomograms: cut out of the imported tomograms, averaged by RELION, and refused where they cannot be."""
import os

import mrcfile

from relionsta.objects import REAL_SUBTOMOS
from relionsta.results.maps import read_header
from relionsta.simulate.truth import compare_maps, read_truth
from relionsta.star import read_star, write_star
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
        cls.good = dict(inputCoordinates=cls.output('import_picks', 'outputCoordinates'), subtomo_format='3D subtomos',
                        inputTiltSeries=cls.output('import_aretomo3', 'tiltSeries'), numberOfThreads=2,
                        inputCtfs=cls.output('import_aretomo3', 'ctfs'), box_size_angst=BOX * PIXEL, binned_size_pix=BOX)

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

    def test_tomograms_that_do_not_serve_are_refused(self):
        """RELION fails when the first subtomogram is to be cut out, or takes tomograms of several pixel sizes for one."""
        self.road.until('extract')
        shelf, particles = Shelf(self.proj, self.new('ProtStaExtract')), self.done['extract'].outputParticles
        again = {name: value for name, value in self.good.items() if name not in ('inputTiltSeries', 'inputCtfs')}
        self.assertEqual(self.new('ProtStaExtract', **dict(again, inputCoordinates=particles)).validate(), [])
        table = read_star(particles.getTomogramsStar())['global']
        volume, binning = 'rlnTomoReconstructedTomogram', 'rlnTomoTomogramBinning'
        for what, changed, words in (
                ('no volumes', table.drop(columns=volume), ('*Subtomogram format*', 'reconstructed tomograms')),
                ('volume gone', table.assign(**{volume: 'gone.mrc'}), ('*Subtomogram format*', 'gone.mrc')),
                ('binnings', table.assign(**{binning: [4.0, 3.0]}), ('*Subtomogram format*', 'binnings of 3, 4'))):
            with self.part(what=what):
                path = shelf.path(what.replace(' ', '_') + '.star')
                write_star(path, {'global': changed})
                items = shelf.changed(particles, what.replace(' ', '_'),
                                      change=lambda one, path=path: one.setTomogramsStar(path))
                self._refused(dict(again, inputCoordinates=items), words)

    def _refused(self, values, words):
        errors = self.new('ProtStaExtract', **values).validate()
        self.assertTrue([text for text in errors if all(word in text for word in words)], errors)
