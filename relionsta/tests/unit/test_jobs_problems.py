"""What jobs refuse before RELION is started, and in which words."""
import pytest

from relionsta.jobs.class3d import CLASS3D
from relionsta.jobs.extract import EXTRACT
from relionsta.jobs.mask import MASK
from relionsta.jobs.postprocess import POSTPROCESS
from relionsta.jobs.reconstruct import RECONSTRUCT
from relionsta.jobs.refine3d import REFINE3D

INPUT = {'in_optimisation': 'o.star'}
GOOD = {
    EXTRACT: dict(INPUT), RECONSTRUCT: dict(INPUT),
    CLASS3D: dict(INPUT, fn_ref='r.mrc', sampling='3.7 degrees'),
    REFINE3D: dict(INPUT, fn_ref='r.mrc', nr_mpi=3),
    MASK: dict(fn_in='a.mrc'), POSTPROCESS: dict(fn_in='run_half1.mrc', fn_mask='m.mrc'),
}
JOBS = {job: job.type for job in GOOD}
HELIX = dict(do_helix=True, helical_tube_outer_diameter=200.0)


def found(job, version=(5, 1), **changes):
    return job.problems(dict(GOOD[job], **changes), version)


@pytest.mark.parametrize('job', GOOD, ids=lambda job: job.type)
def test_good_values_have_no_problems(job) -> None:
    """A check that is too eager stops work that RELION would do."""
    for version in ((5, 0), (5, 1)):
        assert found(job, version) == []


FATAL = [
    # job, options, option that is named, words of the message, words of the fix
    (EXTRACT, dict(in_optimisation=''), 'in_optimisation', '(empty)', 'Choose an optimisation set'),
    (EXTRACT, dict(use_direct_entries=True), 'in_particles', '(empty)', 'particles STAR'),
    (EXTRACT, dict(use_direct_entries=True, in_particles='p.star', in_tomograms='t.star'), 'in_optimisation', 'o.star',
     'Empty this field'),
    (EXTRACT, dict(binned_size_pix=47), 'binned_size_pix', '47', '46 or 48'),
    (EXTRACT, dict(binned_size_pix=0), 'binned_size_pix', '0', '2 or more'),
    (EXTRACT, dict(box_size_angst=0.0), 'box_size_angst', '0', '1 or more'),
    (EXTRACT, dict(precrop_size_angst=100.0), 'precrop_size_angst', '100', '-1 for none'),
    (EXTRACT, dict(precrop_size_angst=0.0), 'precrop_size_angst', '0', '-1'),
    (EXTRACT, dict(nr_mpi=0), 'nr_mpi', '0', '1 or more'),
    (EXTRACT, dict(other_args='--x "a'), 'other_args', '--x "a', 'Close the quote'),
    (EXTRACT, dict(other_args='--o elsewhere/'), 'other_args', '--o', 'Leave it out'),
    (EXTRACT, dict(in_optimisation='my set/o.star'), 'in_optimisation', 'my set/o.star', 'without blanks'),
    (EXTRACT, dict(in_optimisation='set$(x)/o.star'), 'in_optimisation', 'to a shell', 'itself'),
    (EXTRACT, dict(in_optimisation='set%1/o.star'), 'in_optimisation', 'format of an image', 'Rename it.'),
    (EXTRACT, dict(other_args='--a \0'), 'other_args', 'NUL', 'Take it out.'),
    (EXTRACT, dict(in_optimisation='-o.star'), 'in_optimisation', '-o.star', './'),
    (RECONSTRUCT, dict(box_size=47), 'box_size', '47', '46 or 48'),
    (RECONSTRUCT, dict(crop_size=33), 'crop_size', '33', '32 or 34'),
    (RECONSTRUCT, dict(binning=0.0), 'binning', '0', '0.1 or more'),
    (RECONSTRUCT, dict(sym_name='Q5'), 'sym_name', 'Q5', 'C1'),
    (RECONSTRUCT, dict(sym_name=''), 'sym_name', '(empty)', 'C1'),
    (RECONSTRUCT, dict(do_helix=True, helical_rise=0.0), 'helical_rise', '0', 'rise'),
    (CLASS3D, dict(fn_ref=''), 'fn_ref', '(empty)', 'reference map'),
    (CLASS3D, dict(use_gpu=True, dont_skip_align=False), 'use_gpu', 'Yes', 'Perform image alignment'),
    (CLASS3D, dict(do_fast_subsets=True, nr_iter=19), 'nr_iter', '19', 'no fast subsets'),
    (CLASS3D, dict(tau_fudge=0.0), 'tau_fudge', '0', '0.1'),
    (CLASS3D, dict(fn_cont='run_optimiser.star'), 'fn_cont', 'run_optimiser.star', 'run_itNNN_optimiser.star'),
    (CLASS3D, dict(use_gpu=True, gpu_ids='all'), 'gpu_ids', 'all', '0:1'),
    (CLASS3D, dict(scratch_dir='$TMPDIR/x'), 'scratch_dir', '$TMPDIR/x', 'folder itself'),
    (CLASS3D, dict(do_helix=True), 'helical_tube_outer_diameter', '-1', 'diameter of the filament'),
    (CLASS3D, dict(HELIX, helical_tube_inner_diameter=200.0), 'helical_tube_inner_diameter', '200', 'smaller'),
    (CLASS3D, dict(HELIX, do_local_search_helical_symmetry=True, helical_rise_min=1.0, helical_rise_max=2.0,
                   helical_rise_initial=3.0, helical_twist_max=1.0), 'helical_rise_initial', '3', 'around'),
    (REFINE3D, dict(nr_mpi=1), 'nr_mpi', '1', 'Choose 3.'),
    (REFINE3D, dict(nr_mpi=2), 'nr_mpi', '2', 'Choose 3.'),
    (REFINE3D, dict(nr_mpi=4), 'nr_mpi', '4', '3 or 5'),
    (REFINE3D, dict(do_solvent_fsc=True), 'do_solvent_fsc', 'Yes', 'Choose a reference mask'),
    (REFINE3D, dict(relax_sym='X'), 'relax_sym', 'X', 'C2'),
    (REFINE3D, dict(particle_diameter=0.0), 'particle_diameter', '0', '1 or more'),
    (MASK, dict(fn_in=''), 'fn_in', '(empty)', 'Choose the map'),
    (MASK, dict(width_mask_edge=-1), 'width_mask_edge', '-1', '0 or more'),
    (MASK, dict(do_combine=True), 'fn_other', '(empty)', 'combine'),
    (MASK, dict(do_denovo=True), 'angpix', '-1', 'maps that the mask is for'),
    (MASK, dict(do_denovo=True, angpix=4.0, denovo_box_size=33), 'denovo_box_size', '33', '32 or 34'),
    (MASK, dict(do_denovo=True, angpix=4.0, inner_radius=30.0), 'inner_radius', '30', 'full sphere'),
    (POSTPROCESS, dict(fn_in='map.mrc'), 'fn_in', 'map.mrc', 'half1.mrc and half2.mrc'),
    (POSTPROCESS, dict(fn_in='half1/map.mrc'), 'fn_in', 'half1/map.mrc', 'half1.mrc'),
    (POSTPROCESS, dict(fn_mask=''), 'fn_mask', '(empty)', 'solvent mask'),
    (POSTPROCESS, dict(do_adhoc_bfac=True), 'do_adhoc_bfac', 'Yes', 'Choose No'),
    (POSTPROCESS, dict(angpix=0.0), 'angpix', '0', '-1'),
]


