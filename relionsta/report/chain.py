"""Which runs belong together, from the graph of a project."""
from pyworkflow.object import Pointer


def runsInOrder(project):
    """The runs of this plugin and those that their data come from, each after what it takes."""
    wanted = {}
    for run in project.getRuns(refresh=True):
        if run.getClassName().startswith('ProtSta'):
            wanted.update({one.getObjId(): one for one in runsUpTo(project, run)})
    return _sorted(wanted)


def runsUpTo(project, protocol):
    """A run and all that its inputs come from, each after what it takes."""
    runs = {run.getObjId(): run for run in project.getRuns()}
    found, waiting = {}, [protocol.getObjId()]
    while waiting:
        number = waiting.pop()
        if number in runs and number not in found:
            found[number] = runs[number]
            waiting += [source.getObjId() for source in sourcesOf(runs[number])]
    return _sorted(found)


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


def _sorted(runs):
    """Each run after those that it takes from; else by number."""
    done, order = set(), []

    def place(number):
        if number in done or number not in runs:
            return
        done.add(number)
        for source in sorted(source.getObjId() for source in sourcesOf(runs[number])):
            place(source)
        order.append(runs[number])

    for number in sorted(runs):
        place(number)
    return order
