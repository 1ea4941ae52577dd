"""Mask creation on real RELION: the suggested threshold, spheres, combined masks, and what is told about them."""
import re

import mrcfile
import numpy as np
from pwem.objects import VolumeMask

from relionsta.results.maps import read_header
from relionsta.simulate.truth import read_truth
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SETTINGS, scene_folder
from relionsta.tests.protocols.shelf import Shelf
from relionsta.viewers import ProtStaMaskViewer

BOX, PIXEL = SETTINGS.box, SETTINGS.pixel
LOWPASS = 30.0
LABEL = '*Initial binarisation threshold*'


class TestStaMask(StaCase):
    """Masks of the average of the picks, and of none."""

    _until = 'reconstruct'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shelf = Shelf(cls.proj, cls.new('ProtStaMask'))
        cls.average = cls.output('reconstruct', 'average')
        cls.suggested = cls.run_new('ProtStaMask', inputVolume=cls.average, usedWith=cls.average, lowpass_filter=LOWPASS,
                                    extend_inimask=1)

    @staticmethod
    def _read(protocol):
        return mrcfile.read(protocol.solventMask.getFileName())

    def _noise(self, name):
        """A map of noise on the shelf."""
        volume = self.shelf.map(name)
        with mrcfile.open(volume.getFileName(), 'r+') as mrc:
            mrc.set_data(np.random.default_rng(1).normal(size=(BOX,) * 3).astype(np.float32))
            mrc.voxel_size = PIXEL
        return volume

    def test_the_suggested_threshold_is_what_relion_gets(self):
        """A number in the summary that is not the one of the command cannot be reproduced."""
        with open(self.suggested._getExtraPath('run.sh')) as handle:
            told = re.search(r'--ini_threshold (\S+)', handle.read()).group(1)
        self.assertEqual(float(told), self.suggested.usedThreshold.get())
        for run in (self.suggested, self.reloaded(self.suggested)):
            summary = '\n'.join(run.summary())
            self.assertIn('Threshold %s, map low-pass filtered to 30 Å' % told, summary)
            self.assertIn('of the way from the solvent', summary)
            self.assertIn('kDa', summary)
        with open(self.suggested.getLogPaths()[0]) as handle:
            self.assertIn('Threshold %s: ' % told, handle.read())

    def test_the_suggested_mask_holds_the_particle(self):
        """A mask that cuts into the particle costs resolution; one that is the whole box does nothing."""
        mask, truth = self._read(self.suggested), read_truth(scene_folder()).map(BOX, PIXEL)
        density = np.where(truth > 0.1 * truth.max(), truth, 0)  # not the ripples of Nyquist around it
        self.assertGreater(density[mask > 0.5].sum() / density.sum(), 0.95)
        self.assertTrue(0.05 < mask.mean() < 0.4, mask.mean())
        self.assertNotIn('keeps only', '\n'.join(self.suggested.summary()))

    def test_spheres_have_the_box_and_pixel_size_of_the_map_they_are_for(self):
        """RELION writes 1 Å per pixel into a sphere's header, and later jobs scale the mask by it without a word."""
        made = self.run_new('ProtStaMask', do_denovo=True, usedWith=self.average, outer_radius=8.0, inner_radius=4.0,
                            center_x=2.0, center_z=-1.0, width_mask_edge=0)
        z, y, x = np.indices((BOX,) * 3) - BOX // 2
        radius = np.sqrt((x - 2) ** 2 + y ** 2 + (z + 1) ** 2)
        mask = self._read(made)
        np.testing.assert_array_equal(mask[radius < 3.5], 0)
        np.testing.assert_array_equal(mask[(radius > 4.5) & (radius < 7.5)], 1)
        np.testing.assert_array_equal(mask[radius > 8.5], 0)
        self.assertEqual(read_header(made.solventMask.getFileName()).voxel, (PIXEL,) * 3)
        self.assertEqual((made.solventMask.getSamplingRate(), made.solventMask.getDim()), (PIXEL, (BOX,) * 3))
        self.assertIn('Shell of 4 to 8 pixels', '\n'.join(made.summary()))
        self._check_figures(made, showMask=3, showUsedWith=3)

    def _check_figures(self, protocol, **panels):
        """Each line of Analyze Results opens a figure with so many panels."""
        viewer = ProtStaMaskViewer(project=self.proj)
        viewer.setProtocol(protocol)
        for line, number in panels.items():
            figure = viewer._getViews(line)[0].figure
            self.assertEqual(len(figure.axes), number, line)
            self.assertTrue(all(axes.collections for axes in figure.axes[:3]), 'no outline')

    def test_figures(self):
        """A mask is judged by eye: the outline must be there, and the threshold that was used."""
        self._check_figures(self.suggested, showMask=4, showUsedWith=3)
        viewer = ProtStaMaskViewer(project=self.proj)
        viewer.setProtocol(self.suggested)
        line = viewer._getViews('showMask')[0].figure.axes[3].lines[0]
        self.assertEqual(line.get_xdata()[0], self.suggested.usedThreshold.get())

    def test_masks_are_combined_and_inverted(self):
        """A wrong sense of the operation takes the part away that should stay."""
        ball = self.shelf.map('ball.mrc', kind=VolumeMask)
        first, second = self._read(self.suggested) > 0.5, mrcfile.read(ball.getFileName()) > 0.5
        for how, invert, expected in (('AND NOT: in this, not in the other', False, first & ~second),
                                      ('OR: in one or both', True, ~(first | second))):
            with self.part(how=how):
                made = self.run_new(
                    'ProtStaMask', inputVolume=self.output(self.suggested, 'solventMask'), do_combine=True,
                    combine_how=how, otherVolume=ball, lowpass_filter=-1.0, extend_inimask=0,
                    width_mask_edge=0, do_invert=invert)
                self.assertEqual(made.usedThreshold.get(), 0.5)  # of a mask, half-way up its edge
                np.testing.assert_array_equal(self._read(made) > 0.5, expected)

    def test_a_mask_that_cuts_or_is_cut_is_told(self):
        """Such masks run through every later job, and only the result is worse."""
        high = self.suggested.usedThreshold.get() * 3
        for values, words in ((dict(inimask_threshold=high, extend_inimask=0, width_mask_edge=0), 'keeps only'),
                              (dict(extend_inimask=9), 'reaches the edge of the box')):
            with self.part(values=values):
                made = self.run_new('ProtStaMask', inputVolume=self.average, usedWith=self.average,
                                    lowpass_filter=LOWPASS, **values)
                self.assertIn(words, '\n'.join(made.summary()))
                with open(made.getLogPaths()[0]) as handle:
                    self.assertIn(words, handle.read())

    def test_refused_before_the_run(self):
        """What RELION would turn into an empty mask, or one for other data."""
        other = self.shelf.map('other.mrc', size=(32, 32, 32), pixel=2 * PIXEL)
        good = dict(inputVolume=self.average, lowpass_filter=LOWPASS)
        refusals = [
            (dict(inputVolume=self._noise('noise.mrc')), (LABEL, 'does not stand out', 'Choose a threshold')),
            (dict(usedWith=other), ('*Input map*', str(BOX), '32', 'will be used with')),
            (dict(inimask_threshold=99.0), (LABEL, '99', 'empty')),
            (dict(do_combine=True), ('*The other map or mask*', 'empty')),
            (dict(do_combine=True, otherVolume=other), ('*The other map or mask*', '32', str(BOX))),
            (dict(do_combine=True, otherVolume=self.shelf.map('low.mrc', values=(0.0, 1e-6))),
             (LABEL, 'the other map', 'make a mask of each')),
            (dict(do_denovo=True), ('*Box size (pix)*', 'empty')),
            (dict(do_denovo=True, denovo_box_size=24), ('*Pixel size (A)*', 'empty')),
            (dict(do_denovo=True, denovo_box_size=25, angpix=4.0), ('*Box size (pix)*', '25', '24 or 26')),
            (dict(do_denovo=True, usedWith=self.average, inner_radius=20.0), ('*Inner radius (pix)*', '20')),
        ]
        for values, words in refusals:
            with self.part(values=values):
                errors = self.new('ProtStaMask', **dict(good, **values)).validate()
                self.assertTrue([text for text in errors if all(word in text for word in words)], errors)
        self.assertEqual(self.new('ProtStaMask', usedWith=self.average, **good).validate(), [])
        self.assertEqual(self.new('ProtStaMask', usedWith=self.average, **good).warnings(), [])
