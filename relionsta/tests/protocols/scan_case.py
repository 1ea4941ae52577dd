"""What the tests of parameter scans share."""
import signal
import time

from relionsta.protocols.ended import readRun
from relionsta.tests.faults.injectors import processes
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SETTINGS

#: Seconds after which a test gives up waiting.
PATIENCE = 120


def wait_for(what):
    """Wait until what() is true, and return it."""
    end = time.time() + PATIENCE
    while time.time() < end:
        found = what()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError('nothing has happened in %d s' % PATIENCE)


class ScanCase(StaCase):
    """Scans of a classification of the road's particles that was filled in and saved."""

    _until = 'mask'

    def template(self, iterations=2, **values):
        settings = dict(SETTINGS.class3d, nr_iter=iterations, **values)
        new = self.new('ProtStaClass3D', inputParticles=self.output('extract', 'outputParticles'),
                       referenceVolume=self.output('reconstruct', 'average'), particle_diameter=SETTINGS.diameter,
                       numberOfThreads=1, **settings)
        new.setObjLabel('T scanned')
        self.proj.saveProtocol(new)
        return new

    def scan(self, template, text, **values):
        return self.new('ProtStaScan', **dict(dict(scannedRun=template, scanText=text, numberOfThreads=2), **values))

    def refreshed(self, protocol):
        """The run as the GUI has it after it was drawn anew."""
        return next(run for run in self.proj.getRuns(refresh=True) if run.getObjId() == protocol.getObjId())

    def children(self, scan):
        """Key -> child, up to date, as the GUI has them; not yet those that were made while the project was read."""
        ids = self.refreshed(scan).getChildIds()
        runs = {run.getObjId(): run for run in self.proj.getRuns(refresh=False)}
        return {key: runs[number] for key, number in ids.items() if number in runs}

    def at_work(self, scan, number):
        """The children, once so many are at work with RELION's program, which is halted there, or it could be over soon."""
        halted = {}

        def look():
            found = self.children(scan)
            for key, run in found.items():
                if key not in halted and readRun(run).get('status') == 'running':
                    there = processes.processes(run)
                    if there['relion']:
                        processes.kill(there, 'RELION', signal.SIGSTOP)
                        halted[key] = there
            return (found, halted) if len(halted) >= number else None
        return wait_for(look)
