"""What a folder of RELION holds: which project, which job, which of its files."""
import pytest

from relionsta.sources.relion_folder import has_true_header, job_type, made_by_inversion
from relionsta.sources.relion_job import changed_since, read_relion_job
from relionsta.sources.relion_project import find_project
from relionsta.sources.text import SourceError
from relionsta.star import write_star
from relionsta.star.optimisation_set import OptimisationSet, write_optimisation_set
from relionsta.star.trajectories import still_trajectory, write_trajectories

ROWS = {'rlnTomoName': 'TS_01', 'rlnTomoParticleName': 'TS_01/1',
        'rlnImageName': 'Extract/job005/Subtomograms/TS_01/1_stack2d.mrcs'}


def job(root, name, kind, **options):
    """A job folder with its job.star."""
    import pandas as pd
    folder = root / name
    folder.mkdir(parents=True)
    write_star(folder / 'job.star', {
        'job': {'rlnJobTypeLabel': kind, 'rlnJobIsContinue': 0, 'rlnJobIsTomo': 1},
        'joboptions_values': pd.DataFrame(sorted(options.items()) or [('do_queue', 'No')],
                                          columns=['rlnJobOptionVariable', 'rlnJobOptionValue'])})
    return folder


def particles(folder, name='particles.star'):
    """A particles STAR of one row."""
    write_star(folder / name, {'optics': {'rlnOpticsGroup': 1}, 'particles': ROWS})


def tomograms(folder):
    """A tomograms.star of one row."""
    write_star(folder / 'tomograms.star', {'global': {'rlnTomoName': 'TS_01'}})


def named(folder, file='optimisation_set.star', **names):
    write_optimisation_set(folder / file, OptimisationSet(**names))


@pytest.fixture
def project(tmp_path):
    """Extract/job005 of the tilt series of Tomograms/job003, CtfRefine/job008 and Refine3D/job007."""
    root = tmp_path / 'a project'
    tomograms(job(root, 'Tomograms/job003', 'relion.reconstructtomograms', do_fourier='Yes'))
    extract = job(root, 'Extract/job005', 'relion.pseudosubtomo')
    particles(extract)
    named(extract, particles='Extract/job005/particles.star', tomograms='Tomograms/job003/tomograms.star')
    refine = job(root, 'Refine3D/job007', 'relion.refine3d.tomo', fn_mask='MaskCreate/job006/mask.mrc')
    for stem in ('run', 'run_it002', 'run_it010'):
        particles(refine, stem + '_data.star')
        named(refine, stem + '_optimisation_set.star', particles='Refine3D/job007/%s_data.star' % stem,
              tomograms='Tomograms/job003/tomograms.star')
    ctf = job(root, 'CtfRefine/job008', 'relion.ctfrefinetomo')
    tomograms(ctf)
    named(ctf, particles='Refine3D/job007/run_data.star', tomograms='CtfRefine/job008/tomograms.star')
    return root


def test_the_result_comes_before_iterations(project):
    """Prevents half-done iterations in place of the result of a refinement."""
    found = read_relion_job(project / 'Refine3D/job007')
    assert (found.particles, found.tomograms) == ('Refine3D/job007/run_data.star', 'Tomograms/job003/tomograms.star')
    assert found.project == project and found.type == 'relion.refine3d.tomo'
    assert {one.what: one.name for one in found.missing} == {
        'map': 'Refine3D/job007/run_class001.mrc', 'model': 'Refine3D/job007/run_model.star',
        'mask': 'MaskCreate/job006/mask.mrc'}


def test_the_last_iteration_that_is_whole(project):
    """Prevents iteration 9 after 10, and a file that RELION was writing when it was stopped."""
    folder = project / 'Refine3D/job007'
    for name in ('run_data.star', 'run_optimisation_set.star'):
        (folder / name).unlink()
    assert read_relion_job(folder).particles == 'Refine3D/job007/run_it010_data.star'
    (folder / 'run_it010_data.star').write_text((folder / 'run_it010_data.star').read_text().rstrip())
    found = read_relion_job(folder)
    assert found.particles == 'Refine3D/job007/run_it002_data.star'
    assert ('Refine3D/job007/run_it010_data.star (particles) is not whole: it was cut, or is still being written; '
            'iteration 2 is imported instead') in [one.text() for one in found.missing]
    (folder / 'job.star').write_text((folder / 'job.star').read_text().rstrip() + '\n')
    assert any('job.star (settings) is not whole' in one.text() for one in read_relion_job(folder).missing)


def test_damaged_trajectories_and_sets_are_told(project):
    """RELION would move the particles by what is left of a file that was cut, or not move them without a word."""
    polish = job(project, 'Polish/job010', 'relion.framealigntomo')
    tomograms(polish)
    motion = polish / 'motion.star'
    write_trajectories(motion, {'TS_01/1': still_trajectory(3), 'TS_01/2': still_trajectory(3)})
    named(polish, particles='Refine3D/job007/run_data.star', tomograms='Polish/job010/tomograms.star',
          trajectories='Polish/job010/motion.star')
    found = read_relion_job(polish)
    assert (found.trajectories, found.missing) == ('Polish/job010/motion.star', ())
    text = motion.read_text()
    for damaged in (text[:text.index('data_TS_01/2')], text + text[text.index('data_TS_01/2'):], text[:-1]):
        motion.write_text(damaged)
        found = read_relion_job(polish)
        assert found.trajectories == ''
        assert [(one.what, 'it is left out' in one.text()) for one in found.missing] == [('trajectories', True)]
    motion.write_text(text)
    whole = (polish / 'optimisation_set.star').read_text()
    (polish / 'optimisation_set.star').write_text(whole[:whole.index('_rlnTomoTrajectoriesFile')])
    assert 'Polish/job010/optimisation_set.star (optimisation set) is not whole' in ' '.join(
        one.text() for one in read_relion_job(polish).missing)


