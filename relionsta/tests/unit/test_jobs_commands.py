"""Commands of jobs: those of RELION 5.0, of which no program is at hand, and the rules of every command."""
import pytest

from relionsta.jobs.class3d import CLASS3D
from relionsta.jobs.extract import EXTRACT
from relionsta.jobs.mask import MASK
from relionsta.jobs.postprocess import POSTPROCESS
from relionsta.jobs.reconstruct import RECONSTRUCT
from relionsta.jobs.refine3d import REFINE3D
from relionsta.jobs.registry import JOBS

INPUT = {'in_optimisation': 'o.star'}
DIRECT = {'use_direct_entries': True, 'in_particles': 'p.star', 'in_tomograms': 't.star', 'in_trajectories': 'm.star'}


def text(job, values, out='X/job001/', **more):
    return [' '.join(tokens) for tokens in job.commands(values, out, **more)]


def test_extraction_in_the_words_of_5_0() -> None:
    """RELION 5.0 does not know the sizes of 5.1; it would warn, and take its default box."""
    values = dict(INPUT, binning=4.0, box_size=192, crop_size=96, max_dose=50.0, nr_mpi=5, nr_threads=12)
    assert text(EXTRACT, values, version=(5, 0)) == [
        'relion_tomo_subtomo_mpi --i o.star --theme classic --o X/job001/ --b 192 --crop 96 --bin 4 --max_dose 50 '
        '--min_frames 1 --float16 --stack2d --j 12']


def test_options_of_another_version_have_no_effect() -> None:
    """A project made with one RELION must run with another."""
    for version, other in (((5, 0), dict(box_size_angst=500.0, subtomo_format='3D subtomos')),
                           ((5, 1), dict(binning=4.0, box_size=64, crop_size=32, do_stack2d=False))):
        assert EXTRACT.commands(dict(INPUT, **other), 'X/job001/', version) == EXTRACT.commands(
            INPUT, 'X/job001/', version)
    helix = dict(INPUT, fn_ref='r.mrc', do_helix=True, helical_tube_outer_diameter=200.0,
                 do_apply_helical_symmetry=False)
    assert '--ignore_helical_symmetry' in CLASS3D.commands(helix, 'X/job001/', (5, 0))[0]
    assert '--helical_nr_asu' in CLASS3D.commands(helix, 'X/job001/', (5, 1))[0]


@pytest.mark.parametrize('job', [CLASS3D, REFINE3D], ids=lambda job: job.type)
def test_blush_network_is_named_since_5_1(job) -> None:
    """5.0 has no --blush_model, 5.1's GUI always gives it."""
    values = dict(INPUT, fn_ref='r.mrc', do_blush=True, blush_version='amy-v1.0')
    assert '--blush --dont_combine' in text(job, values, version=(5, 0))[0] or '--blush --over' in text(
        job, values, version=(5, 0))[0]
    assert '--blush --blush_model amy-v1.0' in text(job, values, version=(5, 1))[0]


def test_helix_of_5_0_has_no_starts() -> None:
    """--helical_nstart came with 5.1's form."""
    values = dict(INPUT, fn_ref='r.mrc', do_helix=True, helical_tube_outer_diameter=200.0, helical_range_distance=2.0)
    assert '--helical_sigma_distance 0.666667 --j' in text(CLASS3D, values, version=(5, 0))[0]
    assert '--helical_sigma_distance 0.666667 --helical_nstart 1 --j' in text(CLASS3D, values, version=(5, 1))[0]


@pytest.mark.parametrize('job, words', [
    (EXTRACT, '--p p.star --t t.star --mot m.star'), (RECONSTRUCT, '--p p.star --t t.star --mot m.star'),
    (CLASS3D, '--i p.star --tomograms t.star --trajectories m.star'),
    (REFINE3D, '--i p.star --tomograms t.star --trajectories m.star')], ids=lambda value: getattr(value, 'type', ''))
def test_direct_entries(job, words) -> None:
    """The tomography programs and relion_refine name the same files differently."""
    assert words in text(job, dict(DIRECT, **({'fn_ref': 'r.mrc'} if job in (CLASS3D, REFINE3D) else {})))[0]


def test_sizes_and_weights_arrive_unrounded() -> None:
    """The errors of other wrappers: T = 0.5 as 0, a step of 0.25 pixels as 0, 1.354 A as 1.35."""
    line = text(CLASS3D, dict(INPUT, fn_ref='r.mrc', tau_fudge=0.5, offset_step=0.25, particle_diameter=187.35))[0]
    assert '--tau2_fudge 0.5 ' in line and '--offset_step 0.5 ' in line and '--particle_diameter 187.35 ' in line
    line = text(POSTPROCESS, dict(fn_in='half1.mrc', fn_mask='m.mrc', angpix=1.354, fn_mtf='f.star',
                                  mtf_angpix=0.675))[0]
    assert '--angpix 1.354 ' in line and '--mtf f.star --mtf_angpix 0.675 ' in line


def test_additional_arguments_are_split_as_a_shell_would() -> None:
    """One argument with a blank must stay one; nothing is expanded."""
    tokens = MASK.commands({'fn_in': 'a.mrc', 'other_args': "--and 'b c.mrc' --x $HOME *"}, 'X/job001/')[0]
    assert tokens[-5:] == ['--and', 'b c.mrc', '--x', '$HOME', '*']


@pytest.mark.parametrize('job', JOBS.values(), ids=lambda job: job.type)
def test_every_command_is_text_tokens(job) -> None:
    """A number, a None or an empty program name among the tokens fails only when the job is started."""
    for version in ((5, 0), (5, 1)):
        for tokens in job.commands({}, 'X/job001/', version):
            assert all(isinstance(token, str) for token in tokens)
            assert tokens[0].startswith('relion_') and '--pipeline_control' not in tokens


def test_job_folder_ends_with_a_slash() -> None:
    """Without it RELION writes X/job001particles.star."""
    with pytest.raises(ValueError, match='slash'):
        EXTRACT.commands(INPUT, 'X/job001')


def test_types_are_relions() -> None:
    """job.star and the tables of files are found by these names."""
    assert sorted(JOBS) == sorted('relion.' + name for name in (
        'pseudosubtomo', 'reconstructparticletomo', 'initialmodel.tomo', 'class3d', 'refine3d.tomo', 'multibody',
        'maskcreate', 'postprocess', 'localres', 'ctfrefinetomo', 'framealigntomo', 'subtract', 'reconstructtomograms'))
