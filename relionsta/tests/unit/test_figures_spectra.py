"""FSC, SSNR and Guinier figures: axes, units, marks and values."""
import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from relionsta.figures.axes import FREQUENCY_LABEL, RESOLUTION_LABEL, ResolutionLocator
from relionsta.figures.fsc import Curve, compare_fsc_figure, fsc_figure, postprocess_fsc_figure, refine_fsc_figure
from relionsta.figures.guinier import guinier_figure
from relionsta.figures.ssnr import ssnr_figure
from relionsta.figures.style import line_styles, save_figure
from relionsta.results.model import read_model
from relionsta.results.postprocess import RANDOMISED, GuinierFit, read_postprocess
from relionsta.tests.find import shared_data

from .relion_job_folder import PIXEL, SHELLS, model_star

POSTPROCESS = 'relion5-hiv-project/PostProcess/job026/postprocess.star'


def curves(axes):
    """Drawn curves by label; marks and guides have labels that start with an underscore or are the threshold."""
    return {line.get_label(): line for line in axes.lines
            if not line.get_label().startswith('_') and ' = ' not in line.get_label()}


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def write_refine_model(tmp_path, name, fsc, resolutions=None):
    path = tmp_path / name
    path.write_text(model_star([name + '.mrc'], [fsc], resolutions=resolutions))
    return read_model(path)


def check_frequency_axis(figure, axes, nyquist):
    assert axes.get_xlabel() == FREQUENCY_LABEL == 'Spatial frequency (1/Å)'
    top = axes.child_axes[0]
    assert top.get_xlabel() == RESOLUTION_LABEL == 'Resolution (Å)'
    figure.draw_without_rendering()
    low, high = axes.get_xlim()
    assert low == 0 and high == pytest.approx(1 / nyquist, rel=0.03) and high >= 1 / nyquist
    shown = [(place, label.get_text()) for place, label in zip(top.get_xticks(), top.get_xticklabels())
             if low <= place <= high]
    assert len(shown) >= 4
    for place, text in shown:
        assert 1 / float(text) == pytest.approx(place, rel=0.01)
    mark = next(line for line in axes.lines if line.get_label() == '_nyquist')
    assert mark.get_xdata()[0] == pytest.approx(1 / nyquist)
    assert 'Nyquist %.4g Å' % nyquist in [text.get_text() for text in axes.texts]


def test_postprocess_figure_shows_the_four_curves():
    """The figure that a reader takes the resolution from: every curve, its values, units, threshold and Nyquist."""
    result = read_postprocess(shared_data(POSTPROCESS))
    figure = postprocess_fsc_figure(result)
    axes = figure.axes[0]
    drawn = curves(axes)
    assert list(drawn) == ['Corrected: 3.99 Å (4.89 at 0.5)', 'Masked: 3.93 Å (4.89 at 0.5)',
                           'Unmasked: 4.55 Å (7.20 at 0.5)', 'Phase-randomised']
    for line, values in zip(drawn.values(), result.fsc.values()):
        assert np.array_equal(line.get_ydata(), values)
        assert np.array_equal(line.get_xdata(), result.frequency)
    check_frequency_axis(figure, axes, 2.7)
    assert axes.get_ylabel() == 'Fourier shell correlation'
    threshold = next(line for line in axes.lines if line.get_label() == 'FSC = 0.143')
    assert list(threshold.get_ydata()) == [0.143, 0.143]
    assert list(next(line for line in axes.lines if line.get_label() == 'FSC = 0.5').get_ydata()) == [0.5, 0.5]
    mark = next(line for line in axes.lines if line.get_label() == '_resolution')
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (pytest.approx(1 / 3.987692), 0.143)
    assert '3.99 Å' in [text.get_text() for text in axes.texts]
    low, high = axes.get_ylim()
    assert low < min(values.min() for values in result.fsc.values()) and high > 1
    assert 'first falls below 0.143' in ' '.join(text.get_text() for text in figure.texts).replace('\n', ' ')


def test_a_tight_mask_is_told_on_the_figure():
    """Whoever looks at the curves alone takes the resolution of a tight mask for that of the map."""
    result = read_postprocess(shared_data(POSTPROCESS))
    assert [axes for axes in postprocess_fsc_figure(result).axes if not axes.axison] == []
    tight = dataclasses.replace(result, fsc=dict(result.fsc, **{RANDOMISED: np.maximum(result.fsc[RANDOMISED], 0.3)}))
    words = [text.get_text() for axes in postprocess_fsc_figure(tight).axes if not axes.axison for text in axes.texts]
    assert words[0].startswith('!  The mask is too tight') and any('above 0.1' in text for text in words)


