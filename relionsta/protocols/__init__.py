"""The protocols, one file each."""
from .class3d import ProtStaClass3D
from .ctf_refine import ProtStaCtfRefine
from .export_relion import ProtStaExportRelion
from .extract import ProtStaExtract
from .import_aretomo3 import ProtStaImportAreTomo3
from .import_imod import ProtStaImportImod
from .import_picks import ProtStaImportPicks
from .import_relion import ProtStaImportRelion
from .initial_model import ProtStaInitialModel
from .join import ProtStaJoin
from .local_resolution import ProtStaLocalResolution
from .mask import ProtStaMask
from .multibody import ProtStaMultiBody
from .polish import ProtStaPolish
from .postprocess import ProtStaPostProcess
from .reconstruct import ProtStaReconstruct
from .reconstruct_tomograms import ProtStaReconstructTomograms
from .refine3d import ProtStaRefine3D
from .refinement_cycle import ProtStaRefinementCycle
from .scan import ProtStaScan
from .select_classes import ProtStaSelectClasses
from .select_particles import ProtStaSelectParticles
from .subtract import ProtStaSubtract
from .symmetry_expand import ProtStaSymmetryExpand

__all__ = ['ProtStaClass3D', 'ProtStaCtfRefine', 'ProtStaExportRelion', 'ProtStaExtract', 'ProtStaImportAreTomo3',
           'ProtStaImportImod', 'ProtStaImportPicks', 'ProtStaImportRelion', 'ProtStaInitialModel', 'ProtStaJoin',
           'ProtStaLocalResolution', 'ProtStaMask', 'ProtStaMultiBody', 'ProtStaPolish', 'ProtStaPostProcess',
           'ProtStaReconstruct', 'ProtStaReconstructTomograms', 'ProtStaRefine3D', 'ProtStaRefinementCycle',
           'ProtStaScan', 'ProtStaSelectClasses', 'ProtStaSelectParticles', 'ProtStaSubtract', 'ProtStaSymmetryExpand']
