"""The files that each job writes: role -> path under the job's folder. The one place that knows RELION's file names.

Maps that depend on what was asked are listed with all that can be there: `half1` and `half2` of Reconstruct particle
need half sets, `trajectories` of an extraction needs trajectories that went in, `mask` of an auto-refine a mask that
did not fit.
"""
import math
import posixpath
from typing import Dict, List, Optional

EXTRACT_FILES: Dict[str, str] = {
    'particles': 'particles.star',
    'optimisation_set': 'optimisation_set.star',
    'trajectories': 'motion.star',
}

#: Where the images of particles go, a folder for each tomogram, and the pairs of names that are nothing alone.
SUBTOMOGRAMS = 'Subtomograms'
IMAGE_PAIRS = (('_data.mrc', '_weights.mrc'), ('_subtomo.mrc', '_ctf.mrc'))

RECONSTRUCT_FILES: Dict[str, str] = {
    'merged': 'merged.mrc',
    'half1': 'half1.mrc',
    'half2': 'half2.mrc',
    'helical_merged': 'helical_merged.mrc',
    'helical_half1': 'helical_half1.mrc',
    'helical_half2': 'helical_half2.mrc',
}

#: `expanded` is RELION's; in `particles` the copies have names of their own, as in `trajectories`.
SYMMETRY_EXPAND_FILES: Dict[str, str] = {
    'expanded': 'expanded.star',
    'particles': 'particles.star',
    'trajectories': 'motion.star',
}

MASK_FILES: Dict[str, str] = {'mask': 'mask.mrc'}

POSTPROCESS_ROOT = 'postprocess'
POSTPROCESS_FILES: Dict[str, str] = {
    'map': 'postprocess.mrc',
    'masked': 'postprocess_masked.mrc',
    'star': 'postprocess.star',
    'fsc': 'postprocess_fsc.dat',
    'fsc_xml': 'postprocess_fsc.xml',
    'fsc_plot': 'postprocess_fsc.eps',
    'guinier_plot': 'postprocess_guinier.eps',
    'log': 'logfile.pdf',
}

#: Root of the names that a local-resolution job writes; the histogram needs a mask.
LOCAL_RESOLUTION_ROOT = 'relion'
LOCAL_RESOLUTION_FILES: Dict[str, str] = {
    'resolution': 'relion_locres.mrc',
    'filtered': 'relion_locres_filtered.mrc',
    'fscs': 'relion_locres_fscs.star',
    'histogram': 'histogram.pdf',
}

SUBTRACT_FILES: Dict[str, str] = {'particles': 'particles_subtracted.star', 'reverted': 'original.star'}

#: Tomograms are there where defocus or scale is refined, particles where aberrations are.
CTF_REFINE_FILES: Dict[str, str] = {
    'tomograms': 'tomograms.star',
    'particles': 'particles.star',
    'optimisation_set': 'optimisation_set.star',
    'log': 'logfile.pdf',
}

#: Particles are not written where images are only shifted, trajectories and log only where motion is fitted.
POLISH_FILES: Dict[str, str] = {
    'tomograms': 'tomograms.star',
    'particles': 'particles.star',
    'trajectories': 'motion.star',
    'optimisation_set': 'optimisation_set.star',
    'log': 'logfile.pdf',
}

#: Not written where one tomogram was chosen by its name.
RECONSTRUCT_TOMOGRAMS_FILES: Dict[str, str] = {'tomograms': 'tomograms.star'}


def tomogram(name: str) -> str:
    """Where Reconstruct tomograms writes the tomogram of that name."""
    return 'tomograms/rec_%s.mrc' % name


def split_tomograms(name: str) -> List[str]:
    """The two tomograms for denoising, which it writes in its place where they are asked for."""
    return ['tomograms/rec_%s_half%d.mrc' % (name, half) for half in (1, 2)]


def projection(name: str) -> str:
    """The 2D sum of the tomogram's central slices."""
    return 'projections/rec_%s.mrc' % name


