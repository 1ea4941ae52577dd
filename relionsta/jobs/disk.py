"""How much each job writes: bytes and files, from its values and the sizes of its inputs.

The formulas count the files that RELION 5.1 writes (jobs/files.py names them); a test compares them with what real runs have
written. Text takes a part that was measured: bytes of a row of particles.star, of a drawing of a curve.
"""
from typing import Any, Callable, Dict, Mapping, NamedTuple

from .extract import STACKS_2D
from .refine_options import SAMPLINGS

HEADER = 1024  # bytes of an MRC file before its data
ROW = 320  # of particles.star, with its names
NUMBER = 13  # bytes of a number in a STAR file
COARSE = 2  # the step of a sampling that is not known, as its place in RELION's list
STEP = 14000  # bytes of optimiser, sampling and optimisation set of an iteration
DRAWING = 60000  # bytes of an .eps of curves
DIRECTION = 27  # bytes of a direction in sampling.star; half of it in model.star
ARROW = 85  # bytes of a direction that is drawn
TRACK = 190  # bytes of a tilt of a particle's path in each of three drawings
POINT = 25.0  # Å between the points at which a local resolution is measured
SHIFT = 3800  # bytes of a tilt in a drawing of shifts
#: Iterations that an auto-refine takes to converge: nobody knows before.
TYPICAL_ITERATIONS = 16
#: The initial model writes every tenth iteration, and every one where fewer particles than this take part.
GRADIENT_EVERY, GRADIENT_PARTICLES = 10, 1000
#: Maps along each motion of a multi-body refinement.
MOTION_MAPS = 10


class Sizes(NamedTuple):
    """Sizes of what goes into a job; 0 where it has none. particles and box: of their images, pixels; tilts: images of a
    particle; series: tilt series; stacks: the images are 2D; out_box: pixels of the images or maps that are made;
    out_voxels: of a tomogram that is made; width: Å, of the maps that are made; bodies: of a multi-body refinement;
    iterations: that are still to be done, 0 where the values say it."""

    particles: int = 0
    tilts: float = 0.0
    series: int = 0
    box: int = 0
    stacks: bool = True
    out_box: int = 0
    out_voxels: float = 0.0
    width: float = 0.0
    bodies: int = 0
    iterations: int = 0


#: Estimates are right to this factor.
WITHIN = 1.5
#: Iterations that an auto-refine takes at least.
FEWEST_ITERATIONS = 3


class Room(NamedTuple):
    """Bytes and files that a job writes, and what that is made of, in words; least: part of that which is certain."""

    bytes: float
    files: int
    reason: str
    least: float = 1 / WITHIN


def room_for(job_type: str, values: Mapping[str, Any], sizes: Sizes) -> Room:
    """What a job of this type writes; nothing for types that write next to nothing."""
    estimate = _JOBS.get(job_type)
    return estimate(values, sizes) if estimate is not None else Room(0.0, 0, '')


def _map(box: int) -> float:
    return HEADER + 4.0 * box ** 3


def _extract(values: Mapping[str, Any], sizes: Sizes) -> Room:
    number, box = 2 if values.get('do_float16') else 4, sizes.out_box
    if values.get('subtomo_format', STACKS_2D) == STACKS_2D and values.get('do_stack2d', True):
        files, each, kind = 1, HEADER + number * sizes.tilts * box ** 2, '%.3g images of each' % sizes.tilts
    else:  # the image; weights and multiplicity are halves of a cube each
        files, each, kind = 2, 2 * HEADER + 2.0 * number * box ** 3, 'two volumes of each'
    return Room(sizes.particles * (each + ROW), sizes.particles * files,
                '%d particles, %s, %d pixels wide' % (sizes.particles, kind, box))


def _reconstruct(values: Mapping[str, Any], sizes: Sizes) -> Room:
    maps = 12 if values.get('do_helix') else 9  # half maps and map, each with its sums of data and of weights
    return Room(maps * _map(sizes.out_box), maps, '%d maps of %d pixels' % (maps, sizes.out_box))


def _directions(values: Mapping[str, Any], option: str = 'sampling') -> int:
    """Directions of RELION's sphere at the step of the search: 12 x 4^order, also where only those nearby are tried."""
    if not values.get('dont_skip_align', True):
        return 1
    sampling = values.get(option)
    return 12 * 4 ** (SAMPLINGS.index(sampling) if sampling in SAMPLINGS else COARSE)


def _tables(sizes: Sizes, models: int, directions: int) -> float:
    """Text of an iteration: particles, and for each class or half map spectra and directions, which are drawn as well."""
    each = sizes.box // 2 * 16 * NUMBER + directions * DIRECTION / 2 + min(directions, sizes.particles) * ARROW
    return sizes.particles * ROW + models * each + directions * DIRECTION + STEP


def _iterations(values: Mapping[str, Any], sizes: Sizes) -> int:
    return sizes.iterations or int(values.get('nr_iter', TYPICAL_ITERATIONS))


def _class3d(values: Mapping[str, Any], sizes: Sizes) -> Room:
    classes, steps = int(values.get('nr_classes', 1)), _iterations(values, sizes) + 1
    directions = _directions(values)
    each = classes * _map(sizes.box) + _tables(sizes, classes, directions)
    return Room(steps * each + classes * directions * ARROW, steps * (classes + 6),
                '%d iterations of %d class%s of %d pixels' % (steps - 1, classes, 'es' if classes > 1 else '', sizes.box))


