"""Figures of particles and tilt series from a real project: HIV-1 capsids, five tilt series, 9053 particles."""
import numpy as np
import pytest

from relionsta.convert.poses import poses_of_rows
from relionsta.figures.motion import DEFOCUS_ADVICE, moved_figure
from relionsta.figures.orientations import orientations_figure
from relionsta.figures.series_details import alignment_series_figure, ctf_series_figure
from relionsta.figures.tilt_series import alignment_changes_figure, ctf_changes_figure
from relionsta.results.orientations import beams_of_series, coverage, views_by
from relionsta.results.per_tomogram import per_tomogram
from relionsta.results.series_changes import image_names, series_changes, tilt_series_tables
from relionsta.results.symmetry import rotations
from relionsta.star import read_star
from relionsta.tests.figure_rules import faults
from relionsta.tests.find import shared_data

NAMES = ['TS_01', 'TS_03', 'TS_43', 'TS_45', 'TS_54']


@pytest.fixture
def project(monkeypatch):
    folder = shared_data('relion5-hiv-project')
    monkeypatch.chdir(folder)
    return folder


def test_particles_of_a_virus_fill_fourier_space(project):
    """Capsids are seen from all sides: a coverage below one would be an error of ours."""
    table = read_star('Refine3D/job034/run_data.star', ['particles'])['particles']
    _, A = poses_of_rows(table)
    series = tilt_series_tables('Polish/job030/tomograms.star')
    visible = table['rlnTomoVisibleFrames']
    beams = {name: beams_of_series(one) for name, one in series.items()}
    found = coverage(A, table['rlnTomoName'], beams, 'C6', rotations('C6'), visible)
    assert found.fraction == 1 and found.evenness > 0.98
    assert found.images == int(visible.str.count('1').sum()) and found.particles == 9053
    figure = orientations_figure(views_by(A, table['rlnTomoName']))
    titles = sorted(axes.get_title(loc='left') for axes in figure.axes if axes.get_title(loc='left'))
    counts = table['rlnTomoName'].value_counts()
    assert titles == ['%s: %d particles' % (name, counts[name]) for name in NAMES]
    overview = per_tomogram(table)
    assert list(overview.index) == NAMES and overview['particles'].sum() == 9053
    assert overview['pmax'].between(0, 1).all()


def test_tilt_series_before_and_after(project):
    """What RELION changed in a real project must come out image by image, in panels that are named."""
    changes = series_changes('Tomograms/job006/tomograms.star', 'CtfRefine/job027/tomograms.star')
    figure = ctf_series_figure(changes)
    panels = {axes.get_title(loc='left'): axes for axes in figure.axes if axes.get_title(loc='left')}
    assert sorted(panels) == NAMES
    after = changes[changes['name'] == 'TS_03'].sort_values('tilt')['defocus_after'] / 1e4
    np.testing.assert_allclose(panels['TS_03'].lines[1].get_ydata(), after)
    defocus, scale = ctf_changes_figure(changes).axes
    assert (defocus.get_ylabel(), scale.get_ylabel(), scale.get_xlabel()) == (
        'Change of the defocus (Å)', 'Contrast scale', 'Tilt angle (degrees)')
    assert [line.get_label() for line in scale.lines] == NAMES
    one = changes[changes['name'] == 'TS_03'].sort_values('tilt')
    np.testing.assert_allclose(defocus.lines[1].get_ydata(), one['defocus_after'] - one['defocus_before'])
    np.testing.assert_allclose(scale.lines[1].get_ydata(), one['scale_after'])
    boxes = moved_figure((changes['defocus_after'] - changes['defocus_before']).abs(), changes['name'],
                         image_names(changes), 'Change of the defocus', 'Å', 'Change of the defocus', DEFOCUS_ADVICE)
    assert [text.get_text() for text in boxes.axes[0].get_xticklabels()] == NAMES
    assert faults(boxes) == []
    changes = series_changes('CtfRefine/job027/tomograms.star', 'Polish/job030/tomograms.star')
    shift, turn = alignment_changes_figure(changes).axes
    one = changes[changes['name'] == 'TS_43'].sort_values('tilt')
    np.testing.assert_allclose(shift.lines[2].get_ydata(), np.hypot(one['shift_x'], one['shift_y']))
    np.testing.assert_allclose(turn.lines[2].get_ydata(), one['turn'])
    assert len(alignment_series_figure(changes).axes) == 11  # six panels, one of them empty, and five second axes
    shifts = np.hypot(changes['shift_x'], changes['shift_y'])
    moved = moved_figure(shifts, changes['name'], image_names(changes), 'Shift of the image', 'Å', 'Shifts')
    assert '%.2f Å in the median' % shifts.median() in moved._suptitle.get_text()
