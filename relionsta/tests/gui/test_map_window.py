"""The window to walk through maps, with the mouse on a real screen."""
import os
import tkinter
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

import mrcfile
import numpy as np

from relionsta.tests.gui.screen import Screen, settle
from relionsta.viewers.map_window import NO_MASK, MapWindow

BOX, PIXEL = 24, 5.0


def write(path, data):
    with mrcfile.new(str(path), data.astype(np.float32), overwrite=True) as mrc:
        mrc.voxel_size = PIXEL
    return str(path)


@unittest.skipUnless(Screen.available(), 'no virtual screen: Xvfb is not installed')
class TestStaMapWindow(unittest.TestCase):
    """Two maps and a mask."""

    def setUp(self):
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        numbers = np.random.default_rng(2)
        self.first, self.second = (numbers.normal(size=(BOX,) * 3) for _ in range(2))
        grid = np.stack(np.meshgrid(*[np.arange(BOX) - BOX // 2] * 3, indexing='ij'))
        mask = (np.sqrt((grid ** 2).sum(axis=0)) < 8).astype(float)
        place = Path(folder.name)
        self.screen = Screen()
        self.screen.__enter__()
        self.addCleanup(self.screen.__exit__)
        self.root = tkinter.Tk()
        self.root.withdraw()
        self.addCleanup(self.root.destroy)
        self.window = MapWindow('Maps', {'Map': write(place / 'map.mrc', self.first),
                                         'Half map': write(place / 'half.mrc', self.second + 3 * mask)},
                                {'mask': write(place / 'mask.mrc', mask)}, parent=self.root)
        self.window.makeWindow()
        settle(self.root, 0.7)

    def _shown(self):
        return [np.asarray(axes.images[0].get_array()) for axes in self.window.view.figure.axes]

    def test_sliders_clicks_and_wheel_lead_to_one_place(self):
        """Slices that show another place than the sliders say make a wrong judgement of a map."""
        window = self.window
        for slider, place in zip(window.sliders, (3, 5, 7)):
            slider.set(place)
        settle(self.root, 0.3)
        self.assertEqual(window.view.place, (3, 5, 7))
        np.testing.assert_allclose(self._shown()[0], self.first[7], atol=1e-6)
        widget, box = window.canvas.get_tk_widget(), window.view.figure.axes[0].get_window_extent()
        x, y = int(box.x0 + box.width * 10.5 / BOX), int(widget.winfo_height() - box.y0 - box.height * 4.5 / BOX)
        widget.event_generate('<Button-1>', x=x, y=y)
        settle(self.root, 0.3)
        self.assertEqual(window.view.place, (10, 4, 7))
        self.assertEqual([slider.get() for slider in window.sliders], [10, 4, 7])
        widget.event_generate('<Button-4>', x=x, y=y)  # the wheel, upwards, over the xy slice
        settle(self.root, 0.3)
        self.assertEqual(window.view.place, (10, 4, 8))

    def test_other_map_mask_and_surface(self):
        """Before and after are compared at one place, with and without the mask."""
        window = self.window
        window.sliders[2].set(12)
        settle(self.root, 0.2)
        self.assertTrue(window.view.figure.axes[0].collections)
        window.shown.set('Half map')
        window.mask.set(NO_MASK)
        window.change()
        settle(self.root, 0.2)
        self.assertFalse(window.view.figure.axes[0].collections)
        self.assertEqual(window.view.place[2], 12)
        self.assertGreater(np.abs(self._shown()[0] - self.first[12]).max(), 1)
        surface = window.showSurface()
        settle(self.root, 0.5)
        self.assertEqual(len(surface.figure.axes), 6)
        if os.environ.get('RELIONSTA_PICTURES'):
            self.screen.picture(Path(os.environ['RELIONSTA_PICTURES']) / 'map_window.png')
