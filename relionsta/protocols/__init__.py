"""The protocols, one file each."""
from .class3d import ProtStaClass3D
from .extract import ProtStaExtract
from .import_aretomo3 import ProtStaImportAreTomo3
from .import_picks import ProtStaImportPicks
from .mask import ProtStaMask
from .postprocess import ProtStaPostProcess
from .reconstruct import ProtStaReconstruct
from .refine3d import ProtStaRefine3D

__all__ = ['ProtStaClass3D', 'ProtStaExtract', 'ProtStaImportAreTomo3', 'ProtStaImportPicks', 'ProtStaMask',
           'ProtStaPostProcess', 'ProtStaReconstruct', 'ProtStaRefine3D']
