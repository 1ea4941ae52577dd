"""Random option sets of RELION's jobs, as text in a job.star."""
import random
from typing import Dict, List, NamedTuple, Tuple

from relionsta.jobs.job import Job, Values
from relionsta.jobs.job_star import JobStar, option_value
from relionsta.jobs.option import Kind, Option
from relionsta.jobs.tokens import number

Version = Tuple[int, int]
Rows = Dict[str, str]
NAMES = {
    'sym_name': ['C1', 'C6', 'D7', 'O', 'I1'], 'relax_sym': ['', 'C2', 'D2'], 'gpu_ids': ['', '0', '0:1', '0,0:1,1'],
    'other_args': ['', '--verb 1', '--maxsig 500 --external \'a b\''], 'tomo_name': ['', 'TS_01'],
    'fn_in': ['maps/half1.mrc', 'maps/run_half2_class001_unfil.mrc', 'maps/run_it012_optimiser.star'],
    'in_halfmaps': ['maps/half1.mrc', 'Reconstruct/half1/run_half2.mrc'],
    'fn_cont': ['maps/run_it003_optimiser.star', 'MultiBody/job004/run_ct7_it012_optimiser.star'],
    'fn_bodies': ['maps/bodies.star'],
}
OPTIONAL = ('fn_mask', 'fn_mtf', 'in_trajectories', 'scratch_dir', 'in_refmask', 'in_post', 'fn_cont')
#: What no job takes, or only some do: names of no use to RELION, numbers beside the point.
WILD_NAMES = ['', 'maps/nohalf.mrc', 'half1/map.mrc', 'maps/run_optimiser.star']
WILD_NUMBERS = ['0', '-1', '1', '2']


class Draw(NamedTuple):
    """Options as text; goes_on: made by RELION's "Continue"."""

    job: Job
    rows: Rows
    goes_on: bool

    def asked(self) -> JobStar:
        """What our reader makes of them."""
        values: Values = {name: option_value('draw', self.job.option(name), text) for name, text in self.rows.items()}
        if not self.goes_on and 'fn_cont' in values:
            values['fn_cont'] = ''
        return JobStar(self.job, values, self.goes_on, ())


def gui_options(job: Job, version: Version) -> List[Option]:
    """The options that RELION's GUI has."""
    return [option for option in job.options if option.exists_in(version) and not option.extra]


def text_of(option: Option, rng: random.Random) -> str:
    """A random value as text; numbers as RELION's sliders give them, odd decimals, and the default now and then."""
    if option.kind is Kind.BOOL:
        return rng.choice(('Yes', 'No'))
    if option.kind is Kind.CHOICE:
        return rng.choice(option.choices)
    if option.kind in (Kind.TEXT, Kind.PATH):
        return rng.choice(NAMES.get(option.name, ['maps/%s.star' % option.name]) + [''] * (option.name in OPTIONAL))
    low, high = (end if end is not None else other for end, other in zip(option.sensible, (-400, 400)))
    if rng.random() < 0.2:
        return number(option.default)
    if option.kind is Kind.INT:
        return str(rng.randint(int(low), int(high)))
    return '%.*f' % (rng.randint(0, 5), rng.uniform(low, high))


def legal_draw(job: Job, rng: random.Random, version: Version = (5, 1), extra: bool = False) -> Draw:
    """A random set of options without a fatal problem (those that have one are drawn again), some left out.

    extra: with options that RELION's programs have and its GUI has not.
    """
    options = [option for option in job.options if option.exists_in(version)] if extra else gui_options(job, version)
    drawn = Draw(job, {option.name: text_of(option, rng) for option in options}, rng.random() < 0.3)
    for _ in range(3000):
        if drawn.rows.get('use_direct_entries') == 'Yes':
            drawn.rows['in_optimisation'] = ''
        asked = drawn.asked()
        bad = {problem.option for problem in job.problems(asked.values, version, asked.resume) if problem.fatal}
        if not bad:
            break
        # a problem may be of two options that do not go together
        bad.add(rng.choice(options).name)
        drawn.rows.update((option.name, text_of(option, rng)) for option in options if option.name in bad)
    else:
        raise AssertionError('no legal options found for %s: %s' % (job.type, bad))
    return drawn._replace(rows=_without_some(drawn, rng))


def wild_draw(job: Job, rng: random.Random, version: Version = (5, 1)) -> Draw:
    """A random set of options of the right kinds that need not make sense."""
    rows = {}
    for option in gui_options(job, version):
        rows[option.name] = text_of(option, rng)
        if option.kind is Kind.PATH and rng.random() < 0.3:
            rows[option.name] = rng.choice(WILD_NAMES)
        elif option.kind in (Kind.INT, Kind.FLOAT) and option.name != 'nr_iter' and rng.random() < 0.2:
            rows[option.name] = rng.choice(WILD_NUMBERS)
    return Draw(job, rows, rng.random() < 0.3)


def _without_some(drawn: Draw, rng: random.Random) -> Rows:
    """The rows less some that say the default: what a file leaves out takes it."""
    values, defaults = drawn.asked().values, drawn.job.defaults()
    return {name: text for name, text in drawn.rows.items() if rng.random() < 0.5 or values[name] != defaults[name]}
