"""Windows for the results, opened by Analyze Results."""
from .class3d import ProtStaClass3DViewer
from .initial_model import ProtStaInitialModelViewer
from .ladder import ProtStaLadderViewer
from .local_resolution import ProtStaLocalResolutionViewer
from .mask import ProtStaMaskViewer
from .multibody import ProtStaMultiBodyViewer
from .outputs import ProtStaOutputsViewer
from .postprocess import ProtStaPostProcessViewer
from .reconstruct import ProtStaReconstructViewer
from .refine3d import ProtStaRefine3DViewer
from .refine_series import ProtStaSeriesRefineViewer
from .scan import ProtStaScanViewer

__all__ = ['ProtStaClass3DViewer', 'ProtStaInitialModelViewer', 'ProtStaLadderViewer',
           'ProtStaLocalResolutionViewer', 'ProtStaMaskViewer', 'ProtStaMultiBodyViewer', 'ProtStaOutputsViewer',
           'ProtStaPostProcessViewer', 'ProtStaReconstructViewer', 'ProtStaRefine3DViewer', 'ProtStaScanViewer',
           'ProtStaSeriesRefineViewer']