def _initial_model(values: Mapping[str, Any], sizes: Sizes) -> Room:
    classes = int(values.get('nr_classes', 1))
    every = GRADIENT_EVERY if sizes.particles >= GRADIENT_PARTICLES else 1
    steps = _iterations(values, sizes) // every + 1
    moments = 3 * (HEADER + 8.0 * (sizes.box // 2 + 1) * sizes.box ** 2)
    each = classes * (_map(sizes.box) + moments) + _tables(sizes, classes, _directions(values))
    return Room(steps * each + _map(sizes.box),
                steps * (4 * classes + 6), '%d steps of %d class%s of %d pixels with their gradients' % (
                    steps, classes, 'es' if classes > 1 else '', sizes.box))


def _refine(values: Mapping[str, Any], sizes: Sizes) -> Room:
    steps, parts = sizes.iterations or TYPICAL_ITERATIONS, max(1, sizes.bodies)
    # the search becomes finer on the way: half of the iterations at its first step, half at twice the finest that is given
    coarse, fine = _directions(values), 4 * max(_directions(values), _directions(values, 'auto_local_sampling'))
    each = 4 * parts * _map(sizes.box) + (_tables(sizes, 2 * parts, coarse) + _tables(sizes, 2 * parts, fine)) / 2
    return Room((steps + 1) * each + 4 * parts * _map(sizes.box) + 2 * parts * coarse * ARROW, (steps + 1) * (4 * parts + 8),
                'about %d iterations of two half maps of %d pixels, filtered and not%s' % (
                    steps, sizes.box, ', for each of %d bodies' % parts if parts > 1 else ''),
                FEWEST_ITERATIONS / steps / WITHIN)


def _multibody(values: Mapping[str, Any], sizes: Sizes) -> Room:
    refined = _refine(values, sizes)
    motions = int(values.get('nr_movies', 0)) if values.get('do_analyse', True) else 0
    maps = (motions * MOTION_MAPS + sizes.bodies) * _map(sizes.box)
    return Room(refined.bytes + maps + (6 * sizes.bodies + 2) * DRAWING + sizes.particles * 12 * sizes.bodies * NUMBER,
                refined.files + motions * MOTION_MAPS, refined.reason + (
                    ', and %d motions of %d maps' % (motions, MOTION_MAPS) if motions else ''), refined.least)


def _maps(number: int, drawings: int) -> Callable[[Mapping[str, Any], Sizes], Room]:
    def estimate(_values: Mapping[str, Any], sizes: Sizes) -> Room:
        return Room(number * _map(sizes.out_box) + drawings * DRAWING, number + drawings,
                    '%d map%s of %d pixels' % (number, 's' if number > 1 else '', sizes.out_box))
    return estimate


def _local_resolution(_values: Mapping[str, Any], sizes: Sizes) -> Room:
    curves = (sizes.width / POINT) ** 3 * (sizes.out_box // 2 + 1) * 3 * NUMBER
    return Room(2 * _map(sizes.out_box) + curves + DRAWING, 4, '2 maps of %d pixels and the curves of their points'
                % sizes.out_box)


def _subtract(values: Mapping[str, Any], sizes: Sizes) -> Room:
    number, box = 2 if values.get('do_float16') else 4, sizes.out_box
    each = number * (sizes.tilts * box ** 2 if sizes.stacks else float(box) ** 3)
    return Room(sizes.particles * (HEADER + each + 3 * ROW), sizes.particles,
                '%d images of %d pixels' % (sizes.particles, box))


def _ctf_refine(_values: Mapping[str, Any], sizes: Sizes) -> Room:
    return Room(sizes.particles * ROW + sizes.series * (2 * DRAWING + sizes.tilts * 30 * NUMBER), sizes.series * 7,
                'the curves of %d tilt series' % sizes.series)


def _polish(values: Mapping[str, Any], sizes: Sizes) -> Room:
    motion = bool(values.get('do_motion'))
    paths = ROW + 2 * 3 * NUMBER * (sizes.tilts + 1) + 3 * TRACK * sizes.tilts if motion else 0.0
    return Room(sizes.particles * paths + sizes.series * sizes.tilts * (SHIFT + 25 * NUMBER), sizes.series * 8,
                'the paths of %d particles' % sizes.particles if motion else 'the shifts of %d tilt series' % sizes.series)


def _tomograms(values: Mapping[str, Any], sizes: Sizes) -> Room:
    each = 2 if values.get('generate_split_tomograms') else 1
    number = 2 if values.get('do_float16') else 4
    return Room(sizes.series * each * (HEADER + number * sizes.out_voxels), sizes.series * each,
                '%d tomogram%s of %.3g million voxels%s' % (
                    sizes.series, 's' if sizes.series > 1 else '', sizes.out_voxels / 1e6,
                    ', two halves of each' if each > 1 else ''))


_JOBS: Dict[str, Callable[[Mapping[str, Any], Sizes], Room]] = {
    'relion.pseudosubtomo': _extract,
    'relion.reconstructparticletomo': _reconstruct,
    'relion.class3d': _class3d,
    'relion.initialmodel.tomo': _initial_model,
    'relion.refine3d.tomo': _refine,
    'relion.multibody': _multibody,
    'relion.maskcreate': _maps(1, 0),
    'relion.postprocess': _maps(2, 2),
    'relion.localres': _local_resolution,
    'relion.subtract': _subtract,
    'relion.ctfrefinetomo': _ctf_refine,
    'relion.framealigntomo': _polish,
    'relion.reconstructtomograms': _tomograms,
}
