"""How a run has ended, as the run itself has written it."""
import os
import sqlite3

from pyworkflow.protocol.constants import ACTIVE_STATUS

#: What is read of a run's own database while it runs.
WATCHED = ('status', '_pid', '_error', 'initTime', 'endTime')


class EndedMixin:
    """For a protocol, before its base class."""

    def setFailed(self, msg):
        """Scipion's window reads that a run is at work, then looks for its process, and calls it failed where there is none.
        One that has come to its end between the two has said how."""
        if self._hasEndedElsewhere():
            self.lastUpdateTimeStamp.set(None)
            self.getProject()._updateProtocol(self)
        else:
            super().setFailed(msg)

    def _hasEndedElsewhere(self):
        """True where the run is at work by this record, which another process looks at, and has ended by its own."""
        return (self.getProject() is not None and self.isActive() and self.getPid() not in (0, os.getpid())
                and readRun(self).get('status', self.getStatus()) not in ACTIVE_STATUS)


def readRun(run):
    """What a run's own database says of it now: {name of WATCHED: text or None}; {} where there is none (yet)."""
    path, names = run.getDbPath(), ['%s.%s' % (run.getObjId(), name) for name in WATCHED]
    if not os.path.exists(path):
        return {}
    connection = sqlite3.connect('file:%s?mode=ro' % os.path.abspath(path).replace('?', '%3f').replace('#', '%23'),
                                 uri=True, timeout=30)
    try:
        rows = connection.execute('SELECT name, value FROM Objects WHERE name IN (%s)' % ','.join('?' * len(names)), names)
        return {name.split('.', 1)[1]: value for name, value in rows}
    finally:
        connection.close()
