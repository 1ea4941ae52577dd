"""What is read from model.star, optimiser.star and sampling.star."""
import numpy as np
import pytest

from relionsta.jobs import files
from relionsta.results.history import history, read_iteration
from relionsta.results.model import read_model, read_optimiser, read_sampling
from relionsta.results.resolution import resolution_at
from relionsta.star import StarError
from relionsta.tests.find import shared_data

from .relion_job_folder import BOX, PIXEL, model_star, optimiser_star, sampling_star, write_iteration

EDGE = BOX * PIXEL


def write_model(tmp_path, **values):
    path = tmp_path / 'run_it001_model.star'
    path.write_text(model_star(**values))
    return path


def test_classes_of_a_real_classification():
    """Nine classes of a real run: sizes, resolutions and accuracies decide which particles a user keeps."""
    model = read_model(shared_data('relion5-hiv-project/Class3D/job017/run_it025_model.star'))
    assert (model.box_size, model.pixel_size, model.nyquist, model.resolution) == (128, 2.7, 5.4, 12.8)
    assert model.average_pmax == 0.820707
    assert [one.number for one in model.classes] == list(range(1, 10))
    assert sum(one.distribution for one in model.classes) == pytest.approx(1, abs=1e-5)
    assert [one.resolution for one in model.classes] == [17.28, 21.6, 17.28, 17.28, 12.8, 21.6, 28.800001, 21.6, 21.6]
    assert all(one.reported for one in model.classes)
    # RELION makes no estimate for classes of less than 1 % and writes 999
    assert [one.accuracy_rotations for one in model.classes][4:7] == [0.709, None, None]
    assert model.classes[4].describe() == '26.3 % of the particles, 12.8 Å'
    assert not any(one.spectrum.has_fsc for one in model.classes)


def test_resolution_from_the_ssnr_is_that_of_relion():
    """RELION 5.1 leaves out the resolution of most classes; ours must be what it would have written (5.0 did)."""
    model = read_model(shared_data('relion5-hiv-project/Class3D/job017/run_it025_model.star'))
    for one in model.classes:
        assert one.spectrum.ssnr_resolution() == pytest.approx(one.resolution, rel=1e-6)


def test_gold_standard_resolution_of_a_real_refinement():
    """The FSC of a real run and the resolution that RELION reports must belong together: units and index agree."""
    model = read_model(shared_data('relion5-hiv-project/Refine3D/job034/run_model.star'))
    frequency, fsc = model.fsc()
    assert model.resolution == 3.868657
    assert resolution_at(frequency, fsc) == pytest.approx(model.resolution, rel=1e-6)
    assert frequency[-1] == pytest.approx(1 / model.nyquist)
    assert frequency[1] == pytest.approx(1 / (192 * 1.35))


def test_missing_values_are_none_not_numbers(tmp_path):
    """`inf`, `-nan`, 0 and 999 shown as numbers would make an empty class look like one of 999 Å or 0 degrees."""
    path = write_model(tmp_path, names=['a.mrc', 'b.mrc', 'c.mrc', 'd.mrc'], resolutions=['inf', '-nan', '999', '40.0'],
                       distributions=[0.5, 0.5, 0., 0.], shells=[3, 5, 4, 4],
                       accuracies=['999.000000', '0.000000', '-nan', 'inf'])
    first, second, third, fourth = read_model(path).classes
    # Particles are there: found from the SSNR as RELION does
    assert (first.resolution, first.reported) == (pytest.approx(EDGE / 3), False)
    assert (second.resolution, second.reported) == (pytest.approx(EDGE / 5), False)
    assert (third.resolution, third.describe()) == (None, 'no particles')
    assert (fourth.resolution, fourth.reported) == (40., True)
    assert {one.accuracy_rotations for one in (first, second, third, fourth)} == {None}
    assert {one.accuracy_translations for one in (first, second, third, fourth)} == {None}


@pytest.mark.parametrize('values, shell', [([9, 2, 1, 0.5, 3], 2), ([9, 0.5, 3, 3, 3], None), ([9, 2, 2, 2, 2], 4),
                                           ([9, 2, np.nan, 2, 2], 1), ([0, 2, 2, 0.9, 0], 2)])
def test_resolution_is_the_last_shell_before_the_first_fall(values, shell):
    """A curve that rises again after it fell must not give a better resolution; shell 0 must not matter."""
    frequency = np.arange(5) / 100.
    expected = None if shell is None else 100. / shell
    assert resolution_at(frequency, np.array(values, dtype=float), 1.) == (
        None if expected is None else pytest.approx(expected))