def test_runs_are_ranked():
    """The best run comes first and is the one that is marked, whatever the order in which the runs were made."""
    frequency = np.linspace(0, 0.05, 6)
    made = [Curve('old', frequency, np.linspace(1, 0, 6), 30.), Curve('new', frequency / 2, np.linspace(1, 0.2, 6), 20.),
            Curve('none', frequency, np.linspace(1, 0, 6))]
    axes = compare_fsc_figure(made, 10.).axes[0]
    assert [label.split(':')[0] for label in curves(axes)] == ['new', 'old', 'none']
    assert '20.00 Å' in [text.get_text() for text in axes.texts]


def test_colours_and_dashes_tell_every_curve():
    """Two classes drawn alike cannot be told apart; neither can colours that the colour-blind do not see."""
    looks = [(look['color'], look['linestyle']) for look in line_styles(28)]
    assert len(set(looks)) == 28
    assert len({look['color'] for look in line_styles(30, ordered=True)}) == 30


def test_refinement_reports_what_relion_reports(tmp_path):
    """The number beside a curve is RELION's own; the last result comes first and is the one that is marked."""
    first = write_refine_model(tmp_path, 'run_it001_half1_model.star', np.linspace(1, 0, SHELLS))
    final = write_refine_model(tmp_path, 'run_model.star', np.linspace(1, 0.2, SHELLS))
    figure = refine_fsc_figure({'Iteration 1': first, 'Final': final})
    axes = figure.axes[0]
    assert list(curves(axes)) == ['Final: 40.00 Å (32.00 at 0.5)', 'Iteration 1: 40.00 Å (40.00 at 0.5)']
    assert list(curves(axes).values())[0].get_ydata()[-1] == 0.2
    check_frequency_axis(figure, axes, 2 * PIXEL)


def test_no_half_maps_no_fsc(tmp_path):
    """A classification has zeros for an FSC: drawn, they would look like a map without any resolution."""
    model = write_refine_model(tmp_path, 'run_it001_model.star', np.zeros(SHELLS))
    with pytest.raises(ValueError, match='half maps'):
        refine_fsc_figure({'Iteration 1': model})
    with pytest.raises(ValueError, match='no FSC curve'):
        fsc_figure([], PIXEL)


def test_negative_fsc_stays_in_view():
    """A curve that goes well below 0 shows a mistake (contrast, wrong halves); cut off, it would hide it."""
    frequency = np.linspace(0, 0.05, 6)
    figure = fsc_figure([Curve('a', frequency, np.array([1, 0.5, 0, -0.6, -0.2, 0]))], 10.)
    assert figure.axes[0].get_ylim()[0] < -0.6
    assert '_resolution' not in [line.get_label() for line in figure.axes[0].lines]


def test_ssnr_of_the_classes():
    """One curve per class with its size and resolution; the line at 1 is where RELION reads the resolution."""
    model = read_model(shared_data('relion5-hiv-project/Class3D/job017/run_it025_model.star'))
    figure = ssnr_figure(model)
    axes = figure.axes[0]
    assert axes.get_yscale() == 'log' and 'ratio' in axes.get_ylabel()
    check_frequency_axis(figure, axes, 5.4)
    assert legend(axes)[4] == 'Class 5: 26.3 %, 12.8 Å'
    assert len(curves(axes)) == 9 and legend(axes)[-1] == 'SSNR = 1'
    line = list(curves(axes).values())[4]
    positive = model.classes[4].spectrum.ssnr > 0
    assert np.array_equal(line.get_ydata()[positive], model.classes[4].spectrum.ssnr[positive])
    assert np.all(np.isnan(line.get_ydata()[~positive]))
    one = next(line for line in axes.lines if line.get_label() == 'SSNR = 1')
    assert list(one.get_ydata()) == [1, 1]
    assert list(curves(ssnr_figure(model, [2, 7]).axes[0])) == ['Class 2: 6.1 %, 21.6 Å', 'Class 7: 0.5 %, 28.8 Å']
    with pytest.raises(ValueError, match='no class 10'):
        ssnr_figure(model, [10])


def test_legend_beside_never_covers_a_curve(tmp_path):
    """Fifty classes have a long legend: it must stay inside the figure and outside the axes."""
    path = tmp_path / 'run_it001_model.star'
    path.write_text(model_star(['%d.mrc' % number for number in range(50)]))
    figure = ssnr_figure(read_model(path))
    figure.draw_without_rendering()
    axes = figure.axes[0]
    box = axes.get_legend().get_window_extent()
    assert box.x0 >= axes.get_window_extent().x1
    assert box.x1 <= figure.bbox.x1 + 1 and box.y0 >= -1


