"""The figures that Analyze Results of a run would show, without a display."""
from pyworkflow.viewer import DESKTOP_TKINTER

from ..viewers.base import NOTHING, ProtStaViewer
from ..viewers.figure_view import FigureView

#: Lines that open other programs, forms or windows to choose in, or write files for them: a report changes no run.
_NO_FIGURES = ('showVolumes', 'showGallery', 'showExtract', 'showWalk', 'showTomograms', 'showScene', 'showOutput')


def figuresOf(protocol, project, say=print):
    """(title, matplotlib Figure) of every figure of a run's own viewers; what cannot be drawn is said."""
    found = []
    for viewer_class in project.getDomain().findViewers(protocol, DESKTOP_TKINTER):
        if not issubclass(viewer_class, ProtStaViewer):
            continue
        viewer = viewer_class(project=project, protocol=protocol)
        viewer.setProtocol(protocol)
        viewer.windows = None
        for name, show in viewer._getShows().items():
            if name in _NO_FIGURES:
                continue
            try:
                views = show()
            except NOTHING as reason:
                say('%s, %s: %s' % (protocol.getRunName(), name, ' '.join(str(reason).split())))
                continue
            found += [(view.title, view.figure) for view in views if isinstance(view, FigureView)]
    return found
