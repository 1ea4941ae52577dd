"""What the windows of all jobs share."""
import os

from pyworkflow.protocol import params
from pyworkflow.utils import getListFromRangeString, getRangeStringFromList
from pyworkflow.viewer import DESKTOP_TKINTER, ProtocolViewer

from ..figures.slices import slices_figure
from ..results.iterations import complete_iterations
from ..results.maps import central_slices
from .figure_view import FigureView
from .volumes import volumeViewers, volumeViews


class NothingToShow(Exception):
    """There is no such result (yet); the message says why."""


class ProtStaViewer(ProtocolViewer):
    """A form whose lines each open a figure of a finished, running or failed run.

    A subclass defines the form and says in `_getShows` which method makes the views of which line.
    """

    _environments = [DESKTOP_TKINTER]
    _targets = []

    def _getShows(self):
        raise NotImplementedError

    def _getVisualizeDict(self):
        return {name: self._getViews for name in self._getShows()}

    def _getViews(self, paramName):
        """The views of one line of the form; a message where there is nothing to show."""
        try:
            return self._getShows()[paramName]()
        except (NothingToShow, ValueError, OSError) as reason:
            return [self.infoMessage(str(reason), 'Nothing to show')]

    def _jobFile(self, name):
        """Path of a file in the job folder; NothingToShow where it is not there."""
        path = self.protocol._getJobPath(name)
        if not os.path.exists(path):
            raise self._nothing('There is no %s.' % path)
        return path

    def _nothing(self, what):
        """The NothingToShow that says what is missing and what the user can do."""
        advice = ('RELION is at work: look again in a while.' if self.protocol.isActive()
                  else 'The run is not active: look at its log for the reason.')
        return NothingToShow('%s %s' % (what, advice))

    # -------------------------------------------------------------------- form
    def _addVolumesParam(self, form):
        self._volumeViewers = volumeViewers()
        if self._volumeViewers:
            form.addParam('showVolumes', params.EnumParam, choices=self._volumeViewers, default=0,
                          label='Maps in three dimensions', help='Opens the maps in the program that you choose.')

    # -------------------------------------------------------------------- views
    def _figure(self, figure, title):
        return FigureView(figure, '%s: %s' % (self.protocol.getRunName(), title), parent=self.getTkRoot())

    def _slices(self, maps, title):
        """maps: label -> path."""
        slices = {label: central_slices(path) for label, path in maps.items()}
        return self._figure(slices_figure(slices, title=title), 'slices')

    def _volumes(self, maps):
        name = self._volumeViewers[self.showVolumes.get()]
        return volumeViews(name, list(maps.values()), self.getProject(), self.protocol)


class IterationViewer(ProtStaViewer):
    """A viewer of a job with iterations: only complete ones are shown, so it works while the job runs."""

    _jobType = None

    def _addIterationsParam(self, form, default):
        complete = self._complete()
        there = getRangeStringFromList(complete) if complete else 'none yet'
        form.addParam('iterations', params.StringParam, default='', label='Iterations',
                      help='For example 3 or 1-5,8; all for all of them; empty for %s. Complete when this window '
                           'opened: %s.' % (default, there))

    def _complete(self):
        """Complete iterations now, from 1."""
        return [number for number in complete_iterations(self.protocol._getJobPath(), self._jobType) if number > 0]

    def _requireComplete(self):
        complete = self._complete()
        if not complete:
            raise self._nothing('No iteration is complete in %s.' % self.protocol._getJobPath())
        return complete

    def _getIterations(self):
        """The iterations that the user chose, all complete; by default the last."""
        complete = self._requireComplete()
        text = self.iterations.get('').strip()
        if text.lower() == 'all':
            return complete
        wanted = parseRange(text, 'Iterations') or complete[-1:]
        chosen = [number for number in wanted if number in complete]
        if not chosen:
            raise NothingToShow('Iteration %s is not complete; complete are %s.'
                                % (getRangeStringFromList(wanted), getRangeStringFromList(complete)))
        return chosen


def parseRange(text, label):
    """Numbers of a text such as 1-3,7; [] for an empty one. Raises ValueError that names the field."""
    try:
        return sorted(set(getListFromRangeString(text)))
    except ValueError:
        raise ValueError('*%s*: "%s" is no list of numbers; write for example 3 or 1-5,8.' % (label, text)) from None
