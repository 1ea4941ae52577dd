"""A quick selection of every group of the campaign that breaks things on purpose (make faults runs it all)."""
import shutil
from pathlib import Path

from relionsta.tests.faults.groups import GROUPS
from relionsta.tests.faults.ledger import Ledger
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import scratch


class TestStaFaults(StaCase):
    """Long weeks of computing end in power cuts, full disks and typing errors."""

    def test_quick_selection(self):
        """A change that breaks a promise should be seen the same day, not at the next campaign."""
        for group in GROUPS:
            with self.part(group=group.name):
                folder = Path(scratch()) / 'faults' / group.name
                shutil.rmtree(str(folder), ignore_errors=True)
                ledger = Ledger(group.name, folder, quick=True, say=lambda text: None)
                group.run(ledger)
                self.assertEqual(ledger.failures, [])
                self.assertGreater(ledger.tried, 0)
