"""What the windows of all jobs share."""
import os

from pyworkflow.mapper.sqlite import SqliteFlatMapperException
from pyworkflow.protocol import params
from pyworkflow.utils import getListFromRangeString, getRangeStringFromList
from pyworkflow.viewer import DESKTOP_TKINTER, ProtocolViewer

from ..convert.volumes import check_header
from ..figures.convergence import convergence_figure
from ..figures.ladder import ladder_figure
from ..figures.slices import slices_figure
from ..figures.words import notice_figure
from ..protocols.maps import mapFile
from ..results.follow import Follower
from ..results.iterations import complete_iterations
from ..results.maps import central_slices
from .figure_view import FigureView
from .live import LiveView
from .map_window import MapWindow
from .report_view import ReportView
from .volumes import volumeViewers, volumeViews


class NothingToShow(Exception):
    """There is no such result (yet); the message says why."""


#: Reasons not to show a figure, which are told; Scipion's own is that of a set whose file is gone.
NOTHING = (NothingToShow, ValueError, OSError, SqliteFlatMapperException)
WAITING = 'No iteration is complete yet: this window follows the run.'
#: Milliseconds from the form to the overview.
OVERVIEW_MS = 300


class ProtStaViewer(ProtocolViewer):
    """A form whose lines each open a figure of a finished, running or failed run.

    A subclass defines the form and says in `_getShows` which method makes the views of which line.
    """

    _environments = [DESKTOP_TKINTER]
    _targets = []
    #: The line that Analyze Results opens by itself, above the form with all others; None for none.
    _overview = None

    def visualize(self, obj, **args):
        windows = args.get('windows')
        if windows is not None:
            # The form enters Tk's main loop: only from there can another window be opened
            windows.root.after(OVERVIEW_MS, self._showOverview)
        ProtocolViewer.visualize(self, obj, **args)

    def _showOverview(self):
        if self._overview is None:
            return
        try:
            views = self._getShows()[self._overview]()
        except NOTHING:
            return  # the form opens all the same, and its lines say what is missing
        for view in views:
            view.show()

    def _getShows(self):
        """Name of a line of the form -> the method that makes its views."""
        raise NotImplementedError

    def setProtocol(self, protocol):
        self.protocol = protocol
        self._defineParamsBackup(self._definition)  # Scipion's name for the _defineParams of the class
        self._defineReport(self._definition)
        self._createVarsFromDefinition()

    def _defineReport(self, form):
        form.addSection(label='Report')
        form.addParam('showReport', params.LabelParam, label='Report of this run and of what its data come from',
                      help='One HTML file with figures, settings, commands, versions and references, opened in the browser.')
        form.addParam('showProjectReport', params.LabelParam, label='Report of all runs of the project')
        form.addParam('showLadder', params.LabelParam, label='Ladder: the resolution from step to step of the project',
                      help='Every post-processing, and every auto-refine that has none. Compare only under one mask.')

    def _getLines(self):
        """All lines of the form."""
        return dict(self._getShows(), showReport=lambda: self._report(self.protocol), showProjectReport=self._report,
                    showLadder=self._showLadder)

    def _showLadder(self):
        from ..report.chain import runsInOrder
        from ..report.ladder import rungsOf
        rungs = rungsOf(runsInOrder(self.getProject()))
        if not rungs:
            raise NothingToShow('No auto-refine and no post-processing of this project is finished.')
        return [self._figure(ladder_figure(rungs), 'ladder')]

    def _report(self, protocol=None):
        from ..report.make import NAME, makeReport  # not at the top: it draws with the viewers
        path = self.getProject().getPath(NAME) if protocol is None else protocol._getExtraPath(NAME)
        return [ReportView(lambda: makeReport(self.getProject(), path, protocol), self.showInfo)]

    def _getVisualizeDict(self):
        return {name: self._getViews for name in self._getLines()}

    def _getViews(self, paramName):
        """The views of one line of the form; a message where there is nothing to show."""
        try:
            return self._getLines()[paramName]()
        except NOTHING as reason:
            return [self.infoMessage(str(reason), 'Nothing to show')]

    def _jobFile(self, name):
        """Path of a file in the job folder; NothingToShow where it is not there."""
        path = self.protocol._getJobPath(name)
        if not os.path.exists(path):
            raise self._nothing('There is no %s.' % path)
        return path

    def _nothing(self, what):
        """The NothingToShow that says what is missing and what the user can do."""
        if self.protocol.isActive():
            advice = 'RELION is at work: look again in a while.'
        elif self.protocol.isFinished():
            advice = ('The run has finished: it was not asked for this, or its files were deleted since, or their disk is '
                      'not connected.')
        else:
            advice = 'The run is not active: look at its log for the reason.'
        return NothingToShow('%s %s' % (what, advice))

    # -------------------------------------------------------------------- form
    def _addWalkParam(self, form):
        form.addParam('showWalk', params.LabelParam, label='Maps: walk through the slices, with mask; surface',
                      help='Three slices that follow sliders, wheel and clicks, with the outline of the mask; the surface '
                           'as a lit picture.')

    def _addVolumesParam(self, form):
        self._volumeViewers = volumeViewers()
        if self._volumeViewers:
            form.addParam('showVolumes', params.EnumParam, choices=self._volumeViewers, default=0,
                          label='Maps in three dimensions', help='Opens the maps in the program that you choose.')

    # -------------------------------------------------------------------- views
    def _figure(self, figure, title):
        return FigureView(figure, '%s: %s' % (self.protocol.getRunName(), title), parent=self.getTkRoot())

    def _slices(self, maps, title, statistics=True):
        """maps: label -> path. statistics: False for maps whose headers RELION has from elsewhere (see check_values)."""
        slices = {label: central_slices(path, statistics=statistics) for label, path in maps.items()}
        return self._figure(slices_figure(slices, title=title), 'slices')

    @staticmethod
    def _ofBox(maps, box):
        """The maps (label -> path) again. Raises ConvertError for one that has another edge (voxels)."""
        for path in maps.values():
            check_header(path, box)
        return maps

    def _walk(self, maps, masks=None, threshold=None):
        """maps, masks: label -> path."""
        return [MapWindow(self.protocol.getRunName(), maps, masks, threshold, self.getTkRoot())]

    def _solventMask(self):
        """Label -> path of the mask that the run was given."""
        mask = self.protocol.solventMask.get()
        return {} if mask is None else {'solvent mask': mapFile(mask)}

    def _volumes(self, maps):
        name = self._volumeViewers[self.showVolumes.get()]
        return volumeViews(name, list(maps.values()), self.getProject(), self.protocol)


class IterationViewer(ProtStaViewer):
    """A viewer of a job with iterations: only complete ones are shown, so it works while the job runs."""

    _jobType = None
    _overview = 'showConvergence'

    def _addConvergenceParam(self, form):
        form.addParam('showConvergence', params.LabelParam, important=True, label='Convergence',
                      help='Resolution, changes, accuracies and classes over all complete iterations, with what they mean '
                           'for the next step. The window follows the run while it works.')

    def _showConvergence(self):
        def draw(follower):
            course = follower.course()
            if course is None:
                return notice_figure(WAITING)
            return convergence_figure(course, title='Convergence of %s' % self.protocol.getRunName())

        return [self._live(draw, 'convergence')]

    def _live(self, draw, title):
        """A window with the figure that `draw` makes of the follower of this run. NothingToShow where nothing will come."""
        follower = Follower(self.protocol._getJobPath(), self._jobType, log=self.protocol.getLogPaths()[0])
        view = LiveView(follower, draw, self.protocol.isActive, '%s: %s' % (self.protocol.getRunName(), title),
                        parent=self.getTkRoot())
        if not follower.iterations and not self.protocol.isActive():
            self._requireComplete()
        return view

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
