"""What the road gave, beside the known answer."""
import os
from pathlib import Path
from typing import Any, Dict, List, Optional

from ..jobs import files
from ..protocols.base import JOB_FOLDER
from ..protocols.runner import spentSeconds
from ..simulate.truth import PoseErrors, Truth, compare_maps, compare_poses, read_truth
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
                  'refine3d': finished['refine3d'].getModel().resolution,
                  'postprocess': finished['postprocess'].getResult().resolution}
    steps: List[Dict[str, Any]] = [
        {'job': job, 'protocol': protocol.getClassName(), 'wall_s': times[job],
         'relion_s': round(spentSeconds(protocol), 2), 'resolution_A': _rounded(resolution.get(job))}
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
        },
        'totals': {'wall_s': round(sum(times[job] for job in finished), 2),
                   'relion_s': round(sum(step['relion_s'] for step in steps), 2)},
    }


def _pose_errors(truth: Truth, protocol: Any, name: str) -> PoseErrors:
    path = protocol._getExtraPath(JOB_FOLDER, name)
    return compare_poses(truth.particles, read_star(path, ['particles'])['particles'])


def _rounded(value: Optional[float]) -> Optional[float]:
    return None if value is None else round(value, 2)


def table(summary: Dict[str, Any]) -> str:
    """The summary as people read it."""
    lines = ['', '%-18s %12s %10s %10s' % ('step', 'resolution', 'time', 'in RELION')]
    for step in summary['steps']:
        reached = '%.2f Å' % step['resolution_A'] if step['resolution_A'] else '-'
        lines.append('%-18s %12s %8.1f s %8.1f s' % (step['job'], reached, step['wall_s'], step['relion_s']))
    totals, truth = summary['totals'], summary['truth']
    lines.append('%-18s %12s %8.1f s %8.1f s' % ('all', '', totals['wall_s'], totals['relion_s']))
    lines += ['', 'Compared with the known answer (%d particles):' % truth['particles'],
              '  correlation of the refined map with the true map: %.3f' % truth['map_cc'],
              '  median error of the orientations: %.2f° (picks: %.2f°)'
              % (truth['median_angle_error_deg'], truth['start_median_angle_error_deg']),
              '  median error of the positions: %.2f Å (picks: %.2f Å; one pixel is %.2f Å)'
              % (truth['median_shift_error_A'], truth['start_median_shift_error_A'], truth['binned_pixel_A']), '']
    return '\n'.join(lines)
