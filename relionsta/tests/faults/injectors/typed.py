"""Random legal values as a user types them into a form, odd spellings included."""
import random
import shlex
from typing import Any, Dict, List, NamedTuple

from relionsta.jobs.job import Job
from relionsta.jobs.option import Kind, Option
from relionsta.jobs.tokens import number

#: What a shell, Python, SQLite, a STAR file or Scipion could take for its own.
PIECES = (
    ' ', '  ', '\t', '\n', "'", '"', "''", '\\', '\\n', '$(touch hurt)', '$HOME', '${IFS}', '`touch hurt`', '%', '%%', '%s',
    '%d', '%(GPU)s', '%(x)s', '%(', ';', '&&', '|', '>', '<', '*', '?', '[a]', '{a,b}', '{0.__class__}', '~', '#', '!', '=',
    ':', '@', ',', '(', ')', 'é', 'Größe', 'µ', '\u00a0', '粒子', '\U0001f9ca', '-', '--', '007', '.', '..', '/', '../x',
    'None', 'NULL', 'True', "__import__('os').system('touch hurt')", 'a', 'B', 'x1')
#: What a file's name may hold that RELION can read; see names.py of the package.
_IN_PATHS = ('a', 'Z', '0', '_', '-', '.', '+', '=', '~', '!', '^', '{', '}', '[', ']', '*', '?', 'é', 'µ', '粒', '/')
GROUPS = ('C1', 'c1', 'C2', 'C10', 'D7', 'd2', 'T', 'O', 'I', 'I1', 'I2', 'i3', 'OH', 'TD', 'CI', 'CS', 'C4V', 'D3H', 'S2')
GPUS = ('', '0', '0,1', '0:1', '0,1:2,3', '0:1:2:3', '10')
TRUE, FALSE = (True, 'True', 'true', '1', ' TRUE '), (False, 'False', 'false', '0', 'no')
#: Scipion's database keeps that many digits of a number.
DIGITS = 15


class Typed(NamedTuple):
    """What was typed into a field, and what it means: text or number as Python has it. words: tokens of additional
    arguments."""

    text: Any
    value: Any
    words: List[str]


def draw(option: Option, rng: random.Random) -> Typed:
    """A random value of an option that is right for its kind; whether the job allows it beside others is not looked at."""
    if option.kind is Kind.BOOL:
        value = rng.random() < 0.5
        return Typed(rng.choice(TRUE if value else FALSE), value, [])
    if option.kind is Kind.CHOICE:
        place = rng.randrange(len(option.choices))
        return Typed(rng.choice((place, str(place))), option.choices[place], [])
    if option.kind in (Kind.INT, Kind.FLOAT):
        return _number(option, rng)
    if option.name == 'other_args':
        words = [token(rng) for _ in range(rng.randint(0, 60))]
        text = rng.choice((' ', '  ', '\t', ' \n')).join(_as_typed(word, rng) for word in words)
        return Typed(text, text, words)
    if option.name in ('sym_name', 'relax_sym'):
        text = rng.choice(GROUPS + (('',) if option.name == 'relax_sym' else ()))
    elif option.name == 'gpu_ids':
        text = rng.choice(GPUS)
    else:
        text = _path(rng)
    return Typed(text, text, [])


def token(rng: random.Random) -> str:
    """A word for additional arguments, of pieces that hurt; none that the jobs set themselves."""
    text = ''.join(rng.choice(PIECES) for _ in range(rng.randint(0, 6)))
    return '--hurt' if text in ('--o', '--i', '--p', '--t', '--ios', '--pipeline_control', '--version') else text


def _as_typed(word: str, rng: random.Random) -> str:
    """A word in one of the ways in which people quote."""
    way = rng.randrange(3)
    if way == 0:
        return '"%s"' % word.replace('\\', '\\\\').replace('"', '\\"')
    if way == 1 and word and '\n' not in word:
        return ''.join('\\' + letter for letter in word)
    return shlex.quote(word)


def _path(rng: random.Random) -> str:
    text = ''.join(rng.choice(_IN_PATHS) for _ in range(rng.randint(1, 40)))
    return 'm' + text


def _number(option: Option, rng: random.Random) -> Typed:
    ends = [hard if hard is not None else sensible for hard, sensible in zip(option.hard, option.sensible)]
    low, high = (end if end is not None else other for end, other in zip(ends, (-400, 4000)))
    if rng.random() < 0.1:
        text = number(option.default)
    elif option.kind is Kind.INT:
        text = str(rng.randint(int(low), max(int(low), int(high))))
    else:
        text = '%.*g' % (rng.randint(1, DIGITS), rng.uniform(low, high))
    spelled = _spell(text, option.kind, rng)
    return Typed(spelled, int(spelled) if option.kind is Kind.INT else float(spelled), [])


def _spell(text: str, kind: Kind, rng: random.Random) -> str:
    """The same number as people write it: 0.5 as .5, 5.0e-1, +0.50, with blanks around."""
    ways = [text, ' %s ' % text, text if text.startswith('-') else '+' + text,
            text.replace('-', '-00') if text.startswith('-') else '00' + text]
    if kind is Kind.FLOAT:
        plain = 'e' not in text
        ways += ['%.*e' % (DIGITS - 1, float(text)), ('%.*E' % (DIGITS - 1, float(text))).replace('E+0', 'E')]
        ways += [text + ('000' if '.' in text else '.')] if plain else []
        ways += [text.replace('0.', '.', 1)] if plain and text.lstrip('-').startswith('0.') else []
    return rng.choice(ways)


def draw_all(job: Job, names: List[str], rest: Dict[str, Any], rng: random.Random) -> Dict[str, Typed]:
    """A value for each of these options such that the job finds nothing fatal; rest: the values of the others.

    Raises AssertionError where none are found.
    """
    drawn = {name: draw(job.option(name), rng) for name in names}
    for _ in range(2000):
        values = dict(rest, **{name: one.value for name, one in drawn.items()})
        bad = {problem.option for problem in job.problems(values) if problem.fatal}
        if not bad:
            return drawn
        # A problem may be of two options that do not go together
        drawn.update((name, draw(job.option(name), rng)) for name in sorted(bad & set(names)) + [rng.choice(names)])
    raise AssertionError('no legal options found for %s: %s' % (job.type, ', '.join(sorted(bad))))
