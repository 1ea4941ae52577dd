"""Mask creation."""
import enum

from pwem.objects import VolumeMask
from pyworkflow.object import Float, String
from pyworkflow.protocol import params

from ..convert.volumes import check_map, make_volume
from ..jobs import files
from ..jobs.mask import COMBINE, MASK
from ..results.maps import read_map
from ..results.mask import kept_density, read_mask
from ..results.threshold import KDA_PER_A3, ThresholdError, low_pass, suggest_threshold
from ..suggest import Suggested
from ..suggest.start import suggest_low_pass
from ..suggest.upstream import resolution_of_map
from . import maps
from .base import ProtStaBase

#: A mask that keeps less of the density than this cuts into the particle.
KEPT = 0.97
USED_WITH = 'Map that it will be used with'
GIVEN = 'given in the form'


class MaskOutputs(enum.Enum):
    """What mask creation makes."""

    solventMask = VolumeMask


class ProtStaMask(ProtStaBase):
    """ Make a soft solvent mask from a map: low-pass filter, binarise, extend, soften the edge.

    Leave the threshold empty to have it found in the map: the lowest level, from a quarter of the way between solvent and
    particle on, that shows no dust; the reason is in the summary, and the wand beside it shows both before the run. A
    mask that cuts into the particle costs resolution, a wide one costs little. The mask has the box and pixel size of the
    map, so make it from a map of the job that it will serve, and name that map to have the mask checked against it.
    Masks can also be combined, inverted, or made as a sphere or shell.
    """

    _label = 'Mask creation'
    _possibleOutputs = MaskOutputs
    _job = MASK
    _filledIn = ('fn_in', 'fn_other', 'do_denovo')
    _emptyMeans = {'inimask_threshold': 'suggested from the map', 'denovo_box_size': 'that of the map it is for',
                   'lowpass_filter': 'from the resolution of the map'}
    _defaultThreads = 2

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.usedThreshold = Float()
        self.thresholdReason = String()
        self._suggested = {}

    def _defineParams(self, form):
        super()._defineParams(form)
        form.getSection(COMBINE).addParam(
            'otherVolume', params.PointerParam, pointerClass='Volume', allowsNull=True,
            condition='do_combine and not do_denovo', label='The other map or mask',
            help='It must have the box and pixel size of the input map.')

    def _defineInputParams(self, form):
        sphere = self._job.option('do_denovo')  # first: conditions can only look back
        form.addParam(sphere.name, params.BooleanParam, default=sphere.default, label=sphere.label, help=sphere.help)
        form.addParam('inputVolume', params.PointerParam, pointerClass='Volume', important=True, label='Input map',
                      condition='not do_denovo',
                      help='The map to make the mask from, for example the average of a 3D classification.')
        form.addParam('usedWith', params.PointerParam, pointerClass='Volume', allowsNull=True,
                      label=USED_WITH + ' (optional)',
                      help='For example the map whose resolution will be measured. The mask must have its box and pixel '
                           'size, and the summary tells whether it cuts into its density. A sphere takes its box and '
                           'pixel size from this map.')

    # ------------------------------------------------------------------ input
    def _inputValues(self):
        usedWith, sphere = self.usedWith.get(), self.do_denovo.get()
        values = {'do_denovo': sphere, 'fn_in': '', 'fn_other': ''}
        if sphere:
            if self.denovo_box_size.get() is None and usedWith is not None:
                values['denovo_box_size'] = maps.boxSize(usedWith)
            values['angpix'] = self._getPixel() or -1.0
            return values
        values['fn_in'] = maps.relionMap(self.inputVolume.get())
        if self.do_combine.get():
            values['fn_other'] = maps.relionMap(self.otherVolume.get())
        values.update(inimask_threshold=self.getThreshold(), lowpass_filter=self.getFilter())
        return values

    def _getPixel(self):
        """Å per pixel of the mask; None for a sphere of which nothing tells it."""
        source = self.usedWith.get() if self.do_denovo.get() else self.inputVolume.get()
        if self.angpix.get() > 0 or source is None:
            return self.angpix.get() if self.angpix.get() > 0 else None
        return source.getSamplingRate()

    def suggestFilter(self):
        """The low-pass filter that suits the input map, with the reason: RELION's own, or more where the map is worse."""
        usual = self._job.option('lowpass_filter').default
        volume = self.inputVolume.get()
        measured = resolution_of_map(volume.getFileName()) if volume is not None else None
        if measured is None:
            return Suggested(usual, "RELION's own, since the resolution of the map is not known")
        suggested = suggest_low_pass(measured.resolution, source=measured.source)
        return suggested if suggested.value > usual else Suggested(
            usual, "RELION's own, enough for a map of %.3g Å" % measured.resolution)

    def getFilter(self):
        """The low-pass filter (Å; 0: none) of the form, else the one that suits the map."""
        given = self.lowpass_filter.get()
        return self.suggestFilter().value if given is None else given

    def getThreshold(self):
        """The threshold of the form, else the suggested one; RELION's default where none can be suggested, which
        validation refuses."""
        given, default = self.inimask_threshold.get(), self._job.option('inimask_threshold').default
        if given is not None or self.inputVolume.get() is None:
            return default if given is None else given
        try:
            return self.getSuggestion().threshold
        except ThresholdError:
            return default

    def getSuggestion(self):
        """The threshold that the input map itself suggests, at the filter of the form. Raises ThresholdError."""
        asked = (maps.mapFile(self.inputVolume.get()), self._getPixel(), self.getFilter())
        if asked not in self._suggested:
            try:
                found = suggest_threshold(read_map(asked[0]), *asked[1:])
            except ThresholdError as error:
                found = error
            self._suggested = {asked: found}  # asked for several times before a run
        if isinstance(self._suggested[asked], ThresholdError):
            raise self._suggested[asked]
        return self._suggested[asked]

    def _writeInputs(self):
        """Nothing to write; what the threshold is, and why, is kept and told."""
        if self.do_denovo.get():
            return
        reason = GIVEN
        if self.inimask_threshold.get() is None:
            suggestion = self.getSuggestion()
            reason = '%s; it encloses %s' % (suggestion.reason, volumeText(suggestion.volume))
        self.usedThreshold.set(self.getThreshold())
        self.thresholdReason.set(reason)
        self._store(self.usedThreshold, self.thresholdReason)
        self.info('Threshold %g: %s.' % (self.usedThreshold.get(), reason))

    # ----------------------------------------------------------------- checks
    def _validateInputs(self):
        volume, usedWith = self.inputVolume.get(), self.usedWith.get()
        errors = [] if usedWith is None else maps.checkMap(USED_WITH, usedWith)
        if self.do_denovo.get():
            return errors or self._checkSphere()
        box, pixel = (None, None) if usedWith is None or errors else (maps.boxSize(usedWith), usedWith.getSamplingRate())
        errors += maps.checkMap('Input map', volume) or maps.checkCalibration('Pixel size (A)', self.angpix.get(), volume)
        if errors:
            return errors
        if box is not None:
            errors = maps.checkFits('Input map', maps.boxSize(volume), self._getPixel(), box, pixel,
                                    'the map that the mask will be used with')
        if self.do_combine.get():
            errors += self._checkOther(volume)
        return errors or self._checkThreshold(volume)

    def _checkSphere(self):
        if self.usedWith.get() is not None:
            return []
        return ['*%s*: empty. Give %s, or choose the map that the mask is for.' % (label, label[0].lower() + label[1:])
                for label, known in (('Box size (pix)', self.denovo_box_size.get() is not None),
                                     ('Pixel size (A)', self._getPixel() is not None)) if not known]

    def _checkOther(self, volume):
        other = self.otherVolume.get()
        if other is None:
            return ['*The other map or mask*: empty. Choose the map or mask to combine with.']
        return maps.checkMap('The other map or mask', other, maps.boxSize(volume), volume.getSamplingRate(),
                             'the input map')

    def _checkThreshold(self, volume):
        label, threshold = 'Initial binarisation threshold', self.inimask_threshold.get()
        if threshold is None:
            try:
                threshold = self.getSuggestion().threshold
            except ThresholdError as error:
                return ['*%s*: none can be suggested: %s' % (label, error)]
        values = low_pass(read_map(maps.mapFile(volume)), self._getPixel(), self.getFilter())
        errors = [] if values.min() < threshold < values.max() else [_outside(
            label, threshold, 'the filtered map' if self.getFilter() > 0 else 'the map', values)]
        if self.do_combine.get():
            other = read_map(maps.mapFile(self.otherVolume.get()))
            if not other.min() <= threshold < other.max():
                errors.append(_outside(label, threshold, 'the other map', other)
                              + ' To combine maps of different grey scales, make a mask of each first.')
        return errors

    # ---------------------------------------------------------------- output
    def _getResultPaths(self):
        return [self._getJobPath(files.MASK_FILES['mask'])]

    def _askedBox(self):
        """Edge of the mask in voxels, as asked for."""
        return self.getValues()['denovo_box_size'] if self.do_denovo.get() else maps.boxSize(self.inputVolume.get())

    def _makeOutputs(self):
        sphere = self.do_denovo.get()
        mask = make_volume(self._getJobPath(files.MASK_FILES['mask']), self._getPixel(), box=self._askedBox(),
                           kind=VolumeMask)
        facts = read_mask(mask.getFileName())
        if facts.empty:
            raise ValueError('The mask is empty. %s' % (
                'Choose a larger outer radius or a centre inside of the box.' if sphere else
                'No voxel is above the threshold (%g) as asked for: lower it, or combine other maps.'
                % self.usedThreshold.get()))
        if not facts.in_range:
            raise ValueError('The values of the mask go from %.3g to %.3g, and those of a mask from 0 to 1. Look at the '
                             'additional arguments.' % (facts.minimum, facts.maximum))
        self._defineOutputs(**{MaskOutputs.solventMask.name: mask})
        for pointer in (self.inputVolume, self.otherVolume, self.usedWith):
            if pointer.get() is not None:
                self._defineSourceRelation(pointer, mask)
        for text in self._findings(mask, facts):
            self.warning(text)

    def _findings(self, mask, facts):
        """What may be wrong with the mask, in sentences."""
        found = []
        if facts.touches_edge and not self.do_invert.get() and not (self.do_helix.get() and not self.do_denovo.get()):
            found.append('The mask reaches the edge of the box: it may be cut, or hold a neighbour. A larger box or a '
                         'higher threshold keeps it inside.')
        usedWith = self.usedWith.get()
        if usedWith is None or self.do_invert.get() or self.do_denovo.get() or self.do_combine.get():
            return found  # these are meant to cut
        try:
            kept = kept_density(read_map(mask.getFileName()), read_map(maps.mapFile(usedWith)),
                                usedWith.getSamplingRate(), self.getFilter())
        except ThresholdError:
            return found  # nothing is known of that map's particle
        if kept < KEPT:
            found.append('The mask keeps only %.0f %% of the density of the map that it will be used with: lower the '
                         'threshold, or extend the mask.' % (100 * kept))
        return found

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        mask = self.solventMask
        check_map(mask.getFileName(), None, None)
        facts, box, rate = read_mask(mask.getFileName()), maps.boxSize(mask), mask.getSamplingRate()
        return ['Box %d pixels of %.4g Å (%.0f Å); the mask encloses %.1f %% of it, %s.' % (
                    box, rate, box * rate, 100 * facts.fraction, volumeText(facts.fraction * (box * rate) ** 3)),
                self._howMade() + '.',
                '%soft edge of %d pixels (%.3g Å)%s.' % (
                    'S' if self.do_denovo.get() else 'Extended by %d pixels, s' % self.extend_inimask.get(),
                    self.width_mask_edge.get(), self.width_mask_edge.get() * rate,
                    '; inverted' if self.do_invert.get() else '')] + self._findings(mask, facts)

    def _howMade(self):
        if self.do_denovo.get():
            inner = self.inner_radius.get()
            return '%s of %s%g pixels radius' % ('Shell' if inner > 0 else 'Sphere',
                                                 '%g to ' % inner if inner > 0 else '', self.outer_radius.get())
        combined = ('; combined with another map (%s)' % self.getEnumText('combine_how')
                    if self.do_combine.get() else '')
        return 'Threshold %g, %s (%s)%s' % (self._usedThreshold(), self._filter(), self.thresholdReason.get(GIVEN), combined)

    def _usedThreshold(self):
        """The threshold of the run; runs of the first version know that of their form only."""
        return self.usedThreshold.get(self.inimask_threshold.get())

    def _filter(self):
        resolution = self.getFilter()
        return 'map low-pass filtered to %g Å' % resolution if resolution > 0 else 'map not filtered'

    def _methodsLines(self):
        edge = 'a soft edge of %d pixels' % self.width_mask_edge.get()
        if self.do_denovo.get():
            return ['A mask was made in RELION (%s, with %s).' % (self._howMade().lower(), edge)]
        return ['A mask was made in RELION (%s, binarised at %g, extended by %d pixels, with %s).'
                % (self._filter(), self._usedThreshold(), self.extend_inimask.get(), edge)]


def volumeText(volume):
    """A volume in Å³ as people think of it."""
    return '%.3g nm³ (%.3g kDa of protein would fill it)' % (volume / 1000, volume * KDA_PER_A3)


def _outside(label, threshold, what, values):
    return ('*%s*: %g, and the values of %s go from %.3g to %.3g, so the mask would be %s. Choose a value between.'
            % (label, threshold, what, values.min(), values.max(),
               'empty' if threshold >= values.max() else 'the whole box'))