#: Root of all names that relion_refine writes.
RUN = 'run'
CLASS3D = 'relion.class3d'
REFINE3D = 'relion.refine3d.tomo'
MULTIBODY = 'relion.multibody'
INITIAL_MODEL = 'relion.initialmodel.tomo'
INITIAL_MODEL_FILES: Dict[str, str] = {'map': 'initial_model.mrc'}
#: Root of the names that the flexibility analysis of a multi-body refinement writes.
ANALYSE = 'analyse'
#: RELION's "no limit" in a selection along a motion.
NO_LIMIT = 99998
_STARS = ('data', 'optimiser', 'sampling', 'optimisation_set')


def iteration_root(root: str, iteration: int) -> str:
    """Start of the names of an iteration's files: run_it003."""
    return '%s_it%03d' % (root, iteration)


def iteration_files(job_type: str, root: str, iteration: int, nr_classes: int = 1) -> Dict[str, str]:
    """Role -> path of every file without which an iteration is not complete.

    job_type: relion.class3d, ...; root: 'run'. Class3D: data, model, optimiser, optimisation_set, class001..., and
    sampling but for iteration 0 (serial runs write none there). Initial model: the same and the moments of its descent.
    Auto-refine: the same stars as Class3D, but half1_model and half2_model for model, and half1 and half2 for the maps.
    Multi-body: as auto-refine, nr_classes is the number of bodies and the maps are half1_body001, half2_body001, ...
    Raises ValueError for other job types.
    """
    start = iteration_root(root, iteration)
    names = {role: '%s_%s.star' % (start, role) for role in _STARS if role != 'sampling' or iteration > 0}
    if job_type in (CLASS3D, INITIAL_MODEL):
        names['model'] = start + '_model.star'
        names.update((role, '%s_%s.mrc' % (start, role)) for role in class_roles(nr_classes))
        if job_type == INITIAL_MODEL:
            names.update((role, '%s_%s.mrc' % (start, role)) for role in _moment_roles(nr_classes))
    elif job_type == REFINE3D:
        for half in ('half1', 'half2'):
            names[half + '_model'] = '%s_%s_model.star' % (start, half)
            names[half] = '%s_%s_class001.mrc' % (start, half)
    elif job_type == MULTIBODY:
        for half in ('half1', 'half2'):
            names[half + '_model'] = '%s_%s_model.star' % (start, half)
            names.update(('%s_%s' % (half, role), '%s_%s_%s.mrc' % (start, half, role)) for role in body_roles(nr_classes))
    else:
        raise ValueError('%s has no iterations; jobs with iterations are %s'
                         % (job_type, ', '.join((INITIAL_MODEL, CLASS3D, REFINE3D, MULTIBODY))))
    return names


def optional_iteration_files(job_type: str, root: str, iteration: int, nr_classes: int = 1) -> Dict[str, str]:
    """Role -> path of files that an iteration may have besides those of `iteration_files`.

    The angular distributions (.bild) are not written without alignment, and in an initial model now and then;
    unfiltered half maps only where FSCs are solvent-flattened; the sampling of iteration 0 only by MPI runs.
    """
    start = iteration_root(root, iteration)
    maps = [name[:-len('.mrc')] for name in iteration_files(job_type, root, iteration, nr_classes).values()
            if name.endswith('.mrc') and 'moment' not in name]
    names = {name[len(start) + 1:] + '_angdist': name + '_angdist.bild' for name in maps}
    if job_type == REFINE3D:
        names.update((half + '_unfil', '%s_%s_class001_unfil.mrc' % (start, half)) for half in ('half1', 'half2'))
    if job_type == MULTIBODY:
        names.update(('%s_%s_unfil' % (half, body), '%s_%s_%s_unfil.mrc' % (start, half, body))
                     for half in ('half1', 'half2') for body in body_roles(nr_classes))
    if iteration == 0:
        names['sampling'] = start + '_sampling.star'
    return names


def class_roles(nr_classes: int) -> List[str]:
    """Roles of the class maps: class001, class002, ..."""
    return ['class%03d' % number for number in range(1, nr_classes + 1)]


