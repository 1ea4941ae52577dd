"""What tests of windows share: a screen for the class, a project's window for each test, and pictures to look at."""
import os
import unittest

from relionsta.tests.gui.screen import Screen, settle

#: a folder; pictures of the windows go there
PICTURES = 'RELIONSTA_PICTURES'


@unittest.skipUnless(Screen.available(), 'no virtual screen: Xvfb is not installed')
class ScreenMixin:
    """Before the class of the case: a virtual screen, `screen`, for all tests of the class."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.screen = Screen()
        cls.screen.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.screen.__exit__()
        super().tearDownClass()

    def keepPicture(self, name):
        """Save what is on the screen as NAME.png, where pictures are asked for."""
        if os.environ.get(PICTURES):
            self.screen.picture(os.path.join(os.environ[PICTURES], name + '.png'))


class ProjectWindowMixin(ScreenMixin):
    """The same, and Scipion's window of the project, `window`, for each test."""

    def setUp(self):
        super().setUp()
        from pyworkflow.gui.project import ProjectWindow
        self.proj.mapper.commit()  # else the window waits for the test to end before it can write
        self.window = ProjectWindow(self.proj.getPath())
        self.addCleanup(self.window.root.destroy)
        settle(self.window.root, 1)


def below(widget):
    """All widgets in a widget."""
    for child in widget.winfo_children():
        yield child
        yield from below(child)
