"""Wands beside parameters of the forms: they work a value out from the inputs and say why."""
from pyworkflow.protocol.params import MultiPointerParam, PointerParam
from pyworkflow.wizard import Wizard

from .geometry import good_box_size
from .protocols import (
    ProtStaClass3D,
    ProtStaExtract,
    ProtStaMask,
    ProtStaMultiBody,
    ProtStaReconstruct,
    ProtStaRefine3D,
    ProtStaSelectClasses,
)
from .protocols.base import ProtStaBase
from .protocols.form import SETTINGS_FILE
from .protocols.job_star import loadJobStar
from .protocols.mask import volumeText
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


class StaReconstructionSizeWizard(Wizard):
    """The box and binning that empty fields stand for, as numbers, and what they come to."""

    _targets = [(ProtStaReconstruct, ['box_size'])]

    def show(self, form, *args):
        from pyworkflow.gui.dialog import showInfo
        protocol = form.protocol
        if protocol.inputParticles.get() is not None and protocol.getBinning() and protocol.getBox():
            box = protocol.getBox()  # before the binning is set, since it follows from it
            form.setVar('binning', protocol.getBinning())
            form.setVar('box_size', box)
        showInfo('Box size', protocol.describeSizes(), form.root)


class StaMaskThresholdWizard(Wizard):
    """The threshold that the map suggests, and why."""

    _targets = [(ProtStaMask, ['inimask_threshold'])]

    def show(self, form, *args):
        from pyworkflow.gui.dialog import showError, showInfo
        title = 'Initial binarisation threshold'
        if form.protocol.inputVolume.get() is None:
            showError(title, 'Choose the input map first: the threshold is found in it.', form.root)
            return
        try:
            suggestion = form.protocol.getSuggestion()
        except (ValueError, OSError) as error:  # not a map, or nothing stands out in it
            showError(title, str(error), form.root)
            return
        form.setVar('inimask_threshold', suggestion.threshold)
        showInfo(title, '%g: %s.\n\nIt encloses %s.' % (suggestion.threshold, suggestion.reason,
                                                      volumeText(suggestion.volume)), form.root)


class StaBodiesWizard(Wizard):
    """A first table of the bodies: all against the largest, with RELION's widths."""

    _targets = [(ProtStaMultiBody, ['bodyTable'])]

    def show(self, form, *args):
        from pyworkflow.gui.dialog import showError, showInfo
        protocol, title = form.protocol, 'Table of the bodies'
        if protocol.inputRun.get() is None or len(protocol.bodyMasks) < 2:
            showError(title, 'Choose the refinement and two masks at least first: the table has a line for each.', form.root)
            return
        table = protocol.describeBodies()
        form.setVar('bodyTable', table)
        showInfo(title, 'Each line: the body that this one rotates against, the width of the prior on its angles '
                        '(degrees), and on its offset (A).\n\n%s' % table, form.root)


class StaJobStarWizard(Wizard):
    """Fills the form from the job.star that is named beside it, and says what it could not take."""

    _targets = [(ProtStaBase, [SETTINGS_FILE])]

    def show(self, form, *args):
        from pyworkflow.gui.dialog import showError, showInfo
        protocol, title = form.protocol, 'Settings from a job.star'
        path = protocol.settingsFile.get()
        if not path:
            showError(title, 'Choose a job.star first, in the field beside the wand.', form.root)
            return
        try:
            loaded = loadJobStar(protocol, path)
        except ValueError as error:  # damaged, or of another job
            showError(title, str(error), form.root)
            return
        for name, param in protocol.getDefinition().iterParams():
            if name in form.widgetDict and not isinstance(param, (PointerParam, MultiPointerParam)):
                form.setVarFromParam(name)
        if hasattr(form, 'useGpuVar'):  # these two have no widget of their own, and are read together
            use, numbers = protocol.useGpu.get(), protocol.gpuList.get() or ''
            form.gpuListVar.set(numbers)
            form.useGpuVar.set(int(use))
            protocol.useGpu.set(use)
            protocol.gpuList.set(numbers)
        showInfo(title, '\n'.join(loaded.lines()), form.root)
