"""How a run has ended, as the project's window finds out."""
import contextlib
import sqlite3
import subprocess
from datetime import datetime

from pyworkflow.protocol.constants import STATUS_RUNNING

from relionsta.protocols.ended import readRun
from relionsta.tests.protocols.case import StaCase


class TestStaEnded(StaCase):
    """What the window makes of a run that was at work when it read of it, and whose process it does not find."""

    _until = 'import_aretomo3'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.protocol = cls.road.launch(cls.proj.copyProtocol(cls.done['import_aretomo3']))

    def _looked_for(self):
        """The window's record of the run, after it has looked for the process."""
        gone = subprocess.Popen(['true'])
        gone.wait()
        record = self.proj.getProtocol(self.protocol.getObjId())
        record.setStatus(STATUS_RUNNING)
        record.setPid(gone.pid)
        record.lastUpdateTimeStamp.set(str(datetime.now()))
        self.proj._updateProtocol(record)
        return record

    def test_a_run_that_ended_between_two_looks_is_finished(self):
        """A run of weeks that is shown as failed, though it is not, is run again."""
        outputs = sorted(name for name, _ in self.protocol.iterOutputAttributes())
        found = self._looked_for()
        for one in (found, self.reloaded(found)):
            self.assertTrue(one.isFinished(), one.getErrorMessage())
            self.assertEqual(sorted(name for name, _ in one.iterOutputAttributes()), outputs)

    def test_a_run_that_was_killed_has_failed(self):
        """Nobody must wait for a run that is gone."""
        with contextlib.closing(sqlite3.connect(self.protocol.getDbPath())) as database, database:
            database.execute('UPDATE Objects SET value = ? WHERE name = ?',
                             (STATUS_RUNNING, '%d.status' % self.protocol.getObjId()))
        self.assertEqual(readRun(self.protocol)['status'], STATUS_RUNNING)
        found = self._looked_for()
        self.assertTrue(found.isFailed())
        self.assertIn('not found running', found.getErrorMessage())
