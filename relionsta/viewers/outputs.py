"""Analyze Results of protocols that make, choose or change sets: their particles and maps, and Scipion's own viewers."""
import os
import tempfile

from pwem.objects import SetOfVolumes, Volume
from pyworkflow.object import Pointer
from pyworkflow.protocol import params
from pyworkflow.viewer import DESKTOP_TKINTER, View
from tomo.objects import SetOfSubTomogramsBase

from ..convert.job_inputs import write_job_inputs
from ..objects import SetOfStaParticles
from ..protocols.extract import ProtStaExtract
from ..protocols.import_relion import ProtStaImportRelion
from ..protocols.join import ProtStaJoin
from ..protocols.maps import mapFile
from ..protocols.reconstruct_tomograms import ProtStaReconstructTomograms
from ..protocols.select_classes import ProtStaSelectClasses
from ..protocols.select_particles import ProtStaSelectParticles
from ..protocols.subtract import ProtStaSubtract
from ..protocols.symmetry_expand import ProtStaSymmetryExpand
from .base import NothingToShow, ProtStaViewer
from .particle_lines import ParticleLinesMixin
from .particle_source import ParticleSource

#: maps in one figure
MOST_MAPS = 9


class OutputView(View):
    """An output in a viewer of Scipion's; viewer: its class, window: the project's."""

    def __init__(self, viewer, output, project, protocol, window):
        View.__init__(self)
        self._viewer, self._output, self._project = viewer, output, project
        self._protocol, self._window = protocol, window

    def show(self):
        self._viewer(project=self._project, protocol=self._protocol, parent=self._window).visualize(
            self._output, windows=self._window, protocol=self._protocol)


class ProtStaOutputsViewer(ParticleLinesMixin, ProtStaViewer):
    """Where the particles of a run are and look to, its maps and tomograms, and all of its sets in Scipion's viewers."""

    _label = 'viewer particles and maps'
    _targets = [ProtStaExtract, ProtStaImportRelion, ProtStaJoin, ProtStaReconstructTomograms, ProtStaSelectClasses,
                ProtStaSelectParticles, ProtStaSubtract, ProtStaSymmetryExpand]

    @property
    def _overview(self):
        return next((line for line in ('showOrientations', 'showSlices') if line in self._getShows()), None)

    def _defineParams(self, form):
        self._folder = tempfile.TemporaryDirectory()  # gone with the viewer
        outputs = dict(self.protocol.iterOutputAttributes())
        self._names = list(outputs)
        self._particles = [name for name, output in outputs.items() if isinstance(output, SetOfStaParticles)
                           and not output.isEmpty()]
        self._hasMaps = any(map(_isOfMaps, outputs.values()))
        form.addSection(label='Results')
        form.addParam('output', params.EnumParam, choices=self._names or ['none yet'], default=0, label='Output')
        form.addParam('showOutput', params.LabelParam, label="This output in Scipion's viewer",
                      help='Its items, one by one, as for the outputs of any other protocol.')
        if self._hasMaps:
            form.addParam('showSlices', params.LabelParam, label='Maps and tomograms: central slices',
                          help='The first %d of them.' % MOST_MAPS)
            self._addVolumesParam(form)
        if self._particles:
            self._addParticleLines(form)
            form.addParam('particlesOf', params.EnumParam, choices=self._particles, default=0, label='Particles of',
                          condition='%d' % (len(self._particles) > 1), help='The set that the lines above show.')

    def _getShows(self):
        shows = {'showOutput': self._showOutput}
        if self._hasMaps:
            shows.update(showSlices=self._showSlices, showVolumes=self._showVolumes)
        return dict(shows, **self._particleShows()) if self._particles else shows

    def _showOutput(self):
        if not self._names:
            raise self._nothing('There is no output yet.')
        output = getattr(self.protocol, self._names[self.output.get()])
        found = self.getProject().getDomain().findViewers(output, DESKTOP_TKINTER)
        if not found:
            raise NothingToShow('No plugin that is installed here shows a %s.' % output.getClassName())
        return [OutputView(found[0], output, self.getProject(), self.protocol, getattr(self, 'windows', None))]

    def _showSlices(self):
        maps = self._getMaps()
        shown = dict(list(maps.items())[:MOST_MAPS])
        more = '' if len(shown) == len(maps) else ' (the first %d of %d)' % (len(shown), len(maps))
        self.protocol.checkMade()
        # An import takes what is there, and tells of damage
        return [self._slices(shown, 'Central slices' + more, statistics=not isinstance(self.protocol, ProtStaImportRelion))]

    def _showVolumes(self):
        return self._volumes(self._getMaps())

    def _getMaps(self):
        """Label -> path of every map and tomogram that is there."""
        found = {}
        for name, output in self.protocol.iterOutputAttributes():
            if _isOfMaps(output):
                isSet = isinstance(output, SetOfVolumes)
                for number, item in enumerate(output.iterItems() if isSet else [output], start=1):
                    if os.path.exists(mapFile(item)):
                        found[_label(name, number, item, isSet)] = mapFile(item)
        if not found:
            raise self._nothing('There is no map.')
        return found

    # ---------------------------------------------------------------- particles
    def _particleSource(self):
        """The particles as they are in the set, whatever files their rows come from."""
        name = self._particles[self.particlesOf.get()]
        folder = os.path.join(self._folder.name, name)
        os.makedirs(folder, exist_ok=True)
        files = write_job_inputs(getattr(self.protocol, name), folder)
        return ParticleSource(files.particles, files.tomograms, files.trajectories, 'C1',
                              Pointer(self.protocol, extended=name))

    def _when(self):
        """These runs have no iterations."""
        return ''


def _isOfMaps(output):
    """A map, or a set of them; particles are volumes for Scipion, and no maps."""
    return isinstance(output, (SetOfVolumes, Volume)) and not isinstance(output, SetOfSubTomogramsBase)


def _label(name, number, item, of_set):
    """What a map is called: a tomogram by its tilt series."""
    own = item.getTsId() if hasattr(item, 'getTsId') else ''
    return own or ('%s, %d' % (name, number) if of_set else name)
