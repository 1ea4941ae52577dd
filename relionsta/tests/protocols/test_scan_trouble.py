"""Parameter scans whose runs are killed or stopped while they work."""
import signal
import time

import psutil

from relionsta.protocols.child_runs import isAlive
from relionsta.protocols.children import LOOK
from relionsta.protocols.ended import readRun
from relionsta.tests.faults.injectors import processes
from relionsta.tests.protocols.scan_case import ScanCase, wait_for

#: Iterations of runs that are caught at work.
LONG = 20


def kill(pid):
    """Kill a run and its programs, as a computer without memory does."""
    for process in psutil.Process(pid).children(recursive=True) + [psutil.Process(pid)]:
        process.kill()


class TestStaScanTrouble(ScanCase):
    """Runs that are killed or stopped while they work."""

    def _start(self, text='tau_fudge = 1, 4'):
        scan = self.scan(self.template(LONG), text)
        self.proj.launchProtocol(scan)
        self.addCleanup(self._stop, scan)
        return (scan, *self.at_work(scan, 2))

    def _stop(self, scan):
        scan = self.refreshed(scan)
        if scan.isActive():
            self.proj.stopProtocol(scan)

    def test_two_run_side_by_side_and_never_more(self):
        """One after the other would take twice the time, all four at once would be slower and may need too much memory."""
        scan, found, _ = self._start('tau_fudge = 0.5, 1, 2, 4')
        end = time.time() + 5 * LOOK
        while time.time() < end:
            self.assertEqual(list(self.refreshed(scan).getChildIds()), ['tau_fudge = 0.5', 'tau_fudge = 1'])
            time.sleep(LOOK / 2)
        kill(int(readRun(found['tau_fudge = 0.5'])['_pid']))
        third = wait_for(lambda: self.children(scan).get('tau_fudge = 2'))
        wait_for(lambda: readRun(third).get('status') == 'running')
        self.assertEqual(len(self.refreshed(scan).getChildIds()), 3)

    def test_one_killed_leaves_the_others_and_continue_repeats_it(self):
        """A computer without memory kills one run: the night's work of the others must not be lost."""
        scan, found, halted = self._start()
        kill(int(readRun(found['tau_fudge = 4'])['_pid']))
        processes.kill(halted['tau_fudge = 1'], 'RELION', signal.SIGCONT)
        wait_for(lambda: readRun(scan).get('status') == 'finished')
        scan = self.refreshed(scan)
        told = '\n'.join(scan.summary())
        self.assertTrue(scan.isFinished(), scan.getErrorMessage())
        self.assertIn('1 of 2 runs have finished.', told)
        self.assertRegex(told, r'- tau_fudge = 4: failed \(run \d+\): .*(died or been killed|was killed)')
        self.assertRegex(told, r'1\. tau_fudge = 1: [\d.]+ Å')
        left = self.children(scan)
        self.assertTrue(left['tau_fudge = 1'].isFinished() and left['tau_fudge = 4'].isFailed())
        scan = self.road.launch(scan)
        again = self.children(scan)
        self.assertIn('2 of 2 runs have finished.', scan.summary())
        self.assertEqual(*({key: run.getObjId() for key, run in runs.items()} for runs in (again, left)))
        self.assertEqual(again['tau_fudge = 1'].endTime.get(), left['tau_fudge = 1'].endTime.get())

    def test_stop_stops_the_runs(self):
        """Stop must not leave programs that go on for days."""
        scan, found, _ = self._start()
        self.proj.stopProtocol(self.refreshed(scan))
        for key, run in self.children(scan).items():
            with self.part(child=key):
                self.assertTrue(run.isAborted())
                self.assertFalse(isAlive(found[key], int(readRun(found[key])['_pid'] or 0)))
        self.assertTrue(self.refreshed(scan).isAborted())

    def test_runs_go_on_without_their_scan_and_are_found_again(self):
        """If the scan's own process dies, Continue must wait for its runs and start no second copy of them."""
        scan, found, halted = self._start()
        pids = {key: int(readRun(run)['_pid']) for key, run in found.items()}
        psutil.Process(int(readRun(self.refreshed(scan))['_pid'])).kill()
        wait_for(lambda: self.refreshed(scan).isFailed())
        for key in found:
            self.assertTrue(isAlive(found[key], pids[key]), key)
            processes.kill(halted[key], 'RELION', signal.SIGCONT)
        scan = self.road.launch(self.refreshed(scan))
        after = self.children(scan)
        for key, run in after.items():
            with self.part(child=key):
                self.assertEqual(run.getObjId(), found[key].getObjId())
                with open(run.getStdoutLog()) as log:
                    self.assertEqual(log.read().count('PROTOCOL -----------------'), 1)
        self.assertIn('2 of 2 runs have finished.', scan.summary())
