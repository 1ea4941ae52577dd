"""The table of tomograms: sorted by a click, and the selection that its buttons make."""
import tkinter

import numpy as np
import pandas as pd

from relionsta.tests.gui.screen import settle
from relionsta.tests.gui.window_case import ScreenMixin
from relionsta.tests.protocols.case import StaCase
from relionsta.viewers.tomogram_list import TomogramListView


class TestStaTomogramList(ScreenMixin, StaCase):
    """A table of three tomograms, one of them without a score."""

    _until = 'extract'

    def setUp(self):
        super().setUp()
        self.root = tkinter.Tk()
        self.root.withdraw()
        self.addCleanup(self.root.destroy)
        table = pd.DataFrame({'particles': [5, 40, 12], 'score': [3.5, np.nan, 7.25], 'pmax': [.5, .6, .7],
                              'class_1': [.25, .5, 1.], 'defocus': [2e4, 3e4, 4e4], 'motion': [1., 2., 3.]},
                             index=['TS_01', 'TS_02', 'TS_10'])
        self.view = TomogramListView(table, 'Tomograms', self.proj, self.output('extract', 'outputParticles'),
                                     parent=self.root)
        self.window = self.view.show()
        settle(self.window, 0.5)

    def _names(self):
        return list(self.view.list.get_children())

    def test_a_click_on_a_heading_sorts(self):
        """Sorted as text, 5 comes after 40; the unknown must not come first."""
        for heading, expected in (('Particles', ['TS_02', 'TS_10', 'TS_01']), ('Particles', ['TS_01', 'TS_10', 'TS_02']),
                                  ('Score', ['TS_10', 'TS_01', 'TS_02']), (None, ['TS_01', 'TS_02', 'TS_10'])):
            self.view.sort(heading)
            self.assertEqual(self._names(), expected, heading)
        values = dict(zip(self.view.list['columns'], self.view.list.item('TS_01')['values']))
        self.assertEqual({name: str(value) for name, value in values.items()},
                         {'Particles': '5', 'Score': '3.5', 'Pmax': '0.5', 'Class 1 (%)': '25', 'Defocus (µm)': '2',
                          'Motion (Å)': '1'})
        self.keepPicture('tomogram_list')

    def test_marked_tomograms_go_into_the_form(self):
        """A form that names another tomogram, or keeps what should go, throws particles away."""
        self.view.sort('Particles')
        self.view.list.selection_set('TS_01', 'TS_10')
        kept, dropped = self.view.newSelection(True), self.view.newSelection(False)
        for protocol, label in ((kept, 'keep'), (dropped, 'drop')):
            self.assertEqual(sorted(protocol.tomograms.get().split()), ['TS_01', 'TS_10'])
            self.assertEqual(protocol.inputParticles.get().getSize(), self.done['extract'].outputParticles.getSize())
            self.assertEqual(protocol.getEnumText('keepOrDrop'), label)
        self.view.list.selection_set()
        with self.assertRaisesRegex(ValueError, 'no tomogram is marked'):
            self.view.newSelection(True)
