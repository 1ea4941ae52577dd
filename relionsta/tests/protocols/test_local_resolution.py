"""Local resolution on real RELION: numbers against the FSC of the whole map, with and without MPI."""
import re

import mrcfile
import numpy as np
from pwem.objects import VolumeMask

from relionsta.figures.local_resolution import resolution_histogram
from relionsta.results.maps import read_header
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SETTINGS
from relionsta.tests.protocols.shelf import Shelf
from relionsta.viewers import ProtStaLocalResolutionViewer
from relionsta.viewers.figure_view import FigureView

BOX, PIXEL = SETTINGS.box, SETTINGS.pixel


class TestStaLocalResolution(StaCase):
    """The average of the picks, post-processed under the road's mask."""

    _until = 'mask'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shelf = Shelf(cls.proj, cls.new('ProtStaLocalResolution'))
        cls.average, cls.mask = cls.output('reconstruct', 'average'), cls.output('mask', 'solventMask')
        cls.post = cls.run_new('ProtStaPostProcess', inputVolume=cls.average, solventMask=cls.mask,
                               **SETTINGS.postprocess)
        cls.local = cls.run_new('ProtStaLocalResolution', inputVolume=cls.average, solventMask=cls.mask,
                                inputPostprocess=cls.post, other_args='--random_seed 1')

    @staticmethod
    def _command(protocol):
        with open(protocol._getExtraPath('run.sh')) as handle:
            return next(line for line in handle if '--locres' in line).split()

    def _option(self, protocol, name):
        tokens = self._command(protocol)
        return float(tokens[tokens.index(name) + 1])

    def test_maps_have_box_and_pixel_size(self):
        """RELION's GUI has a pixel size of 1 Å as default, and every resolution scales with it."""
        self.assertEqual(self._option(self.local, '--angpix'), PIXEL)
        for volume in (self.local.resolutionVolume, self.local.filteredVolume):
            header = read_header(volume.getFileName())
            self.assertEqual(header.size, (BOX,) * 3)
            self.assertAlmostEqual(header.voxel[0], PIXEL, places=4)
            self.assertAlmostEqual(volume.getSamplingRate(), PIXEL, places=4)
        self.assertEqual(len(self.local.filteredVolume.getHalfMaps().split(',')), 2)

    def test_numbers_are_those_that_relion_prints(self):
        """Another set of voxels, or another mask, has another median."""
        found = self.local.getResult()
        with open(self.local.getStdoutLog()) as handle:
            said = handle.read()
        inside = mrcfile.read(self.done['mask'].solventMask.getFileName()) > 0.5
        self.assertEqual(found.voxels, inside.sum())
        self.assertIn('Number of items: %d' % found.voxels, said)
        values = mrcfile.read(self.local.resolutionVolume.getFileName())[inside]
        printed = re.search(r'Q1: (\S+) Median: (\S+) Q3: (\S+)', said).groups()
        np.testing.assert_allclose([float(one) for one in printed], np.percentile(values, [25, 50, 75]), rtol=0.01)
        self.assertEqual(found.unmeasured, np.count_nonzero(values == 0))

    def test_resolutions_are_near_to_that_of_the_whole(self):
        """A sphere, phases or limits that do not suit the map give the same number everywhere, or any."""
        found, whole = self.local.getResult(), self.post.getResult().resolution
        self.assertGreaterEqual(found.range[0], 2 * PIXEL - 0.01)
        self.assertLessEqual(found.range[1], max(50, 3 * whole) + 0.1)
        self.assertTrue(0.7 * whole < found.median < 1.7 * whole, (found.median, whole))
        self.assertGreater(len(np.unique(found.values)), 50)

    def test_settings_follow_the_post_processing(self):
        """RELION's own settings end at 50 Å and take no account of the sphere before 25 Å."""
        whole = self.post.getResult().resolution
        self.assertEqual(self._option(self.local, '--adhoc_bfac'), SETTINGS.postprocess['adhoc_bfac'])
        self.assertGreater(whole, 25)
        self.assertAlmostEqual(self._option(self.local, '--locres_randomize_at'), 1.5 * whole, delta=0.1)
        self.assertAlmostEqual(self._option(self.local, '--locres_sampling'), whole, delta=0.1)
        self.assertAlmostEqual(self._option(self.local, '--locres_minres'), max(50, 3 * whole), delta=0.1)

    def test_histogram_holds_the_voxels_of_the_mask(self):
        """Analyze Results and the summary must tell the same."""
        found = self.local.getResult()
        axes = resolution_histogram(found, 2 * PIXEL, self.post.getResult().resolution).axes[0]
        total = sum(bar.get_height() for container in axes.containers for bar in container)
        self.assertEqual(total + found.unmeasured, found.voxels)
        told = '\n'.join(self.local.summary())
        self.assertIn('Median local resolution %.1f Å' % found.median, told)
        self.assertIn('%d voxels inside of the mask' % found.voxels, told)

    def test_without_post_processing_and_with_mpi(self):
        """Half maps of any name, RELION's own settings, a B-factor of the form; the ranks must not change the numbers."""
        halves = self.done['reconstruct'].average.getHalfMaps().split(',')
        volume = self.shelf.map('odd.mrc', halves=[self._copy(half, 'a_%d.mrc' % number)
                                                   for number, half in enumerate(halves)])
        values = dict(inputVolume=volume, adhoc_bfac=-150.0, other_args='--random_seed 1')
        warned = self.new('ProtStaLocalResolution', **values).warnings()
        self.assertIn('post-processing', '\n'.join(warned))
        one, two = (self.run_new('ProtStaLocalResolution', numberOfMpi=ranks, **values) for ranks in (1, 2))
        self.assertEqual(self._option(one, '--adhoc_bfac'), -150)
        self.assertFalse([token for token in self._command(one) if token.startswith('--locres_')])
        maps = [mrcfile.read(run.resolutionVolume.getFileName()) for run in (one, two)]
        self.assertEqual(self._command(two)[:3], ['mpirun', '-n', '2'])
        close = np.abs(maps[0] - maps[1]) < 5
        self.assertGreater(close.mean(), 0.9)
        self.assertLessEqual(maps[0].max(), 50)

    def _copy(self, path, name):
        target = self.shelf.path(name)
        with mrcfile.new(target, mrcfile.read(path), overwrite=True) as mrc:
            mrc.voxel_size = PIXEL
        return target

    def test_analyze_results_shows_everything(self):
        """A line of the window that only shows an error is found by the user otherwise."""
        viewer = ProtStaLocalResolutionViewer(project=self.proj)
        viewer.setProtocol(self.local)
        for line in ('showHistogram', 'showResolution', 'showSlices'):
            with self.part(line=line):
                self.assertEqual([type(view) for view in viewer._getViews(line)], [FigureView])

    def test_slices_in_colour_are_the_map(self):
        """Colours of another map, or of the solvent, say where the particle moves."""
        viewer = ProtStaLocalResolutionViewer(project=self.proj)
        viewer.setProtocol(self.local)
        figure = viewer._getViews('showResolution')[0].figure
        resolution = mrcfile.read(self.local.resolutionVolume.getFileName())[BOX // 2]
        inside = mrcfile.read(self.done['mask'].solventMask.getFileName())[BOX // 2] > 0.5
        shown = figure.axes[0].images[0].get_array()
        np.testing.assert_array_equal(~shown.mask, inside & (resolution > 0))
        np.testing.assert_array_equal(shown.compressed(), resolution[~shown.mask])
        self.assertEqual(figure.axes[-1].get_ylabel(), 'Local resolution (Å)')

    def test_refusals(self):
        """What RELION finds late, or not at all."""
        finer = self.shelf.map('finer.mrc', pixel=PIXEL / 2, size=(BOX,) * 3,
                               halves=[self.shelf.file('half%d.mrc' % half, pixel=PIXEL / 2) for half in (1, 2)])
        cases = {
            'no half maps': (dict(inputVolume=self.done['mask'].solventMask), ('*Map with half maps*', 'no half maps')),
            'mask': (dict(solventMask=self.shelf.map('mask16.mrc', kind=VolumeMask, size=(16,) * 3)),
                     ('*Mask (optional)*', '16', '24')),
            'post-processing of another map': (dict(inputVolume=finer, solventMask=None),
                                               ('*Post-processing (optional)*', '8 Å/pixel', 'has 4')),
            'post-processing not run': (dict(inputPostprocess=self.new('ProtStaPostProcess')),
                                        ('*Post-processing (optional)*', 'Run it first')),
            'no MTF': (dict(fn_mtf='nowhere.star'), ('*MTF of the detector', 'nowhere.star'))}
        for what, (values, words) in cases.items():
            with self.part(refused=what):
                chosen = {'inputVolume': self.average, 'solventMask': self.mask, 'inputPostprocess': self.post, **values}
                errors = '\n'.join(self.new('ProtStaLocalResolution', **{
                    name: value for name, value in chosen.items() if value is not None}).validate())
                for word in words:
                    self.assertIn(word, errors)
