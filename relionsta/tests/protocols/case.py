"""A Scipion test on the road: real RELION in a real project, each step run once for all tests of a process."""
import contextlib
import functools
import os
from pathlib import Path

import psutil
from pyworkflow import Config
from pyworkflow.object import Pointer
from pyworkflow.project import Manager
from tomo.tests.test_base_centralized_layer import TestBaseCentralizedLayer

from relionsta.demo.project import new_protocol
from relionsta.demo.road import make_road
from relionsta.star import read_star
from relionsta.tests.protocols.scene import SETTINGS, scene_folder

PROJECT = 'TestStaRoad'
#: lines of a failed protocol's log that a failed test shows
LOG_LINES = 25


class Road:
    """The project that the tests share, and its finished protocols by job. There is a blank in its path."""

    def __init__(self):
        place = Path(Config.SCIPION_TESTS_OUTPUT) / 'with a blank'
        place.mkdir(parents=True, exist_ok=True)
        self.project = Manager().createProject(PROJECT, location=str(place))
        self.done = {}

    def until(self, job):
        """Run the steps up to `job` that have not been run yet."""
        for step in make_road(str(scene_folder())):
            if step.job not in self.done:
                protocol = new_protocol(self.project, step.protocol, step.label, step.parameters(self.done, SETTINGS))
                self.done[step.job] = self.launch(protocol)
            if step.job == job:
                return

    def launch(self, protocol):
        """Run a protocol to its end; AssertionError with its reason and log if it does not finish."""
        self.project.launchProtocol(protocol, wait=True)
        return self._finished(protocol)

    def together(self, *protocols):
        """Run protocols that do not need each other side by side: starting Scipion takes most of a small run's time."""
        for protocol in protocols:
            self.project.launchProtocol(protocol, wait=False)
            self.project.mapper.commit()
        for protocol in protocols:
            # It is looked at once, at its end
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(protocol.getPid()).wait()
            self.project._updateProtocol(protocol)
            self.project.mapper.commit()
        return [self._finished(protocol) for protocol in protocols]

    @staticmethod
    def _finished(protocol):
        if not protocol.isFinished():
            raise AssertionError('%s: %s\n%s' % (protocol.getRunName(), protocol.getErrorMessage(),
                                                 '\n'.join(protocol.getLogsLastLines(LOG_LINES))))
        return protocol


@functools.lru_cache(maxsize=1)
def shared_road():
    """The road of this process."""
    return Road()


class StaCase(TestBaseCentralizedLayer):
    """A test in the shared project. _until: the last step of the road that the class needs; done: protocol by job."""

    _until = None

    @classmethod
    def setUpClass(cls):
        cls._cameFrom = os.getcwd()
        cls.road = shared_road()
        cls.proj, cls.done = cls.road.project, cls.road.done
        os.chdir(cls.proj.path)  # as Scipion's GUI does: all paths are relative to the project
        if cls._until:
            cls.road.until(cls._until)

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls._cameFrom)

    def setUp(self):
        self._wrong = []
        self.addCleanup(self._tell)

    def _tell(self):
        if self._wrong:
            self.fail('\n'.join(self._wrong))

    @contextlib.contextmanager
    def part(self, **what):
        """One of several parts of a test, told by `what`: the others are tried even if it fails.

        Not unittest's subTest: Scipion's runner counts a test of which a subTest failed as passed.
        """
        try:
            yield
        except self.failureException as error:
            self._wrong.append('%s: %s' % (', '.join('%s %s' % item for item in what.items()), error))

    @classmethod
    def new(cls, protocol, **values):
        """A protocol of the class named, with values as one would type them; not saved, not run."""
        return new_protocol(cls.proj, protocol, '%s of a test' % protocol, values)

    @classmethod
    def run_new(cls, protocol, **values):
        """The same, run to its end."""
        return cls.road.launch(cls.new(protocol, **values))

    @classmethod
    def output(cls, protocol, name):
        """A pointer to an output, as choosing it in a form makes one; protocol: a run, or the job of one on the road."""
        return Pointer(cls.done[protocol] if isinstance(protocol, str) else protocol, extended=name)

    @classmethod
    def reloaded(cls, protocol):
        """The run as it is after the project was closed and opened again."""
        return Manager().loadProject(PROJECT).getProtocol(protocol.getObjId())

    @staticmethod
    def rows(path):
        """The particles of a STAR file that RELION read or wrote, by particle name."""
        return read_star(path, ['particles'])['particles'].set_index('rlnTomoParticleName')
