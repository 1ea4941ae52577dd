"""Wands on sizes: boxes, binning and what they take."""
from pyworkflow.wizard import Wizard

from ..geometry import good_box_size
from ..jobs.extract import STACKS_2D
from ..objects import SetOfStaParticles
from ..protocols import ProtStaCtfRefine, ProtStaExtract, ProtStaPolish, ProtStaReconstruct
from ..protocols.extract_form import BY_DIAMETER
from ..suggest.sizes import describe_room, suggest_precrop
from .dialogs import fill, refuse, tell

NO_SERIES = 'Choose coordinates and tilt series first: sizes follow from their pixel size.'


class StaBoxSizeWizard(Wizard):
    """Shows what the sizes come to and what they take, and takes the next box size that transforms quickly."""

    _targets = [(ProtStaExtract, ['binned_size_pix'])]

    def show(self, form, *args):
        protocol = form.protocol
        before = protocol.describeSizes()
        box = protocol.binned_size_pix.get()
        good = good_box_size(box) if box else box  # an empty field: only say what is missing
        text = before
        if good != box:
            form.setVar('binned_size_pix', good)
            text = '%s\n\nThe box is now %d pixels:\n%s' % (before, good, protocol.describeSizes())
        tell(form, 'Box size', '\n\n'.join([text] + _room(protocol)))


class StaParticleSizesWizard(Wizard):
    """Binning and box that follow from the particle, and what they take."""

    _targets = [(ProtStaExtract, ['particleDiameter', 'boxBinning'])]

    def show(self, form, *args):
        protocol, title = form.protocol, 'Sizes'
        if not protocol.getTiltSeriesPixelSize():
            refuse(form, title, NO_SERIES)
            return
        if protocol.sizesBy.get() != BY_DIAMETER:
            refuse(form, title, 'Choose "diameter of the particle" in "Sizes are given as", and give the diameter, to have '
                                'binning and box worked out.')
            return
        lines, binning = [], protocol.suggestBinning()
        if binning is not None and (form.wizParamName == 'boxBinning' or protocol.boxBinning.get() is None):
            form.setVar('boxBinning', binning.value)
            lines.append('Binning %s.' % binning.text())
        box = protocol.suggestBox()
        if box is None:
            refuse(form, title, 'Give the longest extent of the particle in Å: the box follows from it.')
            return
        tell(form, title, '\n\n'.join(lines + ['Box %s.' % box.text()] + _room(protocol)))


class StaPrecropWizard(Wizard):
    """A larger box for the CTF, as wide as defocus spreads the signal."""

    _targets = [(ProtStaExtract, ['precrop_size_angst'])]

    def show(self, form, *args):
        protocol, title = form.protocol, 'Pre-cropping box size'
        pixel, binning, box = protocol.getTiltSeriesPixelSize(), protocol.getBinning(), protocol.getBox()
        defocus, voltage = _farthest(protocol)
        if not pixel or not binning or not box or defocus is None:
            refuse(form, title, 'Choose tilt series and CTFs, and give the sizes first.')
            return
        fill(form, 'precrop_size_angst', suggest_precrop(box, pixel * binning, defocus, voltage), 'Å')


class StaReconstructionSizeWizard(Wizard):
    """The box and binning that empty fields stand for, as numbers, and what they come to."""

    _targets = [(ProtStaReconstruct, ['box_size'])]

    def show(self, form, *args):
        protocol = form.protocol
        if protocol.inputParticles.get() is not None and protocol.getBinning() and protocol.getBox():
            box = protocol.getBox()  # before the binning is set, since it follows from it
            form.setVar('binning', protocol.getBinning())
            form.setVar('box_size', box)
        tell(form, 'Box size', protocol.describeSizes())


class StaEstimationBoxWizard(Wizard):
    """A box for defocus and motion that is wider than that of the reference."""

    _targets = [(ProtStaCtfRefine, ['box_size']), (ProtStaPolish, ['box_size'])]

    def show(self, form, *args):
        suggested = form.protocol.suggestBox()
        if suggested is None:
            refuse(form, 'Box size for estimation', 'Choose the reference map first: the box follows from its box.')
            return
        fill(form, 'box_size', suggested, 'pixels')


def _room(protocol):
    """A line on disk and memory, where particles and box are known."""
    source, box = protocol.inputCoordinates.get(), protocol.getBox()
    if source is None or not source.getSize() or not box:
        return []
    series = protocol.inputTiltSeries.get()
    if series is None and isinstance(source, SetOfStaParticles):
        series = source.getTiltSeries()
    first = series.getFirstItem() if series is not None else None
    stacks = protocol.getEnumText('subtomo_format') == STACKS_2D
    if first is None and stacks:
        return []
    return [describe_room(source.getSize(), float(first.getSize()) if first is not None else 0., box,
                          protocol.do_float16.get(), stacks)]


def _farthest(protocol):
    """The largest defocus (Å) of the first tilt series, and the voltage (kV); (None, None) where they are not chosen."""
    ctfs, series = protocol.inputCtfs.get(), protocol.inputTiltSeries.get()
    source = protocol.inputCoordinates.get()
    if isinstance(source, SetOfStaParticles):
        ctfs, series = ctfs or source.getCtfs(), series or source.getTiltSeries()
    if ctfs is None or series is None or not ctfs.getSize():
        return None, None
    defoci = [max(one.getDefocusU(), one.getDefocusV()) for one in ctfs.getFirstItem().iterItems()]
    return max(defoci), series.getAcquisition().getVoltage()
