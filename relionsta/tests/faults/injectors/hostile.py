"""Names that hurt: a shell, Python, SQLite, RELION's STAR files or file systems take them for something else."""
from typing import NamedTuple, Tuple

#: Files that a name makes where it is run; none of them may ever be there.
CANARIES = ('hurt', 'hurt.mrc', 'hurt.star')


#: What a name is of.
SERIES, PARTICLE, FILE = 'tilt series', 'particle', 'file'
ALL = (SERIES, PARTICLE, FILE)


class Hostile(NamedTuple):
    """A name. what: is wrong with it; file: False where no file can be called so; taken: what RELION can have under this
    name, as real runs with it show: all else must be refused."""

    what: str
    text: str
    file: bool = True
    taken: Tuple[str, ...] = ()


NAMES: Tuple[Hostile, ...] = (
    Hostile('a blank', 'TS 01'),
    Hostile('a single quote', "TS'01"),
    Hostile('a double quote', 'TS"01'),
    Hostile('a command', '$(touch hurt)'),
    Hostile('a command without a blank', '$(>hurt)'),
    Hostile('a backtick', '`touch hurt`'),
    Hostile('a backtick without a blank', '`>hurt`'),
    Hostile('a per cent sign', 'TS%01'),
    Hostile('a format', '%(x)s'),
    Hostile('a semicolon', 'TS;touch hurt;'),
    Hostile('a semicolon without a blank', 'TS;>hurt;'),
    Hostile('a line break', 'TS\n01'),
    Hostile('letters of other scripts', 'Größe_粒', taken=ALL),
    Hostile('a leading dash', '-TS_01', taken=ALL),
    Hostile('a leading zero', '007', taken=ALL),
    Hostile('dots', 'TS.01.a', taken=ALL),
    Hostile('the folder above', '..', file=False),
    Hostile('255 letters', 'x' * 255, taken=(FILE,)),
    Hostile('a number sign', 'TS#01'),
    Hostile('a colon', 'TS:mrc'),
    Hostile('a label', '_rlnTomoName', taken=(FILE,)),
    Hostile('a way out', '../../../hurt', file=False),
    Hostile('another place', '/tmp/relionsta-hurt/hurt', file=False),
    Hostile('Python', "__import__('os').system('touch_hurt')"),
    Hostile('a Python format', '{0.__class__}', taken=(FILE,)),
)
#: Those of the quick selection.
QUICK = ('a blank', 'a backtick without a blank', 'letters of other scripts', 'a way out')


def file_name(text: str, ends: str) -> str:
    """A file's name with this text and end, as long as file systems take."""
    room = 255 - len(ends.encode())
    return text.encode()[:room].decode(errors='ignore') + ends