def test_the_line_that_was_fitted():
    """Its slope is the B-factor: drawn wrong, it would recommend another sharpening."""
    result = dataclasses.replace(read_postprocess(shared_data(POSTPROCESS)), fit=GuinierFit(-30., -5., -0.98))
    line = next(line for line in guinier_figure(result).axes[0].lines if line.get_label().startswith('Fitted'))
    assert line.get_label() == 'Fitted line: B = -120 Å² (r = -0.98)'
    assert list(line.get_xdata()) == [0., 1 / result.resolution ** 2]
    assert list(line.get_ydata()) == [-5., -5 - 30 / result.resolution ** 2]


def test_guinier_leaves_out_what_is_no_amplitude():
    """The mean of the map and RELION's -99 would squeeze the line that matters into a corner."""
    result = read_postprocess(shared_data(POSTPROCESS))
    axes = guinier_figure(result).axes[0]
    assert axes.get_xlabel() == 'Squared spatial frequency (1/Å²)' and axes.get_ylabel() == 'ln(amplitude)'
    assert list(curves(axes))[:2] == ['Original', 'FSC weighted']
    low, high = axes.get_ylim()
    assert -15 < low and high < 0
    assert axes.get_title(loc='left') == 'Guinier plot (not sharpened)'


@pytest.mark.parametrize('nyquist', [2.7, 5.4, 20., 0.9])
def test_round_numbers_of_angstrom(nyquist):
    """Å along the top: round, none on top of another, finest first."""
    high = 1.02 / nyquist
    places = ResolutionLocator().tick_values(0, high)
    assert 5 <= len(places) <= 20
    assert all(0 < place <= high for place in places)
    assert np.all(np.diff(places) < -0.05 * high)


@pytest.mark.parametrize('ending', ['png', 'svg', 'pdf'])
def test_saved_whole_or_not_at_all(tmp_path, ending):
    """A report must not hold half a figure, nor a leftover; text in SVG stays text."""
    figure = fsc_figure([Curve('one', np.linspace(0, 0.05, SHELLS), np.linspace(1, 0, SHELLS), 40.)], PIXEL)
    path = save_figure(figure, tmp_path / ('fsc.' + ending))
    start = path.read_bytes()[:400]
    assert {'png': b'\x89PNG', 'svg': b'<?xml', 'pdf': b'%PDF'}[ending] in start
    if ending == 'svg':
        assert 'Spatial frequency (1/Å)' in path.read_text()
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_failed_save_leaves_the_old_figure(tmp_path):
    """An ending that matplotlib does not know must neither destroy nor litter."""
    figure = fsc_figure([Curve('one', np.linspace(0, 0.05, SHELLS), np.linspace(1, 0, SHELLS))], PIXEL)
    path = tmp_path / 'fsc.xyz'
    path.write_text('old')
    with pytest.raises(ValueError):
        save_figure(figure, path)
    assert path.read_text() == 'old' and list(tmp_path.iterdir()) == [path]


def test_drawing_touches_no_global_state():
    """Figures are drawn inside Scipion's windows: no pyplot figure may appear, no setting may change."""
    code = ('import matplotlib, sys, numpy as np; before = dict(matplotlib.rcParams)\n'
            'from relionsta.figures.fsc import Curve, fsc_figure\n'
            'import relionsta.figures.slices, relionsta.figures.convergence, relionsta.figures.ssnr\n'
            "fsc_figure([Curve('a', np.linspace(0, .05, 9), np.linspace(1, 0, 9), 40.)], 10.)\n"
            "assert dict(matplotlib.rcParams) == before, 'rcParams changed'\n"
            "bad = [name for name in ('matplotlib.pyplot', 'tkinter', 'pyworkflow', 'pwem') if name in sys.modules]\n"
            'assert not bad, bad\n')
    done = subprocess.run([sys.executable, '-c', code], stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 0, done.stderr


def test_an_empty_class_has_no_curve(tmp_path):
    """RELION keeps an old curve for a class that lost its particles: drawn, it looks like a class of low resolution."""
    path = tmp_path / 'run_it001_model.star'
    path.write_text(model_star(['a.mrc', 'b.mrc'], distributions=[1., 0.], shells=[5, 4]))
    full, empty = curves(ssnr_figure(read_model(path)).axes[0]).values()
    assert empty.get_label() == 'Class 2: no particles'
    assert np.isnan(empty.get_ydata()).all() and not np.isnan(full.get_ydata()).any()
