"""The table of tomograms: sorted by a click, and the selection that its buttons make."""
import os
import tkinter
import unittest

import numpy as np
import pandas as pd

from relionsta.tests.gui.screen import Screen, settle
from relionsta.tests.protocols.case import StaCase
from relionsta.viewers.tomogram_list import TomogramListView


@unittest.skipUnless(Screen.available(), 'no virtual screen: Xvfb is not installed')
class TestStaTomogramList(StaCase):
    """A table of three tomograms, one of them without a score."""

    _until = 'extract'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.screen = Screen()
        cls.screen.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.screen.__exit__()
        super().tearDownClass()

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
        if os.environ.get('RELIONSTA_PICTURES'):
            self.screen.picture(os.path.join(os.environ['RELIONSTA_PICTURES'], 'tomogram_list.png'))

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
