"""What a look at the computer before a run leaves behind: nothing."""
import os
import time

import psutil

from relionsta.protocols import preflight


def test_a_launcher_that_waits_is_ended(tmp_path, monkeypatch):
    """srun waits for its turn: each look at a form left one in the queue, which asked for processors later."""
    monkeypatch.setattr(preflight, 'PATIENCE', 1.0)
    told = tmp_path / 'pid'
    command = 'sh -c \'echo $$ > "%s"; exec sleep 60\'; true' % told
    assert preflight._tryLauncher(command, os.environ['PATH']) == ''
    end = time.time() + 10
    while psutil.pid_exists(int(told.read_text())) and time.time() < end:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(told.read_text()))
