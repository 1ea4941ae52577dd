"""The promises, and the groups of cases that prove them."""
import importlib
from typing import Callable, NamedTuple, Tuple

from .ledger import Ledger

#: What is promised, by number.
PROMISES = {
    1: 'What is typed is what RELION gets',
    2: 'A kill loses at most the iteration it was in',
    3: 'Only complete files of this run are registered',
    4: 'Every failure has a name, a reason and a next step',
    5: 'Nothing that is there is damaged',
    6: 'A long run leaks nothing',
}


class Group(NamedTuple):
    """Cases of one kind. name: of the module; title: for people; least: cases that the whole campaign must try; mounts:
    True where it mounts disks; long: True where it takes many minutes, and is started before the others."""

    name: str
    promise: int
    title: str
    least: int = 1
    mounts: bool = False
    long: bool = False

    @property
    def run(self) -> Callable[[Ledger], None]:
        """The function that goes through the cases."""
        return importlib.import_module('%s.%s' % (__package__, self.name)).run


#: In the order of the table.
GROUPS: Tuple[Group, ...] = (
    Group('values', 1, 'random values typed into forms', 100000),
    Group('windows', 1, "values typed into the windows of Scipion's forms"),
    Group('names', 1, 'names that hurt, by protocol', 12 * 24),
    Group('kills_iterations', 2, 'kill -9 in initial model, 3D classification, 3D auto-refine', 45, long=True),
    Group('kills_tomograms', 2, 'kill -9 in extraction, CTF refinement, polishing', 22),
    Group('stop', 2, "Scipion's Stop: nothing is left, the last iteration is output", 40, long=True),
    Group('torn', 3, 'torn files of every kind of job, by all that reads them', 500, long=True),
    Group('late', 3, 'late, stale, scrambled and foreign files', 60),
    Group('failures', 4, 'failures that are named, with what to do', 100),
    Group('preflight', 4, 'found before a run starts', 40, mounts=True),
    Group('disk_full', 5, 'full disks and limits of file size', 17, mounts=True),
    Group('together', 5, 'runs and projects at the same time', 8),
    Group('inputs', 5, 'input files unchanged, by checksum', 100),
    Group('leaks', 6, 'a simulated day of watching a run', 4),
)


def group(name: str) -> Group:
    """The group of that name. Raises ValueError with the names that there are."""
    for one in GROUPS:
        if one.name == name:
            return one
    raise ValueError('There is no group %r; there are %s.' % (name, ', '.join(one.name for one in GROUPS)))