def _moment_roles(nr_classes: int) -> List[str]:
    """Roles of the moments of a gradient descent: two first ones (of half sets) and a second one per class."""
    return (['1moment%03d' % number for number in range(1, 2 * nr_classes + 1)]
            + ['2moment%03d' % number for number in range(1, nr_classes + 1)])


def body_roles(nr_bodies: int) -> List[str]:
    """Roles of the maps of bodies: body001, body002, ..."""
    return ['body%03d' % number for number in range(1, nr_bodies + 1)]


def final_files(job_type: str, root: str) -> Dict[str, str]:
    """Role -> path of what a job with iterations leaves at its end, beside its iterations; none for a classification."""
    if job_type == REFINE3D:
        return dict(refine3d_final_files(root), map_angdist=refine3d_final_optional_files(root)['map_angdist'])
    if job_type == MULTIBODY:
        return multibody_final_files(root, 0)
    return dict(INITIAL_MODEL_FILES) if job_type == INITIAL_MODEL else {}


def refine3d_final_files(root: str) -> Dict[str, str]:
    """Role -> path of what a converged auto-refine leaves: map, unfiltered half maps and STAR files.

    Do not continue from its `optimiser`: RELION accepts it, but it is past the separation of the half sets.
    """
    names = {role: '%s_%s.star' % (root, role) for role in _STARS + ('model',)}
    names.update(map=root + '_class001.mrc', half1=root + '_half1_class001_unfil.mrc',
                 half2=root + '_half2_class001_unfil.mrc')
    return names


def multibody_final_files(root: str, nr_bodies: int) -> Dict[str, str]:
    """Role -> path of what a converged multi-body refinement leaves: per body NNN a map (bodyNNN) and its unfiltered half
    maps (half1_bodyNNN, half2_bodyNNN); STAR files for all."""
    names = {role: '%s_%s.star' % (root, role) for role in _STARS + ('model',)}
    for body in body_roles(nr_bodies):
        names[body] = '%s_%s.mrc' % (root, body)
        names.update(('%s_%s' % (half, body), '%s_%s_%s_unfil.mrc' % (root, half, body)) for half in ('half1', 'half2'))
    return names


#: The place of each particle along the principal motions, by image name.
PROJECTIONS = ANALYSE + '_projections_along_eigenvectors_all_particles.txt'
#: Maps along each motion.
MAPS_PER_COMPONENT = 10


def component_maps(number: int) -> List[str]:
    """Maps along principal motion `number` (from 1), in order."""
    return ['%s_component%03d_bin%03d.mrc' % (ANALYSE, number, place) for place in range(1, MAPS_PER_COMPONENT + 1)]


def selection_file(number: int, low: float, high: float) -> str:
    """The particles between two places along principal motion `number`; RELION rounds the limits in the name."""
    limits = [(word, int(math.copysign(math.floor(abs(value) + 0.5), value)))
              for word, value in (('_min', low), ('_max', high)) if abs(value) < NO_LIMIT]
    return '%s_eval%03d_select%s.star' % (ANALYSE, number, ''.join('%s%d' % limit for limit in limits))


def refine3d_final_optional_files(root: str) -> Dict[str, str]:
    """Role -> path of what a converged auto-refine may leave besides: the mask, if RELION had to fit it to the box."""
    return {'map_angdist': root + '_class001_angdist.bild', 'mask': root + '_solvent_mask.mrc'}


def other_half(path: str) -> Optional[str]:
    """The name under which RELION looks for the other half map: half1 <-> half2 in the file's name; None if neither."""
    folder, name = posixpath.split(path)
    for one, other in (('half1', 'half2'), ('half2', 'half1')):
        if one in name:
            return posixpath.join(folder, name.replace(one, other))
    return None


def is_half_pair(*paths: str) -> bool:
    """True where RELION finds the second of two half maps by the name of the first, as it must."""
    return len(paths) == 2 and other_half(paths[0]) == paths[1]


