"""Inputs that are gone: the folder of the run that made them was deleted, or its disk is not there."""
import os

from pyworkflow.object import Set
from pyworkflow.protocol import Protocol


def checkThere(protocol):
    """A message for each input whose file of items is not there, or empty.

    Scipion itself opens that file as soon as it is asked for the input, and fails with the words of SQLite.
    """
    return ['*%s*: the list of its items, %s, is not there: the folder of the run that made it was deleted, or its disk is '
            'not connected. Run that protocol again, or choose another input.' % one for one in _gone(protocol)]


def _gone(protocol):
    """(label, path) of the inputs; those of a run that is an input count as well, since they go on from there."""
    for name, pointer in protocol.iterInputAttributes():
        param, (value, ofItem) = protocol.getParam(name), _pointed(pointer)
        if param is None or not (ofItem or protocol.evalParamCondition(name)):
            continue  # nobody asks for what the form does not show, but Scipion for items
        label = param.getLabel()
        if isinstance(value, Protocol):
            yield from ((label, path) for _, path in _gone(value))
        elif isinstance(value, Set) and value.getSize() and value.getFileName() and not _hasContents(value.getFileName()):
            yield label, value.getFileName()


def _pointed(pointer):
    """What a pointer leads to, without opening a set; and whether it leads on to an item of it."""
    value = pointer.getObjValue()
    for part in pointer.getExtendedParts():
        if isinstance(value, Set):
            return value, True
        value = getattr(value, part, None)
    return value, False


def _hasContents(path):
    """False for an empty file too: SQLite makes one where it is asked to open what is not there."""
    return os.path.exists(path) and os.path.getsize(path) > 0
