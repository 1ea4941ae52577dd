"""The refinement cycle on a data set whose defocus and alignment are known to be wrong."""
import json

import numpy as np

from relionsta.convert.bulk import read_columns
from relionsta.jobs.cycle import CTF, POLISH, START
from relionsta.results.ladder import fall_back, kept_rungs, read_ladder
from relionsta.tests.protocols.series_scene import BOX, PIXEL, WRONG, SeriesCase
from relionsta.tests.protocols.test_refine_series import NUMBER, defocus_error, shift_error

MASK = dict(lowpass_filter=20.0, extend_inimask=2, width_mask_edge=4)
SETTINGS = dict(MASK, estimationBox=BOX, referenceBox=BOX, max_error=10, do_auto_bfac=False, numberOfThreads=2)


class TestStaRefinementCycle(SeriesCase):
    """One round, without refinement of the poses: stopped, gone on with, and with a round that is no use after it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cycle = cls.new('ProtStaRefinementCycle', inputParticles=cls.halved, **SETTINGS)
        cls.road.launch(cls.cycle)

    def test_ladder(self):
        rungs = self.cycle.getLadder()
        print('\n'.join(self.cycle.summary()))
        self.assertEqual([rung.step for rung in rungs], [START, CTF + ' 1', POLISH + ' 1'])
