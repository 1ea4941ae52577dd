"""Symmetry expansion: a copy of each particle for every asymmetric unit.

RELION's job list has no such job; its program is run as the RELION manual does. Helices are expanded by ourselves
(convert.expand): the program refuses them for particles in 3D.
"""
import re
from dataclasses import replace
from typing import List

from .common import IO, OTHER_ARGS, symmetry
from .files import SYMMETRY_EXPAND_FILES
from .job import Complaints, Job, Request
from .option import Kind, Option
from .tokens import flag

TAB = 'Symmetry'
#: Groups of rotations alone; RELION also takes groups with mirror planes, and makes mirror images.
ROTATIONS = re.compile(r'(?:[CD][1-9]\d?|T|O|I[1-4]?)\Z', re.IGNORECASE)

OPTIONS = (
    Option('fn_in', Kind.PATH, '', 'Input particles', 'The particles to expand.', IO),
    Option('do_helix', Kind.BOOL, False, 'Expand a helix?',
           'Yes: a copy for each of some neighbouring units of a helix along Z of the reference, moved and turned. No: a '
           'copy for each operation of a point group.', TAB),
    replace(symmetry(TAB), condition='not do_helix'),
    Option('helical_nr_asu', Kind.INT, 1, 'Number of units',
           'Copies of each particle: itself and its neighbours on both sides along the helix.', TAB, hard=(1, 1000),
           sensible=(2, 100), condition='do_helix'),
    Option('helical_twist', Kind.FLOAT, 0.0, 'Helical twist (deg)',
           'Rotation from one unit to the next; positive for a right-handed helix.', TAB, unit='deg',
           hard=(-360, 360), sensible=(-180, 180), condition='do_helix'),
    Option('helical_rise', Kind.FLOAT, 4.75, 'Helical rise (A)', 'Distance along the axis from one unit to the next.',
           TAB, unit='A', hard=(0, None), sensible=(0.5, 200), condition='do_helix'),
    OTHER_ARGS,
)


def build(request: Request) -> List[List[str]]:
    """RELION's program for a point group; none for a helix."""
    if request['do_helix']:
        return []
    return [['relion_particle_symmetry_expand'] + flag('--i', request['fn_in'])
            + ['--o', request.out + SYMMETRY_EXPAND_FILES['expanded']] + flag('--sym', request['sym_name'])
            + request.other_args()]


def check(found: Complaints) -> None:
    """There must be something to expand, by rotations alone."""
    found.missing('fn_in', 'Choose the particles to expand.')
    group = found['sym_name']
    if found['do_helix']:
        if found['helical_nr_asu'] == 1:
            found.add('helical_nr_asu', 'and nothing would be expanded.', 'Give 2 or more.')
        if found['helical_rise'] == 0 and found['helical_twist'] == 0:
            found.add('helical_rise', 'and without a twist all copies would be the same.', 'Give the rise in A.')
    elif not ROTATIONS.match(group):
        found.add('sym_name', 'which is no group of rotations; of mirror planes and inversions RELION makes mirror images '
                              'of the particle.', 'Give C2, D7, T, O, I1 or the like.')
    elif group.upper() == 'C1':
        found.add('sym_name', 'and there is nothing to expand.', 'Give the symmetry that the particle has, such as C2.')


SYMMETRY_EXPAND = Job('relion.symmetryexpand', 'Symmetry expansion', 'SymmetryExpand', OPTIONS, build, (check,))
