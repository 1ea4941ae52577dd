"""Wands on maps: filter and threshold of a mask, sharpening."""
from pyworkflow.wizard import Wizard

from ..protocols import ProtStaMask, ProtStaPostProcess
from ..protocols.mask import volumeText
from ..suggest.start import suggest_sharpening
from ..suggest.upstream import resolution_of_map
from .dialogs import fill, refuse, tell

NO_MAP = 'Choose the input map first: %s.'


class StaMaskThresholdWizard(Wizard):
    """The threshold that the map suggests, and why."""

    _targets = [(ProtStaMask, ['inimask_threshold'])]

    def show(self, form, *args):
        title = 'Initial binarisation threshold'
        if form.protocol.inputVolume.get() is None:
            refuse(form, title, NO_MAP % 'the threshold is found in it')
            return
        try:
            suggestion = form.protocol.getSuggestion()
        except (ValueError, OSError) as error:  # not a map, or nothing stands out in it
            refuse(form, title, str(error))
            return
        form.setVar('inimask_threshold', suggestion.threshold)
        tell(form, title, '%g: %s.\n\nIt encloses %s.' % (suggestion.threshold, suggestion.reason,
                                                         volumeText(suggestion.volume)))


class StaMaskFilterWizard(Wizard):
    """A filter that leaves of the map what is known of it."""

    _targets = [(ProtStaMask, ['lowpass_filter'])]

    def show(self, form, *args):
        if form.protocol.inputVolume.get() is None:
            refuse(form, 'Lowpass filter map', NO_MAP % 'the filter follows from its resolution')
            return
        fill(form, 'lowpass_filter', form.protocol.suggestFilter(), 'Å')


class StaSharpeningWizard(Wizard):
    """Whether RELION can fit the B-factor, or which one to give."""

    _targets = [(ProtStaPostProcess, ['do_auto_bfac', 'adhoc_bfac'])]

    def show(self, form, *args):
        if form.protocol.inputVolume.get() is None:
            refuse(form, 'B-factor', NO_MAP % 'the B-factor follows from its resolution')
            return
        measured = resolution_of_map(form.protocol.inputVolume.get().getFileName())
        fit, given = suggest_sharpening(None if measured is None else measured.resolution)
        form.setVar('do_auto_bfac', fit)
        form.setVar('do_adhoc_bfac', not fit)
        if not fit:
            form.setVar('adhoc_bfac', given.value)
        tell(form, 'B-factor', '%s: %s.' % ('Estimated automatically' if fit else '%g Å²' % given.value, given.reason))
