"""Runs the groups, each in a process of its own, some at once, and puts their results together."""
import concurrent.futures
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, Sequence

from .groups import PROMISES, Group
from .injectors.disk import own_mounts
from .table import table


def run_all(groups: Sequence[Group], folder: Path, seed: int, at_once: int) -> Dict[str, Any]:
    """Run the groups and write `folder`/summary.json; returns it. A group whose process dies is a failure of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    start = time.time()
    done = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=at_once) as pool:
        longest_first = sorted(groups, key=lambda group: not group.long)
        waiting = {pool.submit(_run_one, group, folder, seed): group for group in longest_first}
        for future in concurrent.futures.as_completed(waiting):
            result = future.result()
            done.append(result)
            print('[%d/%d] %s: %d of %d survived, %d open, %.0f s' % (
                len(done), len(groups), waiting[future].title, result['survived'], result['tried'], len(result['open']),
                result['seconds']), flush=True)
    order = [group.name for group in groups]
    done.sort(key=lambda result: order.index(result['group']))
    summary = {'seed': seed, 'seconds': round(time.time() - start, 1), 'promises': _by_promise(groups, done), 'groups': done}
    partial = folder / 'summary.json.part'
    partial.write_text(json.dumps(summary, indent=1) + '\n')
    os.replace(str(partial), str(folder / 'summary.json'))
    print(table(summary))
    return summary


def _run_one(group: Group, folder: Path, seed: int) -> Dict[str, Any]:
    """The result of one group; the lines that it prints go on as they come."""
    place = folder / group.name
    place.mkdir(parents=True, exist_ok=True)
    result = place / 'result.json'
    if result.exists():
        result.unlink()
    command = [sys.executable, '-m', __package__, '--one', group.name, '--folder', str(folder), '--seed', str(seed)]
    if group.mounts:
        command = own_mounts() + command
    with open(str(place / 'errors.log'), 'w') as errors:
        code = subprocess.run(command, stderr=errors, stdin=subprocess.DEVNULL, check=False).returncode
    if not result.exists():
        why = 'its process ended with %d; see %s' % (code, place / 'errors.log')
        return {'group': group.name, 'seed': seed, 'tried': 1, 'survived': 0, 'seconds': 0.0, 'open': [], 'notes': {},
                'failures': [{'case': 'the group itself', 'why': why}]}
    found = json.loads(result.read_text())
    if found['tried'] < group.least:
        found['failures'].append({'case': 'number of cases', 'why': 'only %d of at least %d cases were tried' % (
            found['tried'], group.least)})
    return found


def _by_promise(groups: Sequence[Group], done: Sequence[Dict[str, Any]]) -> Dict[str, Any]:
    """Per promise: cases tried, survived, open, and each failure by name."""
    promise_of = {group.name: group.promise for group in groups}
    found: Dict[str, Any] = {}
    for result in done:
        number = promise_of[result['group']]
        entry = found.setdefault(str(number), {'promise': PROMISES[number], 'tried': 0, 'survived': 0, 'open': 0,
                                               'failures': []})
        entry['tried'] += result['tried']
        entry['survived'] += result['survived']
        entry['open'] += len(result['open'])
        entry['failures'] += ['%s: %s' % (result['group'], failure['case']) for failure in result['failures']]
    return found
