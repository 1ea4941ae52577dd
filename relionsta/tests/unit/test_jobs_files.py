"""The names of the files that jobs write."""
import re

import pytest

from relionsta.jobs import files
from relionsta.tests.find import shared_data


def test_class3d_iteration() -> None:
    """One name too many and no iteration is ever complete; one too few and a torn one is taken."""
    assert files.iteration_files('relion.class3d', 'run', 7, nr_classes=2) == {
        'data': 'run_it007_data.star', 'optimiser': 'run_it007_optimiser.star', 'sampling': 'run_it007_sampling.star',
        'optimisation_set': 'run_it007_optimisation_set.star', 'model': 'run_it007_model.star',
        'class001': 'run_it007_class001.mrc', 'class002': 'run_it007_class002.mrc'}


def test_iteration_0_may_have_no_sampling() -> None:
    """Serial runs write none; MPI runs may."""
    assert 'sampling' not in files.iteration_files('relion.class3d', 'run', 0)
    assert files.optional_iteration_files('relion.class3d', 'run', 0)['sampling'] == 'run_it000_sampling.star'
    assert 'sampling' not in files.optional_iteration_files('relion.class3d', 'run', 1)


def test_auto_refine_iteration() -> None:
    """Auto-refine writes a model and a map of each half, and no model of both."""
    names = files.iteration_files('relion.refine3d.tomo', 'run', 12)
    assert sorted(names.values()) == [
        'run_it012_data.star', 'run_it012_half1_class001.mrc', 'run_it012_half1_model.star',
        'run_it012_half2_class001.mrc', 'run_it012_half2_model.star', 'run_it012_optimisation_set.star',
        'run_it012_optimiser.star', 'run_it012_sampling.star']
    optional = files.optional_iteration_files('relion.refine3d.tomo', 'run', 12)
    assert sorted(optional.values()) == [
        'run_it012_half1_class001_angdist.bild', 'run_it012_half1_class001_unfil.mrc',
        'run_it012_half2_class001_angdist.bild', 'run_it012_half2_class001_unfil.mrc']
    assert not set(names) & set(optional)


def test_initial_model_iteration() -> None:
    """A gradient descent cannot go on without its moments: two first ones per class, and a second one."""
    names = files.iteration_files('relion.initialmodel.tomo', 'run', 10, nr_classes=2)
    stars = set(files.iteration_files('relion.class3d', 'run', 10, nr_classes=2).values())
    assert set(names.values()) - stars == {'run_it010_%s.mrc' % moment for moment in (
        '1moment001', '1moment002', '1moment003', '1moment004', '2moment001', '2moment002')}
    assert sorted(files.optional_iteration_files('relion.initialmodel.tomo', 'run', 10, nr_classes=2).values()) == [
        'run_it010_class001_angdist.bild', 'run_it010_class002_angdist.bild']


def test_multibody_files() -> None:
    """A body that is left out, or a name that RELION does not use, and a refinement never seems complete."""
    names = files.iteration_files('relion.multibody', 'run', 3, nr_classes=2)
    refine = {name for name in files.iteration_files('relion.refine3d.tomo', 'run', 3).values() if name.endswith('.star')}
    assert set(names.values()) - refine == {'run_it003_%s_%s.mrc' % (half, body) for half in ('half1', 'half2')
                                            for body in ('body001', 'body002')}
    assert 'run_it003_half2_body002_unfil.mrc' in files.optional_iteration_files('relion.multibody', 'run', 3, 2).values()
    final = files.multibody_final_files('run', 2)
    assert (final['body002'], final['half1_body002']) == ('run_body002.mrc', 'run_half1_body002_unfil.mrc')
    assert files.component_maps(3)[9] == 'analyse_component003_bin010.mrc'


@pytest.mark.parametrize('low, high, name', [(-1.5, 2.5, '_min-2_max3'), (0.0, 999.0, '_min0_max999'),
                                             (0.4, 99999.0, '_min0'), (-99999.0, 99999.0, '')])
def test_names_of_selections(low: float, high: float, name: str) -> None:
    """RELION rounds the limits in the name, halves away from 0, and leaves out limits that are none (tried on 5.1)."""
    assert files.selection_file(1, low, high) == 'analyse_eval001_select%s.star' % name


def test_jobs_without_iterations_are_refused() -> None:
    """A wrong job type would look like a job without output."""
    with pytest.raises(ValueError, match='relion.maskcreate'):
        files.iteration_files('relion.maskcreate', 'run', 1)


@pytest.mark.parametrize('path, other', [
    ('half1.mrc', 'half2.mrc'), ('a/run_half2_class001_unfil.mrc', 'a/run_half1_class001_unfil.mrc'),
    ('half1_half1.mrc', 'half2_half2.mrc'), ('half1/map.mrc', None), ('map.mrc', None),
    ('x_half2_half1.mrc', 'x_half2_half2.mrc')])
def test_other_half_is_the_one_that_relion_opens(path, other) -> None:
    """As relion_postprocess 5.1 says ("half2-map:"): the name decides, not the folder."""
    assert files.other_half(path) == other


def test_half_pair() -> None:
    """Half maps of other names must be linked first."""
    assert files.is_half_pair('a/half1.mrc', 'a/half2.mrc') and files.is_half_pair('a/half2.mrc', 'a/half1.mrc')
    assert not files.is_half_pair('a/half1.mrc', 'b/half2.mrc')
    assert not files.is_half_pair('one.mrc', 'two.mrc') and not files.is_half_pair('half1.mrc')


@pytest.mark.parametrize('folder, names', [
    ('Extract/job031', files.EXTRACT_FILES),
    ('Class3D/job017', files.iteration_files('relion.class3d', 'run', 25, nr_classes=9)),
    ('Refine3D/job034', {**files.refine3d_final_files('run'), **files.refine3d_final_optional_files('run')}),
    ('PostProcess/job026', files.POSTPROCESS_FILES)])
def test_names_are_those_in_a_real_project(folder, names) -> None:
    """Names that RELION does not use would be looked for in vain. (The project's images were left out.)"""
    path = shared_data('relion5-hiv-project') / folder
    there = {entry.name for entry in path.iterdir() if re.search(r'\.(star|mrc|dat|xml|eps|pdf)$', entry.name)}
    there -= {entry for entry in there if entry.startswith(('job', 'default_', '.', 'RELION_'))}
    assert there and there <= set(names.values()), sorted(there - set(names.values()))
