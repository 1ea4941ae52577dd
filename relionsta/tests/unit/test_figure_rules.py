"""The rules for figures find what they are for, and every figure has a test of its values."""
import ast
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import relionsta.figures
from relionsta.figures.benchmark import scaling_figure
from relionsta.figures.style import caption, new_figure
from relionsta.tests import figure_rules

ROOM = Path(relionsta.figures.__file__).parent
TESTS = Path(figure_rules.__file__).parent
#: A figure -> the test that compares what it draws with numbers: of RELION's files where there is a second one.
CHECKED = {
    'scaling_figure': ('unit/test_figure_rules.py',),
    'class_flow_figure': ('unit/test_figures_convergence.py', 'protocols/test_real_figures.py'),
    'convergence_figure': ('unit/test_figures_convergence.py', 'protocols/test_real_figures.py'),
    'flexibility_figure': ('unit/test_results_flexibility.py', 'protocols/test_multibody.py'),
    'fsc_figure': ('unit/test_figures_spectra.py', 'protocols/test_refinement_cycle.py'),
    'refine_fsc_figure': ('unit/test_figures_spectra.py', 'protocols/test_real_figures.py'),
    'bodies_fsc_figure': ('gui/test_live_view.py', 'protocols/test_multibody.py'),
    'postprocess_fsc_figure': ('unit/test_figures_spectra.py', 'protocols/test_real_figures.py'),
    'compare_fsc_figure': ('unit/test_figures_spectra.py', 'protocols/test_real_figures.py'),
    'class_gallery': ('unit/test_figures_gallery.py', 'gui/test_gallery.py'),
    'guinier_figure': ('unit/test_figures_spectra.py', 'protocols/test_real_figures.py'),
    'ladder_figure': ('unit/test_figures_ladder.py', 'protocols/test_real_figures.py'),
    'resolution_histogram': ('unit/test_results_local_resolution.py', 'protocols/test_local_resolution.py'),
    'resolution_slices': ('unit/test_results_local_resolution.py', 'protocols/test_local_resolution.py'),
    'map_view': ('unit/test_figures_map_view.py', 'gui/test_map_window.py'),
    'surface_figure': ('unit/test_figures_map_view.py', 'gui/test_map_window.py'),
    'mask_figure': ('unit/test_figures_mask.py', 'protocols/test_real_figures.py'),
    'trajectories_figure': ('unit/test_results_motion.py', 'protocols/test_refine_series_variants.py'),
    'moved_figure': ('unit/test_results_motion.py', 'unit/test_real_views.py'),
    'orientations_figure': ('unit/test_results_orientations.py', 'unit/test_real_views.py'),
    'coverage_figure': ('unit/test_results_orientations.py', 'protocols/test_particle_views.py'),
    'ranking_figure': ('unit/test_results_ranking.py', 'protocols/test_scan.py'),
    'ctf_series_figure': ('unit/test_results_motion.py', 'unit/test_real_views.py'),
    'alignment_series_figure': ('unit/test_results_motion.py', 'unit/test_real_views.py'),
    'slices_figure': ('unit/test_figures_maps.py', 'protocols/test_real_figures.py'),
    'ssnr_figure': ('unit/test_figures_spectra.py', 'protocols/test_real_figures.py'),
    'ctf_changes_figure': ('unit/test_results_series_changes.py', 'unit/test_real_views.py'),
    'alignment_changes_figure': ('unit/test_results_series_changes.py', 'unit/test_real_views.py'),
    'tomogram_figure': ('unit/test_results_per_tomogram.py', 'protocols/test_real_figures.py'),
    'notice_figure': ('unit/test_figures_convergence.py',)}


def makers():
    """Names of the functions of figures/ that return a figure."""
    for path in sorted(ROOM.glob('*.py')):
        for node in ast.parse(path.read_text(encoding='utf-8')).body:
            if (isinstance(node, ast.FunctionDef) and isinstance(node.returns, ast.Name) and not node.name.startswith('_')
                    and node.returns.id in ('Figure', 'Gallery', 'MapView') and node.name != 'new_figure'):
                yield node.name


def test_every_figure_is_checked():
    """A figure that no test compares with its numbers may show any."""
    assert sorted(makers()) == sorted(CHECKED)
    for name, files in CHECKED.items():
        for file in files:
            assert (TESTS / file).exists(), (name, file)


def test_times_stand_at_their_numbers():
    """The one figure that is not of RELION's results: ours beside the other converter's, where that was timed."""
    rows = [dict(n=1000, set_to_star_s=0.1, star_to_set_s=0.2, peer_set_to_star_s=1., peer_star_to_set_s=None),
            dict(n=10000, set_to_star_s=0.3, star_to_set_s=0.4, peer_set_to_star_s=9., peer_star_to_set_s=None)]
    axes, = scaling_figure(rows).axes
    drawn = {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines}
    assert drawn == {'set → STAR': ([1000, 10000], [0.1, 0.3]), 'STAR → set': ([1000, 10000], [0.2, 0.4]),
                     'set → STAR, scipion-em-reliontomo 4.0.5': ([1000, 10000], [1., 9.])}
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_xscale(), axes.get_yscale()) == (
        'particles', 'time (s)', 'log', 'log')


def good():
    """A figure with all that is asked for."""
    figure = new_figure(4, 3)
    axes = figure.add_subplot()
    for label in ('a', 'b'):
        axes.plot([1, 2], [3, 4], label=label)
    axes.set(xlabel='Iteration', ylabel='Resolution (Å)', title='One')
    axes.legend()
    caption(figure, 'Look at it.')
    return figure


@pytest.mark.parametrize('harm, found', [
    (lambda figure: figure.axes[0].set_ylabel('Resolution'), 'without a unit'),
    (lambda figure: figure.axes[0].set_xlabel(''), 'without a unit'),
    (lambda figure: figure.axes[0].get_legend().remove(), 'no legend'),
    (lambda figure: figure.axes[0].plot([], [], label='c'), 'is empty'),
    (lambda figure: figure.axes[0].set_title(''), 'no title'),
    (lambda figure: figure.supxlabel(''), 'how to read it')])
def test_what_is_missing_is_found(harm, found):
    """A rule that finds nothing is none."""
    figure: Figure = good()
    assert figure_rules.faults(figure) == []
    harm(figure)
    assert len(figure_rules.faults(figure)) == 1 and found in figure_rules.faults(figure)[0]
