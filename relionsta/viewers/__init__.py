"""Windows for the results, opened by Analyze Results."""
from .class3d import ProtStaClass3DViewer
from .postprocess import ProtStaPostProcessViewer
from .refine3d import ProtStaRefine3DViewer
from .refine_series import ProtStaSeriesRefineViewer

__all__ = ['ProtStaClass3DViewer', 'ProtStaPostProcessViewer', 'ProtStaRefine3DViewer', 'ProtStaSeriesRefineViewer']
