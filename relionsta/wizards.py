"""Wands beside parameters of the forms: they work a value out from the inputs and say why."""
from pyworkflow.wizard import Wizard

from .geometry import good_box_size
from .protocols import ProtStaClass3D, ProtStaExtract, ProtStaRefine3D, ProtStaSelectClasses
from .results.select_classes import number_text

#: Part of the box that the mask diameter takes: leaves the corners, where there is only noise and neighbours.
DIAMETER_OF_BOX = 0.9


class StaBoxSizeWizard(Wizard):
    """Shows what the sizes come to, and takes the next box size that transforms quickly."""

    _targets = [(ProtStaExtract, ['binned_size_pix'])]

    def show(self, form, *args):
        from pyworkflow.gui.dialog import showInfo
        protocol = form.protocol
        before = protocol.describeSizes()
        box = protocol.binned_size_pix.get()
        good = good_box_size(box) if box else box  # an empty field: only say what is missing
        if good == box:
            showInfo('Box size', before, form.root)
            return
        form.setVar('binned_size_pix', good)
        showInfo('Box size', '%s\n\nThe box is now %d pixels:\n%s' % (before, good, protocol.describeSizes()), form.root)


class StaMaskDiameterWizard(Wizard):
    """90 % of the box of the particles, in Å."""

    _targets = [(ProtStaClass3D, ['particle_diameter']), (ProtStaRefine3D, ['particle_diameter'])]

    def show(self, form, *args):
        from pyworkflow.gui.dialog import showError, showInfo
        particles = form.protocol.inputParticles.get()
        if particles is None or not particles.getBoxSize():
            showError('Mask diameter', 'Choose extracted particles first: the diameter follows from their box.', form.root)
            return
        edge = particles.getBoxSize() * particles.getSamplingRate()
        diameter = round(DIAMETER_OF_BOX * edge)
        form.setVar('particle_diameter', diameter)
        showInfo('Mask diameter', '%d Å: 90 %% of the box (%d pixels of %.4g Å = %.0f Å).'
                 % (diameter, particles.getBoxSize(), particles.getSamplingRate(), edge), form.root)


class StaClassesWizard(Wizard):
    """Lists the classes of the chosen iteration with size, share, resolution and accuracy, to mark the good ones."""

    _targets = [(ProtStaSelectClasses, ['classNumbers'])]

    def show(self, form, *args):
        from pyworkflow.gui.dialog import showError

        from .viewers.class_list import chooseClasses
        protocol = form.protocol
        if protocol.inputClasses.get() is None:
            showError('Classes', 'Choose the classes first: this list is of them.', form.root)
            return
        try:
            source = protocol.getSource()
        except ValueError as error:
            showError('Classes', str(error), form.root)
            return
        numbers = chooseClasses(form.root, 'Classes of iteration %d' % source.run.iteration,
                                protocol.getClassRows(source), protocol.getNumbers())
        if numbers:
            form.setVar('classNumbers', number_text(numbers))
