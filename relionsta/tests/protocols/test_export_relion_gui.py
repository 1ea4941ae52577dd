"""RELION's own GUI, on a virtual screen, with an exported project."""
import shutil
import subprocess
import time
import unittest

import numpy as np
from PIL import Image

from relionsta.tests.gui.screen import Screen
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import scratch
from relionsta.tests.relion.relion_window import click, environment, gui_program

#: Places of the lists in the window, without their frames: left, top, right, bottom.
FINISHED, RUNNING, SCHEDULED = (18, 460, 250, 645), (285, 460, 515, 535), (285, 570, 515, 645)
INPUTS, OUTPUTS = (550, 460, 780, 535), (550, 570, 780, 645)
#: Where the first line of a list is; each is some pixels below the one before.
FIRST_LINE, LINE = 466, 15
#: Seconds in which a busy machine shows the window.
PATIENCE = 60


def lines(picture, box):
    """How many lines of text there are in a part of a picture."""
    dark = (np.asarray(picture.crop(box).convert('L')) < 110).any(axis=1)
    return int(np.count_nonzero(dark[1:] & ~dark[:-1]) + dark[0])


@unittest.skipUnless(Screen.available(), 'no virtual screen: Xvfb is not installed')
class TestStaExportInGui(StaCase):
    """The export of the road, opened as a user of RELION opens a project."""

    _until = 'postprocess'

    def test_jobs_are_listed_as_finished(self):
        """A project that RELION's GUI does not open, or shows as running, is no project to go on with."""
        program, folder = gui_program(), scratch() / 'seen in RELION'
        shutil.rmtree(str(folder), ignore_errors=True)
        self.run_new('ProtStaExportRelion', inputResult=self.output('postprocess', 'sharpenedVolume'),
                     exportFolder=str(folder))
        number = len(list(folder.glob('*/job???')))
        with Screen('1366x900x24') as screen:
            with subprocess.Popen([str(program), '--tomo'], cwd=str(folder), env=environment(screen.name),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as window:
                try:
                    seen = self._wait(screen, lambda picture: lines(picture, FINISHED) == number)
                    self.assertEqual([lines(seen, box) for box in (FINISHED, RUNNING, SCHEDULED)], [number, 0, 0])
                    # The last job is listed first; it has read the refinement's half map and the mask.
                    click(screen.name, 90, FIRST_LINE)
                    seen = self._wait(screen, lambda picture: lines(picture, INPUTS) == 2)
                    self.assertEqual([lines(seen, box) for box in (INPUTS, OUTPUTS)], [2, 0])
                    click(screen.name, 90, FIRST_LINE + LINE)
                    seen = self._wait(screen, lambda picture: lines(picture, OUTPUTS) == 1)
                    self.assertEqual([lines(seen, box) for box in (INPUTS, OUTPUTS)], [3, 1])
                    self.assertIsNone(window.poll())
                finally:
                    window.terminate()

    @staticmethod
    def _wait(screen, is_there):
        """The picture on the screen once it is as wanted, or the last one."""
        end = time.time() + PATIENCE
        while True:
            picture = Image.open(str(screen.picture(scratch() / 'relion.png')))
            if is_there(picture) or time.time() > end:
                return picture
            time.sleep(0.5)
