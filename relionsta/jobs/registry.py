"""All jobs, by RELION's name of their type (rlnJobTypeLabel)."""
from types import MappingProxyType
from typing import Mapping

from .class3d import CLASS3D
from .ctf_refine import CTF_REFINE
from .extract import EXTRACT
from .initial_model import INITIAL_MODEL
from .job import Job
from .local_resolution import LOCAL_RESOLUTION
from .mask import MASK
from .multibody import MULTIBODY
from .polish import POLISH
from .postprocess import POSTPROCESS
from .reconstruct import RECONSTRUCT
from .reconstruct_tomograms import RECONSTRUCT_TOMOGRAMS
from .refine3d import REFINE3D
from .subtract import SUBTRACT

JOBS: Mapping[str, Job] = MappingProxyType(
    {job.type: job for job in (EXTRACT, RECONSTRUCT, INITIAL_MODEL, CLASS3D, REFINE3D, MASK, POSTPROCESS, LOCAL_RESOLUTION,
                                 MULTIBODY, SUBTRACT, CTF_REFINE, POLISH, RECONSTRUCT_TOMOGRAMS)})
