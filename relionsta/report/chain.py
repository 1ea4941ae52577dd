"""Which runs belong together, from the graph of a project."""
from pyworkflow.object import Pointer


def runsInOrder(project):
    """The runs of this plugin and those that their data come from, each after what it takes."""
    runs = {run.getObjId(): run for run in project.getRuns(refresh=True)}
    return _upTo(runs, [number for number in sorted(runs) if runs[number].getClassName().startswith('ProtSta')])


def runsUpTo(project, protocol):
    """A run and all that its inputs come from, each after what it takes. Runs that were deleted are left out."""
    return _upTo({run.getObjId(): run for run in project.getRuns()}, [protocol.getObjId()])


def sourcesOf(protocol):
    """The runs that a run's inputs point to."""
    found = []
    for _, pointer in protocol.iterInputAttributes():
        while isinstance(pointer, Pointer) and pointer.getObjValue() is not None:
            source = pointer.getObjValue()
            if not isinstance(source, Pointer):
                found.append(source)
                break
            pointer = source
    return found


def _upTo(runs, wanted):
    """The runs of these numbers and those before them; runs: all of the project by number. Each comes after its sources,
    else by number."""
    order, placed, opened, waiting = [], set(), set(), list(reversed(wanted))
    while waiting:
        number = waiting[-1]
        if number not in opened and number in runs:
            opened.add(number)
            waiting += sorted({source.getObjId() for source in sourcesOf(runs[number])} - opened, reverse=True)
        else:
            waiting.pop()
            if number in runs and number not in placed:
                placed.add(number)
                order.append(runs[number])
    return order
