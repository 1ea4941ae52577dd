"""The report of a project or of a chain of runs."""
import os

from .. import __version__
from ..figures.ladder import ladder_figure
from ..plugin import Plugin
from ..runtime.build import RelionNotFound
from . import chain, ladder
from .page import Links, Picture, Table, Text, render, write_page
from .runs import citationsOf, methodsOf, sectionOf

NAME = 'relionsta_report.html'


def makeReport(project, path=None, protocol=None, say=print):
    """Write the report of the runs up to `protocol` (None: of all runs of this plugin); returns its path.

    path: default NAME in the project's folder. say: called with what cannot be drawn. Raises ValueError where there is
    no run of this plugin.
    """
    runs = chain.runsInOrder(project) if protocol is None else chain.runsUpTo(project, protocol)
    if not runs:
        raise ValueError('%s has no run of this plugin yet' % project.getShortName())
    title = project.getShortName() if protocol is None else '%s: %s' % (project.getShortName(), protocol.getRunName())
    intro = [Text(methodsOf(runs)), _overview(runs)]
    rungs = ladder.rungsOf(runs, say)
    if len(rungs) > 1:
        intro.append(Picture('Resolution after each step', ladder_figure(rungs)))
    intro += [*ladder.comparisons(runs), Links('References', citationsOf(runs))]
    path = os.path.abspath(path or project.getPath(NAME))
    write_page(path, render(title, intro, [sectionOf(run, project, say) for run in runs], 'Made with %s.' % _versions()))
    return path


def _overview(runs):
    return Table('Runs', ('Run', 'State', 'Result'), [
        (run.getRunName(), run.getStatusMessage(), (run.summary() or [''])[0].replace('*', '')) for run in runs])


def _versions():
    import pwem
    import pyworkflow
    import tomo
    names = ['relionsta %s' % __version__, 'Scipion (pyworkflow %s, pwem %s, tomo %s)' % (
        pyworkflow.__version__, pwem.__version__, tomo.__version__)]
    try:
        names.insert(1, Plugin.getBuild().describe())
    except RelionNotFound:
        names.insert(1, 'no RELION on this machine')
    return ', '.join(names)
