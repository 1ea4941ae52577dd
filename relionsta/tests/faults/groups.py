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
    """Cases of one kind. name: of the module; title: for people; least: cases that the whole campaign must try."""

    name: str
    promise: int
    title: str
    least: int = 1

    @property
    def run(self) -> Callable[[Ledger], None]:
        """The function that goes through the cases."""
        return importlib.import_module('%s.%s' % (__package__, self.name)).run


#: In the order of the table; the longest should not come last.
GROUPS: Tuple[Group, ...] = (
)


def group(name: str) -> Group:
    """The group of that name. Raises ValueError with the names that there are."""
    for one in GROUPS:
        if one.name == name:
            return one
    raise ValueError('There is no group %r; there are %s.' % (name, ', '.join(one.name for one in GROUPS)))