def test_units_of_an_optimiser(tmp_path):
    """The best resolution is in 1/Å in the file and 999 means unset: both read as Å would mislead by a factor."""
    path = tmp_path / 'run_it001_optimiser.star'
    path.write_text(optimiser_star(1, ['run_it001_model.star'], total=999))
    found = read_optimiser(path)
    assert found.best_resolution == pytest.approx(40.)
    assert (found.iteration, found.number_of_iterations, found.has_converged) == (1, None, False)
    assert (found.accuracy_rotations, found.accuracy_translations) == (None, None)
    assert (found.change_rotations, found.change_translations, found.change_classes) == (8., 12., 0.125)
    path.write_text(optimiser_star(-1, ['run_model.star'], converged=True))
    assert (read_optimiser(path).iteration, read_optimiser(path).has_converged) == (None, True)


def test_real_optimiser_and_sampling():
    """Values of a real run, by name: a label that RELION renames must be noticed."""
    folder = shared_data('relion5-hiv-project/Class3D/job017')
    found = read_optimiser(folder / 'run_it025_optimiser.star')
    assert (found.iteration, found.number_of_iterations) == (25, 25)
    assert found.best_resolution == pytest.approx(12.8)
    assert (found.change_rotations, found.change_classes) == (1.164473, 0.028995)
    sampling = read_sampling(folder / 'run_it025_sampling.star')
    assert (sampling.symmetry, sampling.offset_range, sampling.offset_step) == ('C1', 13.5, 5.4)
    # healpix order 4: 3.75 degrees, 1.875 after oversampling, as RELION's log says
    assert (sampling.angular_step(), sampling.angular_step(found.oversampling)) == (3.75, 1.875)
    assert read_optimiser(shared_data('relion5-hiv-project/Refine3D/job034/run_optimiser.star')).has_converged


def test_a_cut_model_says_which_file_and_block(tmp_path):
    """A user must learn which file is broken, not see a KeyError."""
    path = write_model(tmp_path, names=['a.mrc', 'b.mrc'])
    text = path.read_text()
    path.write_text(text[:text.index('data_model_class_2')])
    with pytest.raises(StarError, match=r'run_it001_model\.star.*model_class_2'):
        read_model(path)
    path.write_text(text.replace('_rlnSsnrMap #4', '_rlnSomething #4'))
    with pytest.raises(StarError, match='rlnSsnrMap'):
        read_model(path)
    path.write_text(text.replace('%.6f' % PIXEL, '-nan'))
    with pytest.raises(StarError, match='rlnPixelSize.*nan'):
        read_model(path)
    with pytest.raises(StarError, match='none.star'):
        read_model(tmp_path / 'none.star')
    path.write_text(sampling_star())
    with pytest.raises(StarError, match='model_general'):
        read_model(path)


def test_history_has_a_row_per_complete_iteration(tmp_path):
    """The convergence plot of a running job must show what is done, and nothing of the iteration at work."""
    for number in (0, 1, 2, 3):
        write_iteration(tmp_path, files.CLASS3D, number, 2)
    (tmp_path / 'run_it003_class002.mrc').unlink()
    table = history(tmp_path, files.CLASS3D)
    assert list(table.index) == [1, 2]
    assert table['change_rotations'].tolist() == [8., 4.]
    assert table['angular_step'].tolist() == [1.875, 1.875]
    assert table['offset_step'].tolist() == [10., 10.]
    assert np.isnan(table['accuracy_rotations'][1]) and table['accuracy_rotations'][2] == 2.5
    assert table['distribution_2'].tolist() == [0.5, 0.5]
    assert table['resolution_1'].tolist() == [40., 40.]


def test_history_of_an_auto_refinement_reads_half_one(tmp_path):
    """Auto-refinement has a model per half set and no model.star: it must be found all the same."""
    write_iteration(tmp_path, files.REFINE3D, 1)
    assert read_iteration(tmp_path, files.REFINE3D, 1).model.path.endswith('run_it001_half1_model.star')
    assert history(tmp_path, files.REFINE3D)['resolution'].tolist() == [40.]
    assert history(tmp_path / 'empty', files.REFINE3D).empty


def test_without_alignment_there_are_no_steps(tmp_path):
    """RELION writes the steps of a search that was not made; drawn, they say that poses are known to 15 degrees only."""
    write_iteration(tmp_path, files.CLASS3D, 1, 2)
    path = tmp_path / 'run_it001_optimiser.star'
    assert read_optimiser(path).aligned
    text = path.read_text()
    path.write_text(text.replace('_rlnHasConverged', '_rlnDoSkipAlign                1\n_rlnHasConverged'))
    assert not read_optimiser(path).aligned
    table = history(tmp_path, files.CLASS3D)
    assert table[['angular_step', 'offset_step']].isna().all(axis=None)
    assert table['distribution_2'].tolist() == [0.5]