def test_one_iteration_that_was_chosen(project):
    """Prevents another iteration's particles than those of the file."""
    for name in ('run_it002_data.star', 'run_it002_optimisation_set.star'):
        found = read_relion_job(project / 'Refine3D/job007' / name)
        assert found.particles == 'Refine3D/job007/run_it002_data.star'
        assert found.tomograms == 'Tomograms/job003/tomograms.star'


def test_the_project_is_found_from_what_files_name(project, tmp_path):
    """Prevents paths that count from the wrong folder: of jobs that lie deeper, and of a project within another."""
    (tmp_path / 'default_pipeline.star').write_text('')
    assert find_project(project / 'Refine3D/job007/run_data.star') == project
    assert find_project(project / 'Refine3D/job007') == project
    lost = project / 'Extract/alone'
    lost.mkdir()
    particles(lost)
    assert find_project(lost / 'particles.star') == tmp_path  # nothing that it names is there
    (project / 'default_pipeline.star').write_text('')
    assert find_project(lost / 'particles.star') == project
    deep = tmp_path / 'scipion/Runs/000007_Prot/extra/job001'
    deep.mkdir(parents=True)
    tomograms(deep)
    named(deep, tomograms='Runs/000007_Prot/extra/job001/tomograms.star')
    assert find_project(deep) == tmp_path / 'scipion'
    assert find_project(deep, str(project)) == project


def test_particles_without_a_set_ask_their_job(project):
    """Prevents selections that no job can go on with, although their job says where they come from."""
    select = job(project, 'Select/job009', 'relion.select.removeduplicates', fn_data='Refine3D/job007/run_data.star')
    particles(select)
    assert read_relion_job(select).tomograms == 'Tomograms/job003/tomograms.star'
    assert read_relion_job(select / 'particles.star').tomograms == 'Tomograms/job003/tomograms.star'
    direct = job(project, 'Subtract/job010', 'relion.subtract', use_direct_entries='Yes',
                 in_tomograms='CtfRefine/job008/tomograms.star')
    particles(direct, 'particles_subtracted.star')
    assert read_relion_job(direct).tomograms == 'CtfRefine/job008/tomograms.star'


def test_other_tomograms(project):
    """Prevents a tomograms.star that the user has given from being passed over for one that is gone."""
    (project / 'Tomograms/job003/tomograms.star').unlink()
    found = read_relion_job(project / 'Extract/job005')
    assert found.tomograms == '' and found.missing[0].text() == (
        'Tomograms/job003/tomograms.star (tomograms, named in Extract/job005/optimisation_set.star) is not there')
    other = project / 'CtfRefine/job008/tomograms.star'
    found = read_relion_job(project / 'Extract/job005', tomograms=other)
    assert found.at(found.tomograms) == other and not found.missing


def test_images_that_are_older_than_their_tilt_series(project):
    """Prevents images with a CTF that they were not multiplied with, and new images that are refused as old ones."""
    image = ROWS['rlnImageName']
    assert changed_since(read_relion_job(project / 'Refine3D/job007'), image) == ''
    assert changed_since(read_relion_job(project / 'CtfRefine/job008'), image) == 'relion.ctfrefinetomo'
    named(project / 'Extract/job005', particles='x.star', tomograms='CtfRefine/job008/tomograms.star')
    assert changed_since(read_relion_job(project / 'CtfRefine/job008'), image) == ''
    (project / 'Extract/job005/optimisation_set.star').unlink()  # then the numbers of the jobs tell
    assert changed_since(read_relion_job(project / 'CtfRefine/job008'), image) == 'relion.ctfrefinetomo'
    newer = 'Extract/job012/Subtomograms/TS_01/1_stack2d.mrcs'
    assert changed_since(read_relion_job(project / 'CtfRefine/job008'), newer) == ''


def test_type_and_kind_of_reconstruction(project):
    """Prevents a specimen half a voxel off, and a job without job.star that is taken for nothing."""
    assert made_by_inversion(project / 'Tomograms/job003/tomograms/rec_TS_01.mrc')
    assert not made_by_inversion(project / 'Extract/job005/tomograms/rec_TS_01.mrc')
    (project / 'CtfRefine/job008/job.star').unlink()
    assert job_type(project / 'CtfRefine/job008') == 'relion.ctfrefinetomo'


def test_maps_whose_header_can_be_held_against_their_voxels(project):
    """Prevents a damaged map that is imported without a word, and a good one that is refused: helical symmetry leaves the
    header of before."""
    path = project / 'Refine3D/job007/run_class001.mrc'
    assert has_true_header(path)
    for folder, asked in (('Refine3D/job020', {'do_helix': 'Yes'}), ('External/job021', {})):
        job(project, folder, 'relion.external' if 'External' in folder else 'relion.refine3d.tomo', **asked)
        assert not has_true_header(project / folder / 'run_class001.mrc')
    assert not has_true_header(project / 'elsewhere' / 'run_class001.mrc')


@pytest.mark.parametrize('path, reason', [
    ('Refine3D/job099', 'there is no such file or folder'), ('', 'this folder is no job of RELION'),
    ('Extract/job005/other.star', 'holds neither particles nor tomograms')])
def test_what_is_no_job(project, path, reason):
    """Prevents an import of nothing that says that all went well."""
    write_star(project / 'Extract/job005/other.star', {'fsc': {'rlnResolution': 1.0}})
    with pytest.raises(SourceError, match=reason):
        read_relion_job(project / path)
