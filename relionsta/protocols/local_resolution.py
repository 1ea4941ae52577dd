"""Local resolution."""
from pwem.objects import Volume
from pyworkflow.protocol import params

from ..convert.volumes import make_volume
from ..jobs import files
from ..jobs.local_resolution import LOCAL_RESOLUTION, MEASURING
from ..results.local_resolution import read_local_resolution
from ..star import StarError
from . import maps
from .base import ProtStaBase

RESOLUTION, FILTERED = 'resolutionVolume', 'filteredVolume'
#: What RELION measures with by itself (Å), and how these follow the resolution of a map that is worse than they were
#: made for: a sphere as wide as the resolution, phases randomised and values kept well below it.
OWN = {'locres_sampling': 25.0, 'locres_randomize_at': 25.0, 'locres_minres': 50.0}
OF_RESOLUTION = {'locres_sampling': 1.0, 'locres_randomize_at': 1.5, 'locres_minres': 3.0}
RESMAP = ('do_resmap_locres', 'fn_resmap', 'pval', 'minres', 'maxres', 'stepres')


class ProtStaLocalResolution(ProtStaBase):
    """ Measure how well each part of a map is resolved, and filter the map accordingly.

    A small soft sphere is moved over the two half maps; the FSC inside of it is the resolution of that place. Look at
    the map of local resolution as colours on the locally filtered map. Give the post-processing of the same half maps:
    its B-factor sharpens the filtered map, and its resolution sets how local resolutions beyond 25 Å are measured,
    for which RELION's own settings are not made. The mask is for the histogram and the numbers in the summary only.
    """

    _label = 'Local resolution'
    _possibleOutputs = {RESOLUTION: Volume, FILTERED: Volume}
    _job = LOCAL_RESOLUTION
    _filledIn = ('fn_in', 'fn_mask', 'angpix', 'do_relion_locres') + RESMAP
    _extraConditions = {'adhoc_bfac': 'inputPostprocess is None'}

    def _defineInputParams(self, form):
        form.addParam('inputVolume', params.PointerParam, pointerClass='Volume', important=True,
                      label='Map with half maps',
                      help='The map of a 3D auto-refine or of a Reconstruct particle, or a post-processed one; its '
                           'unfiltered half maps are used.')
        form.addParam('solventMask', params.PointerParam, pointerClass='VolumeMask', allowsNull=True,
                      label='Mask (optional)',
                      help='A mask with the same box and pixel size: median, range and histogram are those of the '
                           'voxels inside of it. The measurement itself does not depend on it.')
        form.addParam('inputPostprocess', params.PointerParam, pointerClass='ProtStaPostProcess', allowsNull=True,
                      label='Post-processing (optional)',
                      help='The post-processing run of the same half maps, for its B-factor and resolution. Empty: give '
                           'a B-factor; a map worse than 15 Å needs other settings as well (expert level).')

    # ------------------------------------------------------------------ input
    def _inputValues(self):
        volume, result = self.inputVolume.get(), self.getPostprocess()
        values = {'fn_in': maps.firstHalf(volume, self._getInputPath()),
                  'fn_mask': maps.relionMap(self.solventMask.get()), 'angpix': volume.getSamplingRate(),
                  'do_relion_locres': True, 'do_resmap_locres': False}
        if result is not None:
            values['adhoc_bfac'] = result.b_factor or 0.0
        return dict(values, **self.getMeasuring(result))

    def getPostprocess(self):
        """What the post-processing measured, or None. Raises StarError where its result is gone."""
        run = self.inputPostprocess.get()
        return None if run is None else run.getResult()

    def getMeasuring(self, result):
        """The settings of the measurement in Å, by option; -1 where RELION's own is right."""
        values = {}
        for name in MEASURING:
            value = getattr(self, name).get()
            if value <= 0 and result is not None:
                fitting = round(OF_RESOLUTION[name] * result.resolution, 1)
                value = fitting if fitting > OWN[name] else -1.0
            values[name] = value
        return values

    def _writeInputs(self):
        maps.linkHalves(self.inputVolume.get(), self._getInputPath())

    def _validateInputs(self):
        volume, mask = self.inputVolume.get(), self.solventMask.get()
        errors = maps.checkMap('Map with half maps', volume) or maps.checkHalfMaps('Map with half maps', volume)
        if not errors and mask is not None:
            errors = maps.checkMask('Mask (optional)', mask, maps.boxSize(volume), volume.getSamplingRate(),
                                    whose='the half maps')
        if self.fn_mtf.get():
            errors += maps.checkFile('MTF of the detector (STAR file)', self.fn_mtf.get())
        return errors or self._checkPostprocess(volume)

    def _checkPostprocess(self, volume):
        """B-factor and resolution must be those of these half maps."""
        label = 'Post-processing (optional)'
        try:
            result = self.getPostprocess()
        except StarError as error:
            return ['*%s*: %s. Run it first, or leave it out.' % (label, str(error).rstrip('.'))]
        pixel = volume.getSamplingRate()
        if result is not None and not maps.samePixel(result.nyquist / 2, pixel):
            return ['*%s*: it is of maps with %.4g Å/pixel, and this map has %.4g. Choose the post-processing of the same '
                    'half maps.' % (label, result.nyquist / 2, pixel)]
        return []

    def _inputWarnings(self):
        pixel = self.inputVolume.get().getSamplingRate()
        named = all(getattr(self, name).get() > 0 for name in MEASURING)
        if self.inputPostprocess.get() is not None or named or 2 * pixel < OWN['locres_randomize_at'] / 2:
            return []
        return ["RELION's own settings are made for maps better than about 15 Å, and this one has %.4g Å/pixel. Give its "
                'post-processing run, or the settings themselves (expert level, tab Relion).' % pixel]

    # ---------------------------------------------------------------- output
    def getResult(self):
        """The local resolutions inside of the mask; MapError where there is no result."""
        mask = self.solventMask.get()
        return read_local_resolution(self._getJobPath(files.LOCAL_RESOLUTION_FILES['resolution']),
                                     None if mask is None else maps.mapFile(mask))

    def _getResultPaths(self):
        return [self._getJobPath(files.LOCAL_RESOLUTION_FILES[role]) for role in ('resolution', 'filtered')]

    def _makeOutputs(self):
        source = self.inputVolume.get()
        pixel, box = source.getSamplingRate(), maps.boxSize(source)
        made = {name: make_volume(self._getJobPath(files.LOCAL_RESOLUTION_FILES[role]), pixel, box=box)
                for name, role in ((RESOLUTION, 'resolution'), (FILTERED, 'filtered'))}
        made[FILTERED].setHalfMaps(maps.halfMaps(source))
        self.getResult()  # a map without a single value is no result
        self._defineOutputs(**made)
        for output in made.values():
            for pointer in (self.inputVolume, self.solventMask):
                if pointer.get() is not None:
                    self._defineSourceRelation(pointer, output)

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        found, result, pixel = self.getResult(), self.getPostprocess(), self.inputVolume.get().getSamplingRate()
        values = self.getValues()
        lines = ['Median local resolution %.1f Å, quartiles %.1f and %.1f Å, range %.1f to %.1f Å (%s).'
                 % ((found.median,) + found.quartiles + found.range
                    + ('%d voxels inside of the mask' % found.voxels if found.masked else 'whole box',)),
                 'Nyquist at %.2f Å%s.' % (2 * pixel, '' if result is None
                                           else '; resolution of the whole map %.2f Å' % result.resolution),
                 'Measured every %g Å, phases randomised from %g Å, lowest value %g Å.'
                 % tuple(values[name] if values[name] > 0 else OWN[name] for name in MEASURING),
                 'Filtered map sharpened with a B-factor of %.0f Å².' % values['adhoc_bfac'] if values['adhoc_bfac']
                 else 'Filtered map not sharpened.']
        if found.unmeasured:
            lines.append('%d voxels inside of the mask were not reached: choose a finer sampling.' % found.unmeasured)
        return lines

    def _methodsLines(self):
        found = self.getResult()
        return ['Local resolution was measured in RELION with a soft sphere moved over the half maps; its median is %.1f Å '
                '(quartiles %.1f and %.1f Å), and the map was filtered accordingly.' % ((found.median,) + found.quartiles)]

    def _moreCitations(self):
        return ['Chen2013']
