"""Reading and writing RELION's job.star, and the commands of one."""
import json
import shlex
import subprocess
import sys
import time

import pytest

from relionsta.__main__ import main
from relionsta.jobs.class3d import CLASS3D
from relionsta.jobs.command import commands_of
from relionsta.jobs.job import Job
from relionsta.jobs.job_star import JobStarError, find_job, read_job_star, write_job_star
from relionsta.jobs.multibody import MULTIBODY
from relionsta.jobs.registry import JOBS
from relionsta.jobs.tokens import TypedFloat, TypedInt, derived, number
from relionsta.star.error import StarError
from relionsta.tests.find import reference, shared_data

HEAD = 'data_job\n\n_rlnJobTypeLabel %s\n_rlnJobIsContinue %d\n_rlnJobIsTomo %d\n \n'
LOOP = 'data_joboptions_values\n\nloop_ \n_rlnJobOptionVariable #1 \n_rlnJobOptionValue #2 \n%s \n'
INPUT = {'in_optimisation': 'o.star', 'fn_ref': 'r.mrc'}
#: The jobs by their names in job-options.json.
NAMES = {'pseudosubtomo': 'relion.pseudosubtomo', 'reconstructparticle': 'relion.reconstructparticletomo',
         'initialmodel': 'relion.initialmodel.tomo', 'class3d': 'relion.class3d', 'refine3d': 'relion.refine3d.tomo',
         'multibody': 'relion.multibody', 'maskcreate': 'relion.maskcreate', 'postprocess': 'relion.postprocess',
         'localres': 'relion.localres', 'ctfrefinetomo': 'relion.ctfrefinetomo',
         'framealigntomo': 'relion.framealigntomo', 'subtract': 'relion.subtract',
         'reconstructtomograms': 'relion.reconstructtomograms'}


@pytest.fixture
def star(tmp_path):
    """Writes a job.star and gives its path."""
    def write(label, goes_on=False, is_tomo=True, **rows):
        path = tmp_path / 'job.star'
        lines = ''.join('%s %s \n' % (name, '"%s"' % text if ' ' in text or not text else text)
                        for name, text in rows.items())
        path.write_text('\n# version 50001\n\n' + HEAD % (label, goes_on, is_tomo) + '\n# version 50001\n\n' + LOOP % lines)
        return path
    return write


def test_values_come_as_their_kind_and_keep_their_spelling(star) -> None:
    """T = 0.50 typed in RELION must reach the program as 0.50: numbers are not to be touched on the way."""
    asked = read_job_star(star('relion.class3d', **INPUT, tau_fudge='0.50', nr_iter='25.0', do_zero_mask='No', nr_mpi='3',
                               sampling='3.7 degrees', other_args="--external 'a b'", qsub='sbatch', nonsense='1'))
    assert asked.job is CLASS3D and not asked.goes_on and asked.unknown == ('nonsense',)
    assert asked.values == {**INPUT, 'tau_fudge': 0.5, 'nr_iter': 25, 'do_zero_mask': False, 'sampling': '3.7 degrees',
                            'other_args': "--external 'a b'", 'nr_mpi': 3}
    tokens = CLASS3D.commands(asked.values, 'X/job001/')[0]
    assert tokens[tokens.index('--tau2_fudge') + 1] == '0.50' and tokens[tokens.index('--iter') + 1] == '25.0'


@pytest.mark.parametrize('name, text, words', [
    ('tau_fudge', 'much', ('tau_fudge', 'Regularisation parameter T', '"much"', 'give a number')),
    ('tau_fudge', '', ('""', 'give a number')), ('tau_fudge', '4x', ('"4x"',)), ('tau_fudge', 'nan', ('"nan"',)),
    ('nr_iter', '2.5', ('nr_iter', '"2.5"', 'give a whole number')), ('nr_iter', '1e2', ('"1e2"',)),
    ('do_zero_mask', 'true', ('do_zero_mask', '"true"', 'Yes or No')),
    ('sampling', '4 degrees', ('sampling', '"4 degrees"', 'one of: 30 degrees, 15 degrees'))])
def test_values_of_a_wrong_kind_are_refused(star, name, text, words) -> None:
    """RELION takes "true" for No, and passes "4x" on to its program."""
    path = star('relion.class3d', **INPUT, **{name: text})
    with pytest.raises(JobStarError) as refused:
        read_job_star(path)
    assert all(word in str(refused.value) for word in (str(path), 'data_joboptions_values') + words)