@pytest.mark.parametrize('job, changes, option, words, fix', FATAL)
def test_refused_with_parameter_value_and_fix(job, changes, option, words, fix) -> None:
    """RELION takes most of these and writes wrong results, or dies after hours in a queue."""
    problems = [problem for problem in found(job, **changes) if problem.option == option]
    assert len(problems) == 1 and problems[0].fatal
    problem = problems[0]
    assert problem.value == dict(GOOD[job], **changes).get(option, job.option(option).default)
    assert problem.message.startswith('*%s*: ' % job.option(option).label) and words in problem.message
    assert fix in problem.fix and problem.text() == problem.message + ' ' + problem.fix


@pytest.mark.parametrize('changes, option', [
    (dict(box_size=33), 'box_size'), (dict(crop_size=31), 'crop_size'), (dict(crop_size=192), 'crop_size'),
    (dict(binning=0.5), 'binning')])
def test_sizes_of_5_0_are_refused_there_only(changes, option) -> None:
    """The bounds of one version's options must not stop the other."""
    assert [problem.option for problem in found(EXTRACT, (5, 0), **changes) if problem.fatal] == [option]
    assert found(EXTRACT, (5, 1), **changes) == []


WARNED = [
    (CLASS3D, dict(tau_fudge=50.0), 'tau_fudge'),
    (CLASS3D, dict(do_local_ang_searches=True, sampling='7.5 degrees', sigma_angles=5.0), 'sigma_angles'),
    (CLASS3D, dict(offset_range=2.0, offset_step=3.0), 'offset_step'),
    (CLASS3D, dict(HELIX, sigma_tilt=5.0), 'sigma_tilt'),
    (RECONSTRUCT, dict(box_size=64, crop_size=64), 'crop_size'),
    (REFINE3D, dict(sampling='1.8 degrees', auto_local_sampling='7.5 degrees'), 'auto_local_sampling'),
    (MASK, dict(width_mask_edge=0), 'width_mask_edge'),
    (MASK, dict(do_denovo=True, angpix=4.0, denovo_box_size=44), 'outer_radius'),
    (MASK, dict(lowpass_filter=5.0), 'lowpass_filter'),
]


@pytest.mark.parametrize('job, changes, option', WARNED)
def test_unusual_values_are_warned_about(job, changes, option) -> None:
    """People must be able to go on: not all that is unusual is wrong."""
    problems = found(job, **changes)
    assert [(problem.option, problem.fatal) for problem in problems] == [(option, False)]


def test_options_without_effect_are_not_checked() -> None:
    """A value left over in a part of the form that is switched off must not stop a job."""
    assert found(CLASS3D, do_local_ang_searches=False, sigma_angles=0.0) == []
    assert found(POSTPROCESS, do_auto_bfac=False, autob_lowres=0.0) == []
    assert found(CLASS3D, do_preread_images=True, scratch_dir='a b') == []


def test_fatal_problems_come_first() -> None:
    """The reader should see first what stops the job."""
    problems = found(REFINE3D, ini_high=500.0, nr_mpi=2)
    assert [problem.fatal for problem in problems] == [True, False]


@pytest.mark.parametrize('group, good', [
    ('C1', True), ('c4', True), ('D7', True), ('T', True), ('TD', True), ('O', True), ('OH', True), ('I', True),
    ('I3', True), ('I3h', True), ('C2v', True), ('CI', True), ('S4', True), ('C99', True), ('S3', False),
    ('I5', False), ('C', False), ('C0', False), ('C100', False), ('D2d', False), ('C-1', False), ('C1\n', False),
    ('H', False), (' C1', False)])
def test_point_groups(group, good) -> None:
    """As relion_refine 5.1 reads them; a wrong one fails after all particles have been read."""
    assert (found(RECONSTRUCT, sym_name=group) == []) == good
