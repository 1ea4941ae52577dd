"""Commands of jobs/ against those that RELION's own GUI makes for the same options, token for token."""
import os
import random
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

import mrcfile
import numpy as np
import pytest

from relionsta.jobs import files
from relionsta.jobs.job import Job, Values
from relionsta.jobs.mask import MASK
from relionsta.jobs.option import Kind, Option, Value
from relionsta.jobs.postprocess import POSTPROCESS
from relionsta.jobs.registry import JOBS
from relionsta.jobs.shell import run_script
from relionsta.jobs.tokens import number
from relionsta.tests.find import relion_home

DRAWS = 40
SEED = 51
VERSION = (5, 1)
#: Where we differ from RELION's GUI on purpose: (job type, GUI's token) -> (our token, reason). None for these jobs.
EXCEPTIONS: Dict[Tuple[str, str], Tuple[str, str]] = {
    ('relion.ctfrefinetomo', '--per_tomo_scale'): (
        '--per_tomogram_scale', 'the program knows no --per_tomo_scale, warns, and fits one beam for all tomograms'),
}

PIPELINE = 'data_pipeline_general\n\n_rlnPipeLineJobCounter 1\n'
#: Ends before the command is run: RELION fills the command in, we only read it.
TEMPLATE = '#!/bin/sh\ntouch XXXnameXXXRELION_JOB_EXIT_SUCCESS\nexit 0\nXXXcommandXXX\n'
TEXTS = {
    'sym_name': ['C1', 'C6', 'D7', 'O', 'I1'], 'relax_sym': ['', 'C2', 'D2'], 'gpu_ids': ['', '0', '0:1', '0,0:1,1'],
    'other_args': ['', '--verb 1', '--maxsig 500 --external \'a b\''],
    'fn_in': ['maps/half1.mrc', 'maps/run_half2_class001_unfil.mrc'],
    'in_halfmaps': ['maps/half1.mrc', 'maps/run_half2_class001_unfil.mrc'], 'tomo_name': ['', 'TS_01'],
    'fn_cont': ['', '', '', 'maps/run_it003_optimiser.star'],
}
#: Jobs that go on, tomogram by tomogram, with what an unfinished run left.
RESUMED = ('relion.pseudosubtomo', 'relion.reconstructparticletomo', 'relion.ctfrefinetomo', 'relion.framealigntomo',
           'relion.reconstructtomograms')
OPTIONAL = ('in_refmask', 'in_post', 'tomo_name', 'fn_mask', 'fn_mtf', 'in_trajectories', 'scratch_dir')


class Draw(NamedTuple):
    """One random set of options; resume: RELION's "continue" button."""

    job: Job
    values: Values
    resume: bool


def draw_value(option: Option, rng: random.Random) -> Value:
    """A random value; ranges as RELION's sliders, odd decimals and the default among them."""
    if option.kind is Kind.BOOL:
        return rng.random() < 0.5
    if option.kind is Kind.CHOICE:
        return rng.choice(option.choices)
    if option.kind in (Kind.TEXT, Kind.PATH):
        names = TEXTS.get(option.name) or ['maps/%s.star' % option.name] + [''] * (option.name in OPTIONAL)
        return rng.choice(names)
    low, high = (end if end is not None else other for end, other in zip(option.sensible, (-400, 400)))
    if rng.random() < 0.2:
        return option.default
    if option.kind is Kind.INT:
        return rng.randint(int(low), int(high))
    return round(rng.uniform(low, high), rng.randint(0, 5))


def draw(job: Job, rng: random.Random, version: Tuple[int, int] = VERSION) -> Draw:
    """A random set of options that has no fatal problem: those that have one are drawn again."""
    options = [option for option in job.options if option.exists_in(version) and not option.extra]
    values: Dict[str, Any] = {option.name: draw_value(option, rng) for option in options}
    for _ in range(2000):
        if values.get('use_direct_entries'):
            values['in_optimisation'] = ''
        bad = {problem.option for problem in job.problems(values, version) if problem.fatal}
        if not bad:
            break
        # a problem may be of two options that do not go together
        bad.add(rng.choice(options).name)
        values.update((option.name, draw_value(option, rng)) for option in options if option.name in bad)
    else:
        raise AssertionError('no legal options found for %s: %s' % (job.type, job.problems(values, version)))
    has_resume = job.type in RESUMED
    return Draw(job, values, has_resume and rng.random() < 0.3)


