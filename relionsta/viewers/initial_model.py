"""Analyze Results of 3D initial reference."""
from pyworkflow.protocol import params

from ..jobs import files
from ..protocols.initial_model import ProtStaInitialModel
from ..results.maps import is_whole_mrc
from .class3d import ProtStaClass3DViewer


class ProtStaInitialModelViewer(ProtStaClass3DViewer):
    """The initial reference, and classes and course of the gradient descent that it comes from."""

    _label = 'viewer 3D initial reference'
    _targets = [ProtStaInitialModel]
    _jobType = files.INITIAL_MODEL

    def _defineMore(self, form):
        form.addParam('showInitial', params.LabelParam, label='Initial reference: central slices',
                      help='The largest class, turned to its symmetry axes.')

    def _getShows(self):
        return dict(super()._getShows(), showInitial=self._showInitial)

    def _symmetry(self):
        """The descent in C1 turns the map to the symmetry's axes afterwards, not the particles."""
        return 'C1' if self.protocol.do_run_C1.get() else super()._symmetry()

    def _showInitial(self):
        path = self.protocol._getJobPath(files.INITIAL_MODEL_FILES['map'])
        if not is_whole_mrc(path):
            raise self._nothing('There is no initial reference in %s.' % self.protocol._getJobPath())
        maps = self._ofBox({'Initial reference': path}, self.protocol.getModel().box_size)
        return [self._slices(maps, 'Initial reference')]
