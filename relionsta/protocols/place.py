"""Where a project lies: Scipion starts its runs through a shell, and names on the way there must not be commands."""
import os
import re

from .gone import checkThere
from .preflight import checkFolder

#: What a shell takes for its own between double quotes, which is how Scipion names the project's folder to it.
_TAKEN = re.compile(r'["`$\\\n\r]')


class PlaceMixin:
    """Before the base class of a protocol: it is refused where Scipion cannot start it safely, or where inputs are gone."""

    def validate(self):
        """Messages on what is wrong, of the place first: nothing may be started from a wrong one. Then of inputs that are
        gone, at which nobody can look."""
        return checkPlace(self.getProject()) or checkThere(self) or super().validate() or checkFolder(self)


def checkPlace(project):
    """A message where the project's folder has a name that a shell would run or take apart."""
    path = '' if project is None else os.path.abspath(project.path)
    found = _TAKEN.search(path)
    if found is None:
        return []
    return ['The folder of the project is %r, and Scipion gives this name to a shell, which takes %r for its own (it may '
            'run a part of the name as a command). Rename the folder, or move the project.' % (path, found.group())]