def job_star(drawn: Draw, script: str) -> str:
    """RELION's job.star of these options, to be sent to a queue whose command is harmless."""
    rows = {'do_queue': 'Yes', 'qsub': 'sh', 'qsubscript': script}
    for name, value in drawn.values.items():
        rows[name] = ('Yes' if value else 'No') if isinstance(value, bool) else (
            value if isinstance(value, str) else number(value))
    head = 'data_job\n\n_rlnJobTypeLabel %s\n_rlnJobIsContinue 0\n_rlnJobIsTomo 1\n\n' % drawn.job.type
    table = 'data_joboptions_values\n\nloop_\n_rlnJobOptionVariable #1\n_rlnJobOptionValue #2\n'
    return head + table + ''.join('%s %s\n' % (name, quoted(text)) for name, text in rows.items()) + '\n'


def goes_on(drawn: Draw) -> bool:
    """True where RELION's GUI would be told to continue a job."""
    return drawn.resume or bool(drawn.values.get('fn_cont'))


def quoted(text: str) -> str:
    """A value of a STAR loop."""
    return '"%s"' % text if ' ' in text or not text else text


def gui_commands(draws: List[Draw], folder: Path) -> List[Tuple[str, List[List[str]]]]:
    """(job folder, commands) of RELION's own pipeliner for each set of options."""
    program = str(relion_home() / 'bin' / 'relion_pipeliner')
    (folder / 'default_pipeline.star').write_text(PIPELINE)
    (folder / 'template.sh').write_text(TEMPLATE)
    (folder / 'maps').mkdir()
    environ = {name: value for name, value in os.environ.items() if not name.startswith('RELION_')}
    outs = []
    for place, drawn in enumerate(draws, start=1):
        for value in drawn.values.values():
            if isinstance(value, str) and value.startswith('maps/'):
                (folder / value).touch()
        star = folder / ('job%03d.star' % place)
        star.write_text(job_star(drawn, 'template.sh'))
        subprocess.run([program, '--addJobFromStar', star.name], cwd=str(folder), env=environ, check=True, timeout=30,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        out = '%s/job%03d/' % (drawn.job.folder, place)
        if goes_on(drawn):  # RELION clears this mark when it takes a job in
            added = folder / out / 'job.star'
            added.write_text(re.sub(r'(_rlnJobIsContinue\s+)0', r'\g<1>1', added.read_text()))
        outs.append(out)
    done = subprocess.run([program, '--RunJobs', ' '.join(outs), '--sec_wait_after', '0'], cwd=str(folder), env=environ,
                          timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    result = []
    for out in outs:
        script = folder / out / 'run_submit.script'
        assert script.exists(), 'RELION refused the options of %s: %s' % (out, done.stdout[-2000:])
        lines = script.read_text().split('exit 0\n', 1)[1].splitlines()
        result.append((out, [parse(line, out) for line in lines if line.strip()]))
    return result


def parse(line: str, out: str) -> List[str]:
    """Tokens of a command line of RELION's GUI, without what the runner adds."""
    tokens = shlex.split(re.sub(r'`which (\S+)`', r'\1', line))
    assert tokens[-2:] == ['--pipeline_control', out], line
    return tokens[:-2]


def with_exceptions(job: Job, commands: List[List[str]]) -> List[List[str]]:
    return [[EXCEPTIONS.get((job.type, token), (token,))[0] for token in tokens] for tokens in commands]


@pytest.mark.parametrize('job', JOBS.values(), ids=lambda job: job.type)
def test_commands_equal_those_of_relions_gui(job: Job, tmp_path: Path) -> None:
    """A flag that is missing, misspelt, rounded or out of place silently changes what RELION computes."""
    rng = random.Random('%d %s' % (SEED, job.type))
    draws = [Draw(job, {**job.defaults(), **required(job)}, False)] + [draw(job, rng) for _ in range(DRAWS)]
    wrong = []
    for drawn, (out, expected) in zip(draws, gui_commands(draws, tmp_path)):
        ours = job.commands(drawn.values, out, VERSION, resume=drawn.resume)
        if ours != with_exceptions(job, expected):
            wrong.append('RELION: %s\nours:   %s' % (expected, ours))
    assert not wrong, '%d of %d differ; the first:\n%s' % (len(wrong), len(draws), wrong[0])


def required(job: Job) -> Values:
    """What has no default but must be given; the other options of a job version that the GUI has are left out."""
    names = {option.name for option in job.options if option.exists_in(VERSION)}
    given: Values = {'in_optimisation': 'maps/o.star', 'fn_ref': 'maps/ref.mrc', 'fn_in': 'maps/half1.mrc',
                     'in_halfmaps': 'maps/half1.mrc', 'in_tiltseries': 'maps/t.star'}
    if job.type == 'relion.postprocess':
        given['fn_mask'] = 'maps/mask.mrc'
    return {name: value for name, value in given.items() if name in names}


@pytest.mark.parametrize('version', [(5, 0), (5, 1)])
def test_every_flag_is_one_of_the_programs_own(version: Tuple[int, int]) -> None:
    """RELION warns about an unknown option and goes on without it; 5.1 still takes all flags of 5.0."""
    rng = random.Random(SEED)
    flags: Dict[str, set] = {}
    for job in JOBS.values():
        for _ in range(60):
            drawn = draw(job, rng, version)
            for tokens in job.commands({**drawn.values, 'other_args': ''}, 'X/job001/', version, resume=drawn.resume):
                program = re.sub('_mpi$', '', tokens[0])
                flags.setdefault(program, set()).update(token for token in tokens if token.startswith('--'))
    assert len(flags) == 6
    for program, used in flags.items():
        text = said(program, '--help')
        known = set(re.findall(r'^\s*(--\w+)', text, re.MULTILINE))
        assert len(known) > 5, text
        if program == 'relion_refine':  # its help leaves this one out
            assert 'File nowhere.star cannot be read' in said(program, '--continue', 'nowhere.star')
            known.add('--continue')
        assert used <= known, '%s does not know %s' % (program, sorted(used - known))


def said(program: str, *arguments: str) -> str:
    """Everything that a program of RELION prints."""
    return subprocess.run([str(relion_home() / 'bin' / program), *arguments], stdout=subprocess.PIPE, timeout=60,
                          stderr=subprocess.STDOUT, universal_newlines=True).stdout


def test_mask_and_postprocess_write_the_files_of_the_table(tmp_path: Path) -> None:
    """A name that RELION does not use makes a finished job look as if it had failed. Runs run.sh, as people would."""
    z, y, x = np.mgrid[:32, :32, :32] - 16.0
    noise = np.random.default_rng(1).normal(scale=0.02, size=(2, 32, 32, 32))
    for place, half in enumerate(np.exp(-(x ** 2 + y ** 2 / 2 + z ** 2) / 30) + noise, start=1):
        with mrcfile.new(str(tmp_path / ('half%d.mrc' % place))) as mrc:
            mrc.set_data(half.astype(np.float32))
            mrc.voxel_size = 4
    for out in ('MaskCreate/job001/', 'PostProcess/job002/'):
        (tmp_path / out).mkdir(parents=True)
    commands = MASK.commands({'fn_in': 'half1.mrc', 'inimask_threshold': 0.1}, 'MaskCreate/job001/')
    commands += POSTPROCESS.commands({'fn_in': 'half1.mrc', 'fn_mask': 'MaskCreate/job001/mask.mrc',
                                      'do_auto_bfac': False, 'do_adhoc_bfac': True, 'adhoc_bfac': -100.0},
                                     'PostProcess/job002/')
    (tmp_path / 'run.sh').write_text(run_script(commands, relion_home=str(relion_home())))
    done = subprocess.run(['sh', 'run.sh'], cwd=str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=120, universal_newlines=True)
    assert done.returncode == 0, done.stdout
    for out, names in (('MaskCreate/job001', files.MASK_FILES), ('PostProcess/job002', files.POSTPROCESS_FILES)):
        assert {entry.name for entry in (tmp_path / out).iterdir()} >= set(names.values())
