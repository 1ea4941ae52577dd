"""All jobs, by RELION's name of their type (rlnJobTypeLabel)."""
from types import MappingProxyType
from typing import Mapping

from .class3d import CLASS3D
from .extract import EXTRACT
from .job import Job
from .mask import MASK
from .postprocess import POSTPROCESS
from .reconstruct import RECONSTRUCT
from .refine3d import REFINE3D

JOBS: Mapping[str, Job] = MappingProxyType(
    {job.type: job for job in (EXTRACT, RECONSTRUCT, CLASS3D, REFINE3D, MASK, POSTPROCESS)})
