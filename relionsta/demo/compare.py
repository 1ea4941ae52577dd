"""What the road gave, beside the known answer."""
import contextlib
import os
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

import pandas as pd

from ..convert.particles import NAME, ids_by_name
from ..protocols.postprocess import ProtStaPostProcess
from ..protocols.refine_base import ProtStaRefineBase
from ..protocols.runner import spentSeconds
from ..simulate.scene import PARTICLE
from ..simulate.truth import Truth, compare_maps, compare_poses, kinds, read_truth
from ..star import read_star


def compare(finished: Dict[str, Any], project: Path, scene: Path, times: Dict[str, float]) -> Dict[str, Any]:
    """The summary of a finished road: its steps with their times, and errors against the truth.

    finished: protocol by job; project: the folder that their paths start from; scene: the simulated data set; times:
    wall-clock seconds by job. Lengths in Å, angles in degrees.
    """
    with inside(project):
        end = End(finished['refine3d'].outputParticles, finished['refine3d'].refinedVolume,
                  finished['mask'].solventMask, finished['postprocess'].getResult().resolution)
        return summarise(finished, end, read_truth(scene), times)


class End(NamedTuple):
    """What is compared with the truth: particles, their map, the mask that it is compared under, and the resolution (Å)."""

    particles: Any
    volume: Any
    mask: Any
    resolution: float


@contextlib.contextmanager
def inside(project: Path) -> Iterator[None]:
    """With the project's folder as the working directory: Scipion's paths start there."""
    here = os.getcwd()
    os.chdir(str(project))
    try:
        yield
    finally:
        os.chdir(here)


def summarise(finished: Dict[str, Any], end: End, truth: Truth, times: Dict[str, float]) -> Dict[str, Any]:
    """As compare, for any road that begins as the demo's; inside the project's folder."""
    steps: List[Dict[str, Any]] = [
        {'job': job, 'protocol': protocol.getClassName(), 'wall_s': times[job],
         'relion_s': round(spentSeconds(protocol), 2), 'resolution_A': _rounded(_resolution(protocol)),
         'particles': _number(protocol)}
        for job, protocol in finished.items()]
    first = compare_poses(truth.particles, rows_of(finished['extract'].outputParticles))
    last = compare_poses(truth.particles, rows_of(end.particles))
    match = compare_maps(Path(end.volume.getFileName()), truth, end.resolution, Path(end.mask.getFileName()))
    return {
        'steps': steps,
        'truth': {
            'map_cc': round(match.cc, 4),
            'median_angle_error_deg': round(last.median_angle_error_deg, 3),
            'median_shift_error_A': round(last.median_shift_error_A, 3),
            'start_median_angle_error_deg': round(first.median_angle_error_deg, 3),
            'start_median_shift_error_A': round(first.median_shift_error_A, 3),
            'binned_pixel_A': round(end.volume.getSamplingRate(), 4),
            'particles': last.n_matched,
            **_selection(truth, finished),
        },
        'totals': {'wall_s': round(sum(times[job] for job in finished), 2),
                   'relion_s': round(sum(step['relion_s'] for step in steps), 2)},
    }


def _resolution(protocol: Any) -> Optional[float]:
    """Å, of a step that measures it."""
    if isinstance(protocol, ProtStaPostProcess):
        return protocol.getResult().resolution
    return protocol.getModel().resolution if isinstance(protocol, ProtStaRefineBase) else None


def _selection(truth: Truth, finished: Dict[str, Any]) -> Dict[str, float]:
    """The fraction of the particles that the selection kept, and of the decoys (the other species and the empty places)
    that it rejected."""
    picks = rows_of(finished['extract'].outputParticles)
    true = kinds(truth.particles, picks) == PARTICLE
    kept = picks[NAME].isin(ids_by_name(finished['select'].outputParticles)).to_numpy()
    return {'decoys_rejected': round(float((~kept[~true]).mean()), 4), 'true_kept': round(float(kept[true].mean()), 4)}


def rows_of(particles: Any) -> pd.DataFrame:
    """The particles STAR file that RELION wrote for a set which is that of one run, whole."""
    return read_star(particles.getParticlesStars()[0], ['particles'])['particles']


def _number(protocol: Any) -> Optional[int]:
    """The particles (or picks) that a step gave; None for one that gives none."""
    items = getattr(protocol, 'outputParticles', None) or getattr(protocol, 'outputCoordinates', None)
    return None if items is None else items.getSize()


def _rounded(value: Optional[float]) -> Optional[float]:
    return None if value is None else round(value, 2)


def table(summary: Dict[str, Any]) -> str:
    """The summary as people read it."""
    steps = summary['steps']
    width = max(18, *(len(step['job']) for step in steps))
    row = '%%-%ds %%10s %%12s %%8.1f s %%8.1f s' % width
    lines = ['', ('%%-%ds %%10s %%12s %%10s %%10s' % width) % ('step', 'particles', 'resolution', 'time', 'in RELION')]
    for step in steps:
        reached = '%.2f Å' % step['resolution_A'] if step['resolution_A'] else '-'
        lines.append(row % (step['job'], step['particles'] or '-', reached, step['wall_s'], step['relion_s']))
    totals, truth = summary['totals'], summary['truth']
    lines.append(row % ('all', '', '', totals['wall_s'], totals['relion_s']))
    lines += ['', 'Compared with the known answer (%d particles):' % truth['particles'],
              '  selection: %.1f %% of the decoys rejected, %.1f %% of the particles kept'
              % (100 * truth['decoys_rejected'], 100 * truth['true_kept']),
              '  correlation of the refined map with the true map: %.3f' % truth['map_cc'],
              '  median error of the orientations: %.2f° (picks: %.2f°)'
              % (truth['median_angle_error_deg'], truth['start_median_angle_error_deg']),
              '  median error of the positions: %.2f Å (picks: %.2f Å; one pixel is %.2f Å)'
              % (truth['median_shift_error_A'], truth['start_median_shift_error_A'], truth['binned_pixel_A']), '']
    return '\n'.join(lines)
