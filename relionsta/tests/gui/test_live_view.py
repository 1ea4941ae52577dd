"""The window that follows a run: it draws what is new, says what RELION does, and stops with its window."""
import os
import shutil
import tempfile
import tkinter
import unittest
from pathlib import Path

from relionsta.figures.convergence import convergence_figure
from relionsta.figures.words import notice_figure
from relionsta.jobs import files
from relionsta.results.follow import Follower
from relionsta.tests.gui.screen import Screen, settle, until
from relionsta.tests.unit.relion_job_folder import write_final, write_iteration
from relionsta.viewers import ProtStaMultiBodyViewer, ProtStaRefine3DViewer, live


@unittest.skipUnless(Screen.available(), 'no virtual screen: Xvfb is not installed')
class TestStaLiveView(unittest.TestCase):
    """A job folder that grows under an open window."""

    def setUp(self):
        self.screen = Screen()
        self.screen.__enter__()
        self.addCleanup(self.screen.__exit__)
        self.root = tkinter.Tk()
        self.addCleanup(self._close)
        self.every, live.EVERY_MS = live.EVERY_MS, 30
        self.addCleanup(setattr, live, 'EVERY_MS', self.every)
        self.folder = Path(tempfile.mkdtemp())
        self.drawn = []
        self.view = None

    def _close(self):
        if self.root is not None:
            self.root.destroy()

    def _draw(self, follower):
        course = follower.course()
        self.drawn.append(0 if course is None else course.last)
        return notice_figure('Nothing yet.') if course is None else convergence_figure(course, title='Convergence')

    def _open(self, log=None, job_type=files.CLASS3D, draw=None):
        follower = Follower(self.folder / 'job001', job_type, log=log)
        self.view = live.LiveView(follower, draw or self._draw, lambda: True, 'Run: convergence', self.root)
        return self.view.show()

    def _arrive(self, window, paths):
        """The files come into the job folder, one after the other, each cut in the middle at first."""
        (self.folder / 'job001').mkdir(exist_ok=True)
        for path in paths:
            content = path.read_bytes()
            for part in (content[:len(content) // 2], content):
                (self.folder / 'job001' / path.name).write_bytes(part)
                settle(window, 0.05)

    def test_the_window_follows_the_run(self):
        """Files come one by one; the figure changes when an iteration is whole, and the open window never fails."""
        failed = []
        self.root.report_callback_exception = lambda *what: failed.append(what)
        log = self.folder / 'run.stdout'
        log.write_text(' Expectation iteration 1 of 25\n  10/  40 sec ...............~~(,_,">')
        window = self._open(log)
        until(window, lambda: self.drawn)
        self.assertEqual(self.drawn, [0])
        for number in (1, 2):
            self._arrive(window, write_iteration(self.folder / 'whole', files.CLASS3D, number, 3))
            until(window, lambda number=number: self.drawn[-1] == number)
        settle(window, 0.3)
        self.assertEqual(self.drawn, [0, 1, 2])
        self.assertEqual(failed, [])
        canvases = [widget for widget in _below(window) if isinstance(widget, tkinter.Canvas)]
        self.assertEqual(len(canvases), 1, 'the old figure is still there')
        self.assertLess(window.winfo_reqheight(), 768)
        self.assertIn('Iteration 1 of 25', self.view._status.get())
        if os.environ.get('RELIONSTA_PICTURES'):
            self.screen.picture(os.path.join(os.environ['RELIONSTA_PICTURES'], 'live_view.png'))

    def test_the_fsc_follows_the_run(self):
        """The curves of both jobs with half maps: of the last whole iteration, and of the end when all of it is there."""
        for job_type, number, viewer, names in (
                (files.REFINE3D, 1, ProtStaRefine3DViewer,
                 [[], ['Iteration 1'], ['Iteration 2'], ['Final', 'Iteration 2']]),
                (files.MULTIBODY, 2, ProtStaMultiBodyViewer, [[]] + [['Body 1', 'Body 2']] * 3)):
            shown, titles, failed = [], [], []

            def draw(follower, viewer=viewer, shown=shown, titles=titles):
                figure = viewer._lastFsc(follower)
                shown.append([line.get_label().split(':')[0] for axes in figure.axes for line in axes.lines
                              if 'Å' in line.get_label()])
                titles.extend(axes.get_title(loc='left') for axes in figure.axes)
                return figure

            self.root.report_callback_exception = lambda *what, failed=failed: failed.append(what)
            window = self._open(job_type=job_type, draw=draw)
            until(window, lambda shown=shown: shown)
            for iteration in (1, 2):
                self._arrive(window, write_iteration(self.folder / 'whole', job_type, iteration, number))
                until(window, lambda shown=shown, iteration=iteration: len(shown) > iteration)
            self._arrive(window, write_final(self.folder / 'whole', job_type, number))
            until(window, lambda shown=shown: len(shown) > 3)
            settle(window, 0.3)
            self.assertEqual((shown, failed), (names, []))
            if number == 2:
                self.assertEqual(titles, ['FSC of the bodies, ' + name for name in ('iteration 1', 'iteration 2', 'final')])
            window.destroy()
            shutil.rmtree(str(self.folder / 'job001'))

    def test_a_closed_window_looks_no_more(self):
        """Windows that go on looking after they were closed add up until Scipion crawls, or fails at exit."""
        failed = []
        self.root.report_callback_exception = lambda *what: failed.append(what)
        window = self._open()
        until(window, lambda: self.drawn)
        window.destroy()
        write_iteration(self.folder / 'job001', files.CLASS3D, 1)
        settle(self.root, 0.5)
        self.assertEqual((self.drawn, failed), ([0], []))
        self.assertEqual(self.root.tk.call('after', 'info'), '')

    def test_a_folder_that_cannot_be_read_for_a_while(self):
        """A network disk that is away must not end the looking."""
        window = self._open()
        follower = self.view._follower
        right = follower.changed
        follower.changed = lambda: (_ for _ in ()).throw(OSError('stale file handle'))
        until(window, lambda: 'stale file handle' in self.view._status.get())
        follower.changed = right
        write_iteration(self.folder / 'job001', files.CLASS3D, 1)
        until(window, lambda: self.drawn[-1] == 1)
        self.assertEqual(self.drawn, [0, 1])


def _below(widget):
    for child in widget.winfo_children():
        yield child
        if not isinstance(child, tkinter.Menu):
            yield from _below(child)
