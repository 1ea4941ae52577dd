"""Wands that list what an input has, to choose from: classes, columns, bodies."""
from pyworkflow.wizard import Wizard

from ..convert.values import particle_table
from ..protocols import ProtStaMultiBody, ProtStaSelectClasses, ProtStaSelectParticles
from ..results.select_classes import number_text
from .dialogs import refuse, tell


class StaClassesWizard(Wizard):
    """Lists the classes of the chosen iteration with size, share, resolution and accuracy, to mark the good ones."""

    _targets = [(ProtStaSelectClasses, ['classNumbers'])]

    def show(self, form, *args):
        from ..viewers.class_list import chooseClasses
        protocol = form.protocol
        if protocol.inputClasses.get() is None:
            refuse(form, 'Classes', 'Choose the classes first: this list is of them.')
            return
        try:
            source = protocol.getSource()
        except ValueError as error:
            refuse(form, 'Classes', str(error))
            return
        numbers = chooseClasses(form.root, 'Classes of iteration %d' % source.run.iteration,
                                protocol.getClassRows(source), protocol.getNumbers())
        if numbers:
            form.setVar('classNumbers', number_text(numbers))


class StaColumnsWizard(Wizard):
    """Lists the columns of the particles that hold numbers, with their range, to choose one."""

    _targets = [(ProtStaSelectParticles, ['column', 'bestColumn'])]

    def show(self, form, *args):
        from ..viewers.column_list import chooseColumn
        protocol, name, title = form.protocol, form.wizParamName, 'Columns of the particles'
        if protocol.inputParticles.get() is None:
            refuse(form, title, 'Choose the particles first: this list is of their columns.')
            return
        try:
            table = particle_table(protocol.inputParticles.get())
        except ValueError as error:  # files that are gone or damaged
            refuse(form, title, str(error))
            return
        chosen = chooseColumn(form.root, title, table, getattr(protocol, name).get(''))
        if chosen:
            form.setVar(name, chosen)


class StaBodiesWizard(Wizard):
    """A first table of the bodies: all against the largest, with RELION's widths."""

    _targets = [(ProtStaMultiBody, ['bodyTable'])]

    def show(self, form, *args):
        protocol, title = form.protocol, 'Table of the bodies'
        if protocol.inputRun.get() is None or len(protocol.bodyMasks) < 2:
            refuse(form, title, 'Choose the refinement and two masks at least first: the table has a line for each.')
            return
        table = protocol.describeBodies()
        form.setVar('bodyTable', table)
        tell(form, title, 'Each line: the body that this one rotates against, the width of the prior on its angles '
                          '(degrees), and on its offset (A).\n\n%s' % table)
