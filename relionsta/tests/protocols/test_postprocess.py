"""Post-processing on real RELION: every option reaches the STAR file or the map, and a tight mask is told."""
import os
import re

import mrcfile
import numpy as np

from relionsta.results.maps import read_header
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SETTINGS, scratch
from relionsta.tests.protocols.shelf import Shelf

BOX, PIXEL = SETTINGS.box, SETTINGS.pixel
#: Else the random phases differ from run to run, and with them the weights of the high shells.
SEED = '--random_seed 1'
OWN = dict(do_auto_bfac=False, do_adhoc_bfac=True, adhoc_bfac=-500.0)


class TestStaPostProcess(StaCase):
    """The average of the picks with its half maps, under a sphere."""

    _until = 'reconstruct'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shelf = Shelf(cls.proj, cls.new('ProtStaPostProcess'))
        cls.average = cls.output('reconstruct', 'average')
        cls.mask = cls.run_new('ProtStaMask', do_denovo=True, usedWith=cls.average, outer_radius=8.0)
        cls.plain = cls.sharpen(do_auto_bfac=False)

    @classmethod
    def sharpen(cls, **values):
        """Run the protocol on the average."""
        return cls.run_new('ProtStaPostProcess', **{
            'inputVolume': cls.average, 'solventMask': cls.output(cls.mask, 'solventMask'), 'other_args': SEED, **values})

    @staticmethod
    def _amplitudes(protocol):
        """Mean amplitude of the sharpened map in each Fourier shell but the first."""
        transform = np.abs(np.fft.rfftn(mrcfile.read(protocol.sharpenedVolume.getFileName())))
        x = np.fft.fftfreq(BOX, 1 / BOX)
        shells = np.rint(np.sqrt(x[:, None, None] ** 2 + x[:, None] ** 2 + np.arange(BOX // 2 + 1) ** 2)).astype(int)
        return np.array([transform[shells == shell].mean() for shell in range(1, BOX // 2 + 1)])

    def _gain(self, protocol):
        """By how much each shell, up to the resolution, is stronger than without sharpening."""
        last = int(round(BOX * PIXEL / self.plain.getResult().resolution))
        self.assertGreaterEqual(last, 6)
        return (self._amplitudes(protocol) / self._amplitudes(self.plain))[:last]

    def test_own_b_factor(self):
        """A B-factor of the wrong sign or unit blurs what it should sharpen: amplitudes are multiplied by
        exp(-B / 4 d^2)."""
        made = self.sharpen(**OWN)
        self.assertAlmostEqual(made.getResult().b_factor, -500, places=2)
        self.assertIn('Sharpened with a B-factor of -500 Å²; weighted by the FSC.', made.summary())
        gain = self._gain(made)
        spacing = BOX * PIXEL / np.arange(1, len(gain) + 1)
        np.testing.assert_allclose(gain, np.exp(500 / 4 / spacing ** 2), rtol=0.02)

    def test_fitted_b_factor(self):
        """Where the map does not reach the start of the fit, RELION leaves it as it is with a line in its log."""
        auto = dict(do_auto_bfac=True, autob_lowres=60.0)
        made = self.sharpen(**auto)
        self.assertLess(made.getResult().b_factor, 0)
        self.assertIn('(fitted)', '\n'.join(made.summary()))
        self.assertNotIn('give a B-factor', '\n'.join(made.warnings()))
        late = self.new('ProtStaPostProcess', inputVolume=self.average, solventMask=self.output(self.mask, 'solventMask'))
        self.assertEqual(late.validate(), [])
        self.assertEqual([['10 Å' in text and '16 Å' in text, 'give a B-factor' in text] for text in late.warnings()],
                         [[True, True]])
        self.assertIn('Not sharpened', '\n'.join(self.plain.summary()))

    def test_calibrated_pixel_size(self):
        """Maps with the old pixel size beside a resolution with the new one fit no model; half maps that keep the old one
        no longer belong to the map."""
        pixel = 1.05 * PIXEL
        made = self.sharpen(angpix=pixel, **OWN)
        for volume in (made.sharpenedVolume, made.maskedVolume):
            self.assertAlmostEqual(volume.getSamplingRate(), pixel)
            self.assertAlmostEqual(read_header(volume.getFileName()).voxel[0], pixel, places=4)
        self.assertFalse(made.sharpenedVolume.getHalfMaps())
        self.assertTrue(self.plain.sharpenedVolume.getHalfMaps())
        for fsc in made.fscs:
            self.assertAlmostEqual(float(fsc.getData()[0][-1]), 1 / (2 * pixel), places=5)
        self.assertAlmostEqual(made.getResult().resolution / self.plain.getResult().resolution, 1.05, places=3)
        self.assertIn('8.4 Å/pixel, calibrated', '\n'.join(made.summary()))

    def test_low_pass_instead_of_fsc_weighting(self):
        """Without the filter that was asked for the map shows noise as detail."""
        made = self.sharpen(do_skip_fsc_weighting=True, low_pass=64.0, do_auto_bfac=False)
        gain = self._gain(made)  # 64 Å: shell 3, with an edge of a shell on either side
        self.assertGreater(gain[:2].min(), 0.95)
        self.assertLess(gain[4:].max(), 1e-3)
        self.assertIn('low-pass filtered to 64 Å', '\n'.join(made.summary()))

    def test_mtf(self):
        """The map is divided by the camera's curve, which is counted in cycles per pixel of the movies: a wrong pixel
        size takes another part of it."""
        path = scratch() / 'mtf.star'  # RELION's forms take no name with a blank
        frequency = np.linspace(0, 0.5, 101)
        _write_mtf(path, frequency, 1 - frequency)
        link = os.path.join(self.shelf.path('mtf.star'))
        os.symlink(str(path), link)
        made = self.sharpen(fn_mtf=link, mtf_angpix=PIXEL / 2, do_auto_bfac=False)
        gain = self._gain(made)
        per_pixel = np.arange(1, len(gain) + 1) / BOX / 2  # cycles per pixel of the movies, half as large as the map's
        np.testing.assert_allclose(gain, 1 / (1 - per_pixel), rtol=0.015)
        self.assertIn('corrected for the MTF (detector pixel 4 Å)', '\n'.join(made.summary()))

    def test_files_that_are_no_mtf(self):
        """RELION divides by what it finds: zeros stop it late, another column is not noticed."""
        for what, text, words in (
                ('columns', 'data_\n\nloop_\n_rlnX #1\n_rlnY #2\n0 1\n', ('rlnMtfValue', 'missing')),
                ('values', _mtf_text([0, 0.5], [1, 0]), ('0 or less',)), ('text', 'nothing at all\n', ('MTF of your',))):
            with self.part(what=what):
                path = self.shelf.path('bad_%s.star' % what)
                with open(path, 'w') as handle:
                    handle.write(text)
                self._refused(dict(fn_mtf=path), ('*MTF of the detector (STAR file)*', path) + words)
        path = self.shelf.path('good.star')
        _write_mtf(path, [0, 0.5], [1, 0.5])
        self._refused(dict(fn_mtf=path, mtf_angpix=12.0), ('*Original detector pixel size*', '12', '%g' % PIXEL))

    def _refused(self, values, words):
        errors = self.new('ProtStaPostProcess', inputVolume=self.average,
                          solventMask=self.output(self.mask, 'solventMask'), **dict(OWN, **values)).validate()
        self.assertTrue([text for text in errors if all(word in text for word in words)], errors)

    def test_a_tight_mask_is_told(self):
        """Its FSC shows the mask and not the map, and the resolution is too good to be true."""
        tight = self.run_new('ProtStaMask', inputVolume=self.average, lowpass_filter=-1.0, extend_inimask=0,
                             width_mask_edge=0, inimask_threshold=3.0)
        made = self.sharpen(solventMask=self.output(tight, 'solventMask'), **OWN)
        told = re.search('too tight|left the mask out', '\n'.join(made.summary()))
        self.assertTrue(told, made.summary())
        with open(made.getLogPaths()[0]) as handle:
            self.assertIn(told.group(0), handle.read())
        self.assertFalse(re.search('too tight|left the mask out', '\n'.join(self.plain.summary())))


def _mtf_text(frequency, values):
    rows = ''.join('%g %g\n' % row for row in zip(frequency, values))
    return 'data_\n\nloop_\n_rlnResolutionInversePixel #1\n_rlnMtfValue #2\n' + rows


def _write_mtf(path, frequency, values):
    with open(str(path), 'w') as handle:
        handle.write(_mtf_text(frequency, values))