@pytest.mark.parametrize('content, error, words', [
    ('', StarError, 'no block'), ('data_job\n\n_rlnJobTypeLabel relion.class3d\n', StarError, 'joboptions_values'),
    (HEAD % ('relion.import', 0, 1) + LOOP % 'a b\n', JobStarError, 'relion.import'),
    (HEAD % ('relion.class3d', 0, 0) + LOOP % 'a b\n', JobStarError, 'single particles'),
    (HEAD % ('relion.class3d', 7, 1) + LOOP % 'a b\n', JobStarError, 'rlnJobIsContinue is "7"'),
    ('data_job\n\n_rlnJobType 9\n_rlnJobIsContinue 0\n \n' + LOOP % 'a b\n', JobStarError, 'rlnJobTypeLabel is missing'),
    (HEAD % ('relion.class3d', 0, 1) + 'data_joboptions_values\n\nloop_\n_rlnX #1\n_rlnY #2\na b\n\n', JobStarError,
     'rlnJobOptionVariable is missing'),
    (HEAD % ('relion.class3d', 0, 1) + LOOP % 'a b c\n', StarError, '3 values for 2 columns')])
def test_damaged_files_are_refused(tmp_path, content, error, words) -> None:
    """A file of another kind must not come out as a job of defaults."""
    path = tmp_path / 'job.star'
    path.write_text(content)
    with pytest.raises(error, match=words) as refused:
        read_job_star(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize('label, job_type', [
    ('relion.class3d', 'relion.class3d'), ('relion.class3d.tomo', 'relion.class3d'),
    ('relion.refine3d', 'relion.refine3d.tomo'), ('relion.refine3d.tomo.x', 'relion.refine3d.tomo'),
    ('relion.localres.own', 'relion.localres')])
def test_types_by_all_their_names(label, job_type) -> None:
    """RELION writes relion.localres.own where it was asked relion.localres."""
    assert find_job(label).type == job_type
    for wrong in ('relion.class2d', 'relion.reconstruct', 'relion.class3dx', ''):
        with pytest.raises(KeyError):
            find_job(wrong)


@pytest.mark.parametrize('job', JOBS.values(), ids=lambda job: job.type)
def test_round_trip(job: Job, tmp_path) -> None:
    """What is saved must come back, every option of it, those included that RELION's GUI does not have."""
    values = job.complete({option.name: _other(option) for option in job.options})
    values.update({name: '' for name in values if name == 'fn_cont'})
    write_job_star(tmp_path / 'job.star', job, values)
    asked = read_job_star(tmp_path / 'job.star')
    assert asked.job is job and asked.unknown == ()
    assert job.complete(asked.values) == values
    assert not list(tmp_path.glob('*.tmp'))


def _other(option):
    """A value that is not the default."""
    if isinstance(option.default, bool):
        return not option.default
    if isinstance(option.default, (int, float)):
        return option.default + 1
    return option.choices[-1] if option.choices else 'some "quoted" text' if option.name == 'other_args' else 'a/b.star'


def test_continue_is_what_relions_button_says(star) -> None:
    """RELION keeps the name of the optimiser in new jobs too, and looks at it only after Continue."""
    rows = dict(INPUT, fn_cont='a/run_it003_optimiser.star')
    fresh = commands_of(star('relion.class3d', **rows)).commands[0]
    assert '--continue' not in fresh and '--ref' in fresh
    again = commands_of(star('relion.class3d', goes_on=True, **rows)).commands[0]
    assert again[again.index('--continue') + 1] == 'a/run_it003_optimiser.star' and '--ref' not in again
    extract = commands_of(star('relion.pseudosubtomo', goes_on=True, in_optimisation='o.star')).commands[0]
    assert '--only_do_unfinished' in extract
    with pytest.raises(JobStarError, match='Continue from here'):
        commands_of(star('relion.class3d', goes_on=True, **INPUT))
    programs = [tokens[0] for tokens in commands_of(star(MULTIBODY.type, goes_on=True, fn_bodies='b.star')).commands]
    assert programs == ['relion_flex_analyse']


def test_options_of_another_version_are_named(star) -> None:
    """A file of 5.0 read as 5.1 would make boxes of the default size; people must see it."""
    path = star('relion.pseudosubtomo', in_optimisation='o.star', binning='4', box_size='96', do_stack2d='No')
    answer = commands_of(path, (5, 1))
    assert 'binning, box_size, do_stack2d' in answer.remarks[0] and '--relion-version 5.0' in answer.remarks[0]
    old = commands_of(path, (5, 0))
    assert old.remarks == [] and old.commands == [shlex.split(
        'relion_tomo_subtomo --i o.star --theme classic --o OUT/ --b 96 --bin 4 --min_frames 1 --float16 --j 1')]


@pytest.mark.parametrize('job_type, rows, old, new', [
    ('relion.class3d', dict(INPUT, do_blush='Yes', blush_version='amy-v1.0'), '--blush --oversampling',
     '--blush --blush_model amy-v1.0 --oversampling'),
    ('relion.refine3d', dict(INPUT, do_helix='Yes', do_apply_helical_symmetry='No'), '--ignore_helical_symmetry',
     '--helical_nr_asu 1'),
    ('relion.refine3d', dict(INPUT, do_helix='Yes', helical_range_distance='3', helical_nstart='2'),
     '--helical_sigma_distance 1 --helical_keep_tilt', '--helical_sigma_distance 1 --helical_nstart 2 --helical_keep_tilt'),
    ('relion.reconstructtomograms', {'in_tiltseries': 't.star', 'do_skip_wiener': 'Yes'}, '_first_peak --do_proj',
     '_first_peak --skip_fourier_wiener --do_proj'),
    ('relion.pseudosubtomo', {'in_optimisation': 'o.star', 'crop_size': '64', 'subtomo_format': '3D subtomos'},
     '--b 128 --crop 64 --bin 1 --min_frames 1 --float16 --stack2d', '--real_subtomo')])
def test_commands_of_5_0(star, job_type, rows, old, new) -> None:
    """RELION 5.0 passes over what it does not know, and 5.1's form has other fields."""
    path = star(job_type, **rows)
    lines = [' '.join(commands_of(path, version).commands[0]) for version in ((5, 0), (5, 1))]
    assert old in lines[0] and new not in lines[0] and new in lines[1]


def test_what_we_advise_against_is_said_and_shown(star) -> None:
    """The command of a job that RELION takes must be shown, whatever we think of it."""
    answer = commands_of(star('relion.refine3d.tomo', **INPUT, scratch_dir='$SCRATCH', nr_mpi='2'))
    assert answer.commands[0][0] == 'relion_refine_mpi' and answer.mpi == 2
    assert any('Choose 3.' in remark for remark in answer.remarks) and any('$SCRATCH' in one for one in answer.remarks)


def test_command_line(star, capsys) -> None:
    """Scripts read standard output and the exit code: one line per command, 2 for a refusal."""
    path = star('relion.initialmodel', **{'in_optimisation': 'o.star', 'sym_name': 'C6', 'other_args': "--x 'a b'"})
    assert main(['command', '--job-star', str(path)]) == 0
    out, err = capsys.readouterr()
    lines = [shlex.split(line) for line in out.splitlines()]
    assert [tokens[0] for tokens in lines] == ['relion_refine', 'relion_align_symmetry'] and err == ''
    assert lines[0][lines[0].index('--x') + 1] == 'a b' and lines[0][lines[0].index('--o') + 1] == 'OUT/run'
    assert not any('--pipeline_control' in tokens for tokens in lines)
    assert main(['command', '--job-star', str(star('relion.pseudosubtomo', nr_mpi='4', in_optimisation='o.star'))]) == 0
    assert capsys.readouterr().out.startswith('mpirun -n 4 relion_tomo_subtomo_mpi --i o.star ')
    assert main(['command', '--job-star', str(star('relion.class3d', in_optimisation='o.star'))]) == 2
    out, err = capsys.readouterr()
    assert out == '' and str(path) in err and 'Reference map' in err and 'Choose a reference map.' in err
    assert main(['command', '--job-star', 'nowhere.star']) == 2
    assert main(['command', '--job-star', str(star('relion.class3d', **INPUT, other_args="--x 'a"))]) == 2


def test_resmap_is_refused(star) -> None:
    """RELION's default for local resolution is a program that we do not start; the file says so in silence."""
    with pytest.raises(JobStarError, match='ResMap'):
        commands_of(star('relion.localres.resmap', fn_in='half1.mrc', fn_mask='m.mrc'))


def test_answers_at_once(star) -> None:
    """A person waits for it: no table library is loaded for a small file."""
    path = star('relion.class3d', **INPUT)
    code = ('import sys; from relionsta.__main__ import main; main(["command", "--job-star", sys.argv[1]]); '
            'print([name for name in ("numpy", "pandas", "pyworkflow") if name in sys.modules])')
    started = time.monotonic()
    done = subprocess.run([sys.executable, '-c', code, str(path)], stdout=subprocess.PIPE, universal_newlines=True,
                          check=True)
    assert time.monotonic() - started < 5  # a tenth of it on an idle machine
    assert done.stdout.splitlines()[-1] == '[]'


@pytest.mark.parametrize('folder, program', [
    ('Extract/job031', 'relion_tomo_subtomo_mpi'), ('Class3D/job017', 'relion_refine_mpi'),
    ('Refine3D/job034', 'relion_refine_mpi'), ('PostProcess/job026', 'relion_postprocess'),
    ('CtfRefine/job027', 'relion_tomo_refine_ctf_mpi'), ('Polish/job030', 'relion_tomo_align_mpi'),
    ('Reconstruct/job028', 'relion_tomo_reconstruct_particle_mpi')])
def test_files_of_a_real_project(folder, program) -> None:
    """RELION's own files hold queues, blanks and options of other versions."""
    answer = commands_of(shared_data('relion5-hiv-project') / folder / 'job.star', (5, 0))
    assert [tokens[0] for tokens in answer.commands] == [program]
    assert not any('passed over' in remark for remark in answer.remarks)


@pytest.mark.parametrize('name', NAMES)
def test_defaults_and_tabs_are_those_on_record(name) -> None:
    """The record of RELION's forms, as they were when this was written."""
    job = JOBS[NAMES[name]]
    recorded = json.loads(reference('relion-5.1/job-options.json').read_text())[name]
    tabs = json.loads(reference('relion-5.1/job-tabs.json').read_text())[name]
    ours = {option.name: option for option in job.options if option.exists_in((5, 1)) and not option.extra}
    missing = {'do_fast_subsets', 'do_local_ang_searches'}  # the record of class3d's queue is that of its command
    assert set(recorded['options']) - set(ours) <= missing
    places = {option: tab for tab, options in tabs.items() for option in options}
    for option in ours.values():
        text = recorded['options'].get(option.name)
        if text is not None and not text.endswith(('.star', '.mrc')) and (name, option.name) not in CHOSEN:
            value = text == 'Yes' if isinstance(option.default, bool) else type(option.default)(text)
            assert value == option.default, option.name
        if option.name in places:
            assert option.tab == places[option.name], option.name


@pytest.mark.parametrize('name', NAMES)
def test_commands_are_those_on_record(name, star) -> None:
    """What RELION 5.1's GUI ran for these options when it was asked for the record."""
    job, recorded = JOBS[NAMES[name]], json.loads(reference('relion-5.1/job-options.json').read_text())[name]
    answer = commands_of(star(job.type, **recorded['options']), out=job.folder + '/job001/')
    control = ['--pipeline_control', job.folder + '/job001/']
    marks = shlex.split('rm -f {0} touch {0}'.format(job.folder + '/job001/RELION_JOB_EXIT_SUCCESS'))
    said = [token for tokens in answer.commands for token in tokens + control]
    assert said == [token for token in shlex.split(recorded['command']) if token not in marks]


#: Recorded with another value than the default, so that RELION made a command.
CHOSEN = {('localres', 'do_relion_locres'), ('localres', 'do_resmap_locres')}


@pytest.mark.parametrize('text', ['25', '+25', '-3', '25.0', '25.'])
def test_whole_numbers_as_typed(text) -> None:
    """A whole number may be typed as RELION's sliders write it."""
    assert TypedInt(text) == int(float(text)) and number(TypedInt(text)) == text


@pytest.mark.parametrize('text', ['1_000', ' 5', '0x1', 'inf', '1e', '', '.', '5 '])
def test_what_is_no_number(text) -> None:
    """Python reads some of these as numbers, RELION's programs do not."""
    for kind in (TypedInt, TypedFloat):
        with pytest.raises(ValueError):
            kind(text)


def test_derived_numbers_are_in_single_precision() -> None:
    """RELION's forms hold single precision, which decides the last digit (its GUI makes 0.650446 of 65.04465 %)."""
    assert derived(TypedFloat('5'), over=3) == '1.66667' and derived(0.33, times=2) == '0.66'
    assert derived(65.04465, over=100) == '0.650446' and '%g' % (65.04465 / 100) == '0.650447'
