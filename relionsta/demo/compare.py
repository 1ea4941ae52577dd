"""What the road gave, beside the known answer."""
import os
from pathlib import Path
from typing import Any, Dict, List, Optional

import pandas as pd

from ..convert.particles import NAME, ids_by_name
from ..jobs import files
from ..protocols.base import JOB_FOLDER
from ..protocols.runner import spentSeconds
from ..simulate.scene import PARTICLE
from ..simulate.truth import PoseErrors, Truth, compare_maps, compare_poses, kinds, read_truth
from ..star import read_star


def compare(finished: Dict[str, Any], project: Path, scene: Path, times: Dict[str, float]) -> Dict[str, Any]:
    """The summary of a finished road: its steps with their times, and errors against the truth.

    finished: protocol by job; project: the folder that their paths start from; scene: the simulated data set; times:
    wall-clock seconds by job. Lengths in Å, angles in degrees.
    """
    here = os.getcwd()
    os.chdir(str(project))  # Scipion's paths start from the project's folder
    try:
        return _compare(finished, read_truth(scene), times)
    finally:
        os.chdir(here)


def _compare(finished: Dict[str, Any], truth: Truth, times: Dict[str, float]) -> Dict[str, Any]:
    resolution = {'class3d': finished['class3d'].getModel().resolution,
                  'classify': finished['classify'].getModel().resolution,
                  'refine3d': finished['refine3d'].getModel().resolution,
                  'postprocess': finished['postprocess'].getResult().resolution}
    steps: List[Dict[str, Any]] = [
        {'job': job, 'protocol': protocol.getClassName(), 'wall_s': times[job],
         'relion_s': round(spentSeconds(protocol), 2), 'resolution_A': _rounded(resolution.get(job)),
         'particles': _number(protocol)}
        for job, protocol in finished.items()]
    start = _pose_errors(truth, finished['extract'], files.EXTRACT_FILES['particles'])
    end = _pose_errors(truth, finished['refine3d'], files.refine3d_final_files('run')['data'])
    refined = finished['refine3d'].refinedVolume
    match = compare_maps(Path(refined.getFileName()), truth, resolution['postprocess'],
                         Path(finished['mask'].solventMask.getFileName()))
    return {
        'steps': steps,
        'truth': {
            'map_cc': round(match.cc, 4),
            'median_angle_error_deg': round(end.median_angle_error_deg, 3),
            'median_shift_error_A': round(end.median_shift_error_A, 3),
            'start_median_angle_error_deg': round(start.median_angle_error_deg, 3),
            'start_median_shift_error_A': round(start.median_shift_error_A, 3),
            'binned_pixel_A': round(refined.getSamplingRate(), 4),
            'particles': end.n_matched,
            **_selection(truth, finished),
        },
        'totals': {'wall_s': round(sum(times[job] for job in finished), 2),
                   'relion_s': round(sum(step['relion_s'] for step in steps), 2)},
    }


def _selection(truth: Truth, finished: Dict[str, Any]) -> Dict[str, float]:
    """The fraction of the particles that the selection kept, and of the decoys (the other species and the empty places)
    that it rejected."""
    picks = _particles(finished['extract'], files.EXTRACT_FILES['particles'])
    true = kinds(truth.particles, picks) == PARTICLE
    kept = picks[NAME].isin(ids_by_name(finished['select'].outputParticles)).to_numpy()
    return {'decoys_rejected': round(float((~kept[~true]).mean()), 4), 'true_kept': round(float(kept[true].mean()), 4)}


def _pose_errors(truth: Truth, protocol: Any, name: str) -> PoseErrors:
    return compare_poses(truth.particles, _particles(protocol, name))


def _particles(protocol: Any, name: str) -> pd.DataFrame:
    """The particles of a STAR file that RELION wrote."""
    return read_star(protocol._getExtraPath(JOB_FOLDER, name), ['particles'])['particles']


def _number(protocol: Any) -> Optional[int]:
    """The particles (or picks) that a step gave; None for one that gives none."""
    items = getattr(protocol, 'outputParticles', None) or getattr(protocol, 'outputCoordinates', None)
    return None if items is None else items.getSize()


def _rounded(value: Optional[float]) -> Optional[float]:
    return None if value is None else round(value, 2)


def table(summary: Dict[str, Any]) -> str:
    """The summary as people read it."""
    lines = ['', '%-18s %10s %12s %10s %10s' % ('step', 'particles', 'resolution', 'time', 'in RELION')]
    for step in summary['steps']:
        reached = '%.2f Å' % step['resolution_A'] if step['resolution_A'] else '-'
        lines.append('%-18s %10s %12s %8.1f s %8.1f s' % (step['job'], step['particles'] or '-', reached, step['wall_s'],
                                                         step['relion_s']))
    totals, truth = summary['totals'], summary['truth']
    lines.append('%-18s %10s %12s %8.1f s %8.1f s' % ('all', '', '', totals['wall_s'], totals['relion_s']))
    lines += ['', 'Compared with the known answer (%d particles):' % truth['particles'],
              '  selection: %.1f %% of the decoys rejected, %.1f %% of the particles kept'
              % (100 * truth['decoys_rejected'], 100 * truth['true_kept']),
              '  correlation of the refined map with the true map: %.3f' % truth['map_cc'],
              '  median error of the orientations: %.2f° (picks: %.2f°)'
              % (truth['median_angle_error_deg'], truth['start_median_angle_error_deg']),
              '  median error of the positions: %.2f Å (picks: %.2f Å; one pixel is %.2f Å)'
              % (truth['median_shift_error_A'], truth['start_median_shift_error_A'], truth['binned_pixel_A']), '']
    return '\n'.join(lines)
