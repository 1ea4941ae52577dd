"""What the files of runs say of their history."""
import pytest

from relionsta.jobs import files
from relionsta.suggest.start import suggest_low_pass
from relionsta.suggest.upstream import has_orientations, resolution_of_map, search_of_particles
from relionsta.tests.find import shared_data
from relionsta.tests.unit.relion_job_folder import BOX, PIXEL, model_star, write_final, write_iteration


def test_resolution_of_a_class(tmp_path):
    """A low-pass filter after the best class would leave the noise of a worse one in its map."""
    write_iteration(tmp_path, files.CLASS3D, 7, classes=2)
    names = ['run_it007_class001.mrc', 'run_it007_class002.mrc']
    (tmp_path / 'run_it007_model.star').write_text(model_star(names, shells=[4, 2]))
    found = [resolution_of_map(tmp_path / name) for name in names]
    assert [one.resolution for one in found] == [BOX * PIXEL / 4, BOX * PIXEL / 2]
    assert found[1].source == 'class 2 of iteration 7'
    assert resolution_of_map(str(tmp_path / names[0]) + ':mrc') == found[0]  # as Scipion names maps


def test_resolution_of_a_refinement(tmp_path):
    """The final map, its half maps and those of an iteration have the gold-standard resolution."""
    write_final(tmp_path)
    write_iteration(tmp_path, files.REFINE3D, 3)
    for name in ('run_class001.mrc', 'run_half1_class001_unfil.mrc', 'run_it003_half1_class001.mrc'):
        assert resolution_of_map(tmp_path / name).resolution == BOX * PIXEL / 4, name


@pytest.mark.parametrize('name', ['merged.mrc', 'run_it009_class001.mrc', 'postprocess.mrc', 'someone_elses.mrc'])
def test_maps_without_a_known_resolution(tmp_path, name):
    """A made-up resolution would filter a first reference too little."""
    assert resolution_of_map(tmp_path / name) is None


def test_damaged_files_tell_nothing(tmp_path):
    """A form must open beside a run that is being written or was cut off."""
    write_iteration(tmp_path, files.CLASS3D, 1)
    (tmp_path / 'run_it001_model.star').write_text('data_model_general\n\n_rlnPixel')
    (tmp_path / 'run_it001_sampling.star').write_text('')
    (tmp_path / 'postprocess.star').write_text('data_general\n')
    assert resolution_of_map(tmp_path / 'run_it001_class001.mrc') is None
    assert resolution_of_map(tmp_path / 'postprocess.mrc') is None
    assert search_of_particles(tmp_path / 'run_it001_data.star') is None


def test_search_of_a_run(tmp_path):
    """RELION samples twice as finely as its file says: order 4 with oversampling 1 is 1.875 degrees, 20 Å are 10."""
    write_iteration(tmp_path, files.CLASS3D, 1)
    found = search_of_particles(tmp_path / 'run_it001_data.star')
    assert (found.step, found.offset_step, found.source) == (1.875, 10, 'the run before (iteration 1)')
    optimiser = tmp_path / 'run_it001_optimiser.star'
    optimiser.write_text(optimiser.read_text().replace('data_optimiser_general\n\n',
                                                       'data_optimiser_general\n\n_rlnDoSkipAlign 1\n'))
    assert search_of_particles(tmp_path / 'run_it001_data.star') is None  # it kept the poses that it got
    assert search_of_particles(tmp_path / 'particles.star') is None


def test_orientations(tmp_path):
    """Angles that are all 0 are no angles."""
    write_iteration(tmp_path, files.CLASS3D, 1)
    star = tmp_path / 'run_it001_data.star'
    assert has_orientations(star)
    lines = [' '.join([line.split()[0], '0.0', '1']) if line.split()[:1] and line.split()[0].startswith('TS_01/') else line
             for line in star.read_text().splitlines()]
    star.write_text('\n'.join(lines) + '\n\n')
    assert not has_orientations(star)


def test_runs_of_a_real_project():
    """RELION's own files of a published data set: nine classes, then a refinement."""
    project = shared_data('relion5-hiv-project')
    classes = [resolution_of_map(project / 'Class3D/job017' / ('run_it025_class%03d.mrc' % number))
               for number in range(1, 10)]
    known = [one.resolution for one in classes if one is not None]
    assert len(known) >= 5 and 3 < min(known) < max(known) < 200
    refined = resolution_of_map(project / 'Refine3D/job034/run_class001.mrc')
    assert 3 < refined.resolution < 20
    assert refined.resolution < suggest_low_pass(refined.resolution).value <= refined.resolution * 1.1 + 5
    assert search_of_particles(project / 'Class3D/job017/run_it025_data.star') is not None
