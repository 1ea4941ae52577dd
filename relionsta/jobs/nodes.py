"""What RELION's pipeline calls the files that jobs read and write (its nodes), as its own GUI labels them."""
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Collection, Dict, List, Mapping, Optional, Tuple

from .files import INITIAL_MODEL, RUN, iteration_root
from .option import Kind
from .pipeline import Node
from .registry import JOBS

EXTERNAL, IMPORT, SELECT = 'relion.external', 'relion.importtomo', 'relion.select.interactive'
PARTICLES = 'ParticleGroupMetadata.star.relion'
TOMOGRAMS = 'TomogramGroupMetadata.star.relion'
TRAJECTORIES = 'TomoTrajectoryData.star.relion'
MAP, MASK, HALF_MAP = 'DensityMap.mrc', 'Mask3D.mrc', 'DensityMap.mrc.halfmap'
IMPORTED = '.tomo.import'
_OPTIMISER, _SET = 'OptimiserData.star.relion', 'TomoOptimisationSet.star.relion'
_POST, _LOG = 'ProcessData.star.relion', 'LogFile.pdf.relion'
#: Stands for the root of the names of the last complete iteration.
_LAST = '{last}'

#: Job type -> (name or pattern, label) of what a job leaves; those count that are there.
_OUTPUTS: Mapping[str, Tuple[Tuple[str, str], ...]] = MappingProxyType({
    'relion.pseudosubtomo': (
        ('optimisation_set.star', _SET + '.tomo.extract'), ('particles.star', PARTICLES + '.tomo.extract'),
        ('motion.star', TRAJECTORIES)),
    'relion.reconstructparticletomo': (
        ('merged.mrc', 'DensityMap.mrc.relion.tomo.map.reconstruct'),
        ('half1.mrc', 'DensityMap.mrc.relion.tomo.halfmap.reconstruct')),
    INITIAL_MODEL: (
        ('initial_model.mrc', 'DensityMap.mrc.relion.initialmodel'), (_LAST + '_data.star', PARTICLES + '.initialmodel'),
        (_LAST + '_optimiser.star', _OPTIMISER + '.initialmodel'),
        (_LAST + '_optimisation_set.star', _SET + '.initialmodel')),
    'relion.class3d': (
        # RELION itself says refine3d of the particles.
        (_LAST + '_data.star', PARTICLES + '.refine3d'), (_LAST + '_optimiser.star', _OPTIMISER + '.class3d'),
        (_LAST + '_class[0-9][0-9][0-9].mrc', 'DensityMap.mrc.relion.class3d'),
        (_LAST + '_optimisation_set.star', _SET + '.class3d')),
    'relion.refine3d.tomo': (
        ('run_data.star', PARTICLES + '.refine3d'), ('run_optimiser.star', _OPTIMISER + '.refine3d'),
        ('run_half1_class001_unfil.mrc', 'DensityMap.mrc.relion.halfmap.refine3d'),
        ('run_class001.mrc', 'DensityMap.mrc.relion.refine3d'), ('run_optimisation_set.star', _SET + '.refine3d')),
    'relion.maskcreate': (('mask.mrc', 'Mask3D.mrc.relion'),),
    'relion.postprocess': (
        ('postprocess.mrc', 'DensityMap.mrc.relion.postprocess'),
        ('postprocess_masked.mrc', 'DensityMap.mrc.relion.postprocess.masked'),
        ('logfile.pdf', _LOG + '.postprocess'), ('postprocess.star', _POST + '.postprocess')),
    'relion.localres': (
        ('histogram.pdf', _LOG + '.localres'), ('relion_locres_filtered.mrc', 'DensityMap.mrc.relion.localresfiltered'),
        ('relion_locres.mrc', 'Image3D.mrc.resmap.localresmap')),
    'relion.multibody': (
        ('run_half1_body[0-9][0-9][0-9]_unfil.mrc', 'DensityMap.mrc.relion.halfmap.multibody'),
        ('run_optimisation_set.star', _SET + '.multibody'), ('analyse_logfile.pdf', _LOG + '.flexanalysis')),
    'relion.subtract': (('particles_subtracted.star', PARTICLES + '.subtracted'), ('original.star', PARTICLES)),
    'relion.ctfrefinetomo': (
        ('optimisation_set.star', _SET + '.tomo.ctfrefine'), ('tomograms.star', TOMOGRAMS + '.tomo.ctfrefine'),
        ('particles.star', PARTICLES + '.tomo.ctfrefine'), ('logfile.pdf', _LOG + '.tomo.ctfrefine')),
    'relion.framealigntomo': (
        ('optimisation_set.star', _SET + '.tomo.polish'), ('tomograms.star', TOMOGRAMS + '.tomo.polish'),
        ('particles.star', PARTICLES + '.tomo.polish'), ('motion.star', TRAJECTORIES + '.tomo.polish'),
        ('logfile.pdf', _LOG + '.tomo.polish')),
    'relion.reconstructtomograms': (('tomograms.star', TOMOGRAMS + '.tomo.reconstruct'),),
    EXTERNAL: (('particles.star', PARTICLES), ('motion.star', TRAJECTORIES)),
})

#: Option -> kind of the file that it names; those of one job alone come with its type.
_INPUTS: Mapping[str, str] = MappingProxyType({
    'in_particles': PARTICLES, 'in_tomograms': TOMOGRAMS, 'in_tiltseries': TOMOGRAMS, 'in_trajectories': TRAJECTORIES,
    'in_optimisation': _SET, 'in_halfmaps': 'DensityMap.mrc.relion.tomo.halfmap.reconstruct', 'in_refmask': MASK,
    'in_post': _POST + '.postprocess', 'fn_ref': MAP, 'fn_mask': MASK, 'fn_opt': _OPTIMISER, 'fn_cont': _OPTIMISER,
    'fn_data': PARTICLES, 'fn_fliplabel': PARTICLES, 'fn_other': MAP, 'relion.maskcreate fn_in': MAP,
    'relion.multibody fn_in': _OPTIMISER + '.refine3d', 'relion.postprocess fn_in': HALF_MAP,
    'relion.localres fn_in': HALF_MAP})


def input_nodes(job_type: str, values: Mapping[str, Any]) -> Tuple[Node, ...]:
    """The files that a job of this type reads; values: of its options, files as the project's folder sees them."""
    job = JOBS.get(job_type)
    names = [option.name for option in job.options if option.kind is Kind.PATH] if job is not None else sorted(values)
    nodes = []
    for name in names:
        label = _INPUTS.get('%s %s' % (job_type, name), _INPUTS.get(name))
        if label is not None and values.get(name):
            nodes.append(Node(str(values[name]), label))
    return tuple(nodes)


def output_nodes(job_type: str, folder: str, names: Collection[str], iteration: Optional[int] = None) -> Tuple[Node, ...]:
    """What a job has left for others. folder: its own, with a slash at its end; names: of the files in it.

    iteration: the last complete one of a job with iterations.
    """
    last = iteration_root(RUN, iteration) if iteration is not None else ''
    found: Dict[str, str] = {}
    for pattern, label in _OUTPUTS.get(job_type, ()):
        if _LAST in pattern and not last:
            continue
        there: List[str] = sorted(name for name in names if fnmatchcase(name, pattern.replace(_LAST, last)))
        found.update((name, label) for name in there)
    return tuple(Node(folder + name, label) for name, label in found.items())


def process_label(job_type: str, values: Mapping[str, Any]) -> str:
    """The type of a process, which says of some jobs how they were done."""
    if job_type == 'relion.localres':
        return job_type + ('.resmap' if values.get('do_resmap_locres') else '.own')
    return job_type
