"""Subset selections that a window makes of a classification, and those that were made of it before."""
from ..protocols.select_classes import ProtStaSelectClasses
from ..protocols.select_classes_form import NUMBERS
from ..results.select_classes import number_text

CLASSES = 'outputClasses'


def marksOf(project, protocol):
    """Numbers of the classes that the newest selection by number of this run's classes has kept; [] for none."""
    made = [run for run in project.getRuns() if isinstance(run, ProtStaSelectClasses)
            and run.selectBy.get() == NUMBERS and run.inputClasses.getObjValue() is not None
            and run.inputClasses.getObjValue().getObjId() == protocol.getObjId()]
    return max(made, key=lambda run: run.getObjId()).getNumbers() if made else []


def launchSelection(project, protocol, iteration, numbers):
    """Make and start the node that keeps these classes of an iteration; returns it.

    Raises ValueError with what is wrong: nothing is left behind then.
    """
    if not hasattr(protocol, CLASSES):
        raise ValueError('This run has no classes in the project yet: wait until it is finished, or make an iteration '
                         'its output.')
    made = project.newProtocol(ProtStaSelectClasses)
    made.inputClasses.set(protocol)
    made.inputClasses.setExtended(CLASSES)
    made.iteration.set(iteration)
    made.selectBy.set(NUMBERS)
    made.classNumbers.set(number_text(numbers))
    made.setObjLabel('%s: class%s %s of iteration %d' % (made.getClassLabel(), 'es' if len(numbers) > 1 else '',
                                                        number_text(numbers), iteration))
    errors = made.validate()
    if errors:
        raise ValueError(' '.join(errors))
    project.launchProtocol(made)
    return made
