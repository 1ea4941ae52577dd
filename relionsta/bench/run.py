"""All conversions at all sizes, in one run on one machine, into convert.json and a plot."""
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence

from ..demo.scipion_home import prepare_scipion
from ..figures.benchmark import scaling_figure
from ..figures.style import save_figure
from .data import SERIES, TILTS, write_particles, write_series
from .overview import ITERATIONS, PARTICLES
from .peer import PeerUnavailable, peer_python, time_peer

SIZES = (10 ** 4, 10 ** 5, 10 ** 6)
#: the peer needs minutes above this
PEER_UP_TO = 10 ** 5
#: each time is the best of so many up to PEER_UP_TO, ours and the peer's in turn: other work on the machine only adds
REPEATS = 3
RESULT, PLOT = 'convert.json', 'convert.png'
PARTICLE_TASKS = ('set_to_star', 'star_to_set')


def run_benchmark(folder: Path, sizes: Sequence[int] = SIZES, with_peer: bool = True) -> Path:
    """Time every conversion of particles for each n in sizes, and of tilt series once; returns the JSON file.

    Each is a process of its own, one at a time, and sees files that are in the system's cache. The peer is timed
    right after ours, on the same files, and the best of REPEATS counts, so that the ratio holds on a noisy machine.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    prepare_scipion(folder / 'home')
    python = peer_python(folder / 'peer') if with_peer else None
    series = folder / 'series'
    if not (series / 'tomograms.star').exists():
        _say('writing %d tilt series of %d images' % (SERIES, TILTS))
        write_series(series)
    rows: List[Dict[str, Any]] = []
    for n in sizes:
        place = folder / ('particles_%d' % n)
        if not (place / 'optimisation_set.star').exists():
            _say('writing %d particles' % n)
            write_particles(place, n, series)
        row: Dict[str, Any] = {'n': n}
        for task in PARTICLE_TASKS:
            ours, peers = [], []
            for _ in range(REPEATS if n <= PEER_UP_TO else 1):
                ours.append(_time(task, place, series, folder))
                if python is not None and n <= PEER_UP_TO:
                    peers.append(time_peer(python, task, place, n, folder / 'home')['seconds'])
            row[task + '_s'] = min(one['seconds'] for one in ours)
            row['rss_mb'] = max([row.get('rss_mb', 0.0)] + [one['rss_mb'] for one in ours])
            row['peer_%s_s' % task] = min(peers) if peers else None
        row['summary_s'] = _time('summary', place, series, folder)['seconds']
        rows.append(row)
        _say(_line(row))
    result = {'particles': rows, 'tilt_series': SERIES, 'tilts': TILTS,
              'overview_s': _time('overview', folder, series, folder)['seconds'],
              'series_to_star_s': _time('series_to_star', folder, series, folder)['seconds'],
              'aretomo3_to_sets_s': _time('aretomo3_to_sets', folder, series, folder)['seconds']}
    _say('%d tilt series of %d images: to STAR files %.1f s, from AreTomo3 %.1f s; convergence board of %d iterations of '
         '%d particles %.1f s' % (SERIES, TILTS, result['series_to_star_s'], result['aretomo3_to_sets_s'], ITERATIONS,
                                  PARTICLES, result['overview_s']))
    path = folder / RESULT
    partial = path.with_suffix('.part')
    partial.write_text(json.dumps(result, indent=1) + '\n')
    os.replace(str(partial), str(path))
    save_figure(scaling_figure(rows), folder / PLOT)
    return path


def _time(task: str, folder: Path, series: Path, home: Path) -> Dict[str, Any]:
    done = subprocess.run([sys.executable, '-m', 'relionsta.bench.tasks', task, str(folder), str(series), '--scipion',
                           str(home / 'home')], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, check=False)
    if done.returncode:
        raise RuntimeError('%s failed: %s' % (task, done.stderr[-2000:]))
    result: Dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _line(row: Dict[str, Any]) -> str:
    parts = []
    for task, words in (('set_to_star', 'set to STAR'), ('star_to_set', 'STAR to set')):
        seconds, peer = row[task + '_s'], row['peer_%s_s' % task]
        text = '%s %.2f s' % (words, seconds)
        parts.append(text if peer is None else '%s (peer %.1f s, %.1f times)' % (text, peer, peer / seconds))
    return '%8d particles: %s; summary %.2f s; %.0f MB' % (row['n'], ', '.join(parts), row['summary_s'], row['rss_mb'])


def _say(text: str) -> None:
    print(text, flush=True)


def main(folder: Path, sizes: Sequence[int], with_peer: bool) -> int:
    """The command: python -m relionsta bench."""
    try:
        path = run_benchmark(folder, sizes, with_peer)
    except PeerUnavailable as error:
        print('%s Run again with the network, or with --no-peer.' % error, file=sys.stderr)
        return 1
    print('Written: %s and %s' % (path, path.with_name(PLOT)))
    return 0
