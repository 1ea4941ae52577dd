"""What the tutorial gave: the ladder of resolutions, and what is left of the errors that its data set was made with."""
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

from ..figures.ladder import ladder_figure
from ..figures.style import save_figure
from ..protocols.maps import boxSize
from ..results.ladder import Rung, fall_back, from_list, gain, ladder_lines, shells_gained, to_list
from ..simulate.ideal import true_parameters_resolution
from ..simulate.scene import make_scene
from ..simulate.series_errors import SeriesErrors, series_errors
from ..simulate.truth import Truth, read_truth
from .compare import End, inside, rows_of, summarise
from .compare import table as common_table
from .road import Step

#: Jobs whose particles name tilt series with other errors than those before.
_REFINED = ('extract', 'ctf_refine', 'polish', 'ctf_refine_again', 'polish_again')
#: The first cycle: what it begins with, and what it ends with.
_CYCLE = ('postprocess_bin1', 'postprocess_polish')
_LAST = 'polish_again'
_TRUE = 'true parameters'


class Goal(NamedTuple):
    """Something that the tutorial is to show. at_least: whether `value` must reach `limit` from below."""

    goal: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def reached(self) -> bool:
        """Whether the run shows it."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def compare_tutorial(finished: Dict[str, Any], road: Sequence[Step], project: Path, scene: Path, folder: Path,
                     relion_bin: Path, times: Dict[str, float]) -> Dict[str, Any]:
    """The summary of the demo (see compare), for the last average, with `ladder`, `series_errors` and `goals`.

    ladder: step, resolution_A, pixel_A and box of each rung. folder: where the average with true parameters is made.
    """
    truth = read_truth(scene)
    with inside(project):
        volume, mask = finished['reconstruct_' + _LAST].average, finished['mask_bin1'].solventMask
        last = finished[_LAST].outputParticles
        rungs = [_rung(step.rung, finished[step.job]) for step in road if step.rung]
        summary = summarise(finished, End(last, volume, mask, rungs[-1].resolution), truth, times)
        errors = {job: _errors(truth, finished[job]) for job in _REFINED}
        best = true_parameters_resolution(truth, rows_of(last), Path(mask.getFileName()), boxSize(volume), folder / 'truth',
                                          relion_bin, threads=2)
    cycle = gain(*(rungs[[step.job for step in road if step.rung].index(job)] for job in _CYCLE))
    summary['truth']['true_parameters_resolution_A'] = round(best, 4)
    summary['ladder'] = to_list(rungs)
    summary['series_errors'] = [dict(step=job, median_defocus_error_A=round(one.median_defocus_error_A, 2),
                                     rms_tilt_shift_error_A=round(one.rms_tilt_shift_error_A, 3))
                                for job, one in errors.items()]
    summary['goals'] = [dict(goal._asdict(), reached=goal.reached)
                        for goal in goals(rungs, cycle, best, errors['extract'], errors[_LAST])]
    return summary


def goals(rungs: Sequence[Rung], cycle: float, best: float, before: SeriesErrors, after: SeriesErrors) -> List[Goal]:
    """What the tutorial is to show, with what this run shows.

    cycle: part of the resolution that the first cycle gained; best: resolution (Å) with true parameters; before, after:
    errors of the tilt series as imported and at the end.
    """
    true = Rung(_TRUE, best, rungs[-1].pixel, rungs[-1].box)
    return [
        Goal('Fourier shells by which the ladder falls back', fall_back(rungs), 1),
        Goal('gain in resolution by the first CTF refinement and polishing', round(cycle, 4), 0.25, at_least=True),
        Goal('Fourier shells between the end and what true parameters give', shells_gained(rungs[-1], true) or 0, 1),
        Goal('part of the defocus error that is left',
             round(after.median_defocus_error_A / before.median_defocus_error_A, 4), 0.3333),
        Goal('part of the error of the tilt shifts that is left',
             round(after.rms_tilt_shift_error_A / before.rms_tilt_shift_error_A, 4), 0.3333),
    ]


def _rung(name: str, postprocess: Any) -> Rung:
    volume = postprocess.inputVolume.get()
    return Rung(name, postprocess.getResult().resolution, volume.getSamplingRate(), boxSize(volume))


def _errors(truth: Truth, protocol: Any) -> SeriesErrors:
    return series_errors(make_scene(truth.parameters), protocol.outputParticles.getTomogramsStar())


def write_figure(path: Path, summary: Dict[str, Any]) -> None:
    """Draw the ladder of a summary, with what true parameters give; a PNG, whole or not at all."""
    figure = ladder_figure(from_list(summary['ladder'], 'summary'),
                           truth=summary['truth']['true_parameters_resolution_A'])
    save_figure(figure, path)


def table(summary: Dict[str, Any]) -> str:
    """The summary as people read it."""
    rungs = from_list(summary['ladder'], 'summary')
    lines = [common_table(summary), 'The ladder:'] + ['  ' + line for line in ladder_lines(rungs)]
    lines += ['  with true parameters: %.2f Å' % summary['truth']['true_parameters_resolution_A'], '',
              'Errors of the tilt series (median of the defocus, rms of the shifts):']
    lines += ['  %-18s %7.0f Å %7.2f Å' % (one['step'], one['median_defocus_error_A'], one['rms_tilt_shift_error_A'])
              for one in summary['series_errors']]
    lines += ['', 'What the tutorial is to show:']
    lines += ['  %-62s %6.4g (%s %.4g): %s' % (one['goal'], one['value'], 'at least' if one['at_least'] else 'at most',
                                              one['limit'], 'reached' if one['reached'] else 'NOT REACHED')
              for one in summary['goals']]
    return '\n'.join(lines + [''])
