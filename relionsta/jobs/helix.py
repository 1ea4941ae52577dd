"""Helical refinement: options, tokens and checks that classification and auto-refine share."""
from typing import List, Tuple

from .job import Complaints, Request
from .option import ANY, Kind, Option, Range
from .tokens import derived, flag, flag_if, positive

TAB = 'Helix'
_APPLIED = 'do_helix and do_apply_helical_symmetry'
_SEARCHED = _APPLIED + ' and do_local_search_helical_symmetry'


def _number(name: str, default: float, label: str, text: str, unit: str, condition: str = 'do_helix',
            hard: Range = ANY) -> Option:
    return Option(name, Kind.FLOAT, default, label, text, TAB, unit=unit, condition=condition, hard=hard)


def _range(angle: str, default: float) -> Option:
    return _number('range_' + angle, default, 'Angular search range - %s (deg)' % angle,
                   'Global searches stay within +/- this of the prior %s angle. Below 0 counts as 0: no prior.' % angle,
                   'deg', hard=(-1, 180))


HELIX: Tuple[Option, ...] = (
    Option('do_helix', Kind.BOOL, False, 'Do helical reconstruction?',
           'Yes for filaments whose axis lies along Z of the map; the particles are then segments of them.', TAB),
    _number('helical_tube_inner_diameter', -1.0, 'Tube diameter - inner (A)',
            'Diameter of the hollow along the axis, masked out. -1: not hollow.', 'A', hard=(-1, None)),
    _number('helical_tube_outer_diameter', -1.0, 'Tube diameter - outer (A)',
            'Diameter of the filament with a little around it; what is outside is masked.', 'A', hard=(-1, None)),
    _range('rot', -1.0), _range('tilt', 15.0), _range('psi', 10.0),
    _number('helical_range_distance', -1.0, 'Local averaging - range (box)',
            'Poses of neighbours along one filament are averaged over this many boxes; 2 if it is flexible. -1: off.',
            'box', hard=(-1, None)),
    Option('helical_nstart', Kind.INT, 1, 'Local averaging - N-start symmetry',
           'Number of strands of the helix; counts where neighbours along a filament are averaged (option above).', TAB,
           hard=(1, None), sensible=(1, 20), condition='do_helix', since=(5, 1), advanced=True),
    Option('keep_tilt_prior_fixed', Kind.BOOL, True, 'Keep tilt-prior fixed',
           'Yes: the tilt angle stays near its prior (90 degrees for filaments in the plane). No: the prior follows '
           'the refined angle.', TAB, condition='do_helix'),
    Option('do_apply_helical_symmetry', Kind.BOOL, True, 'Apply helical symmetry?',
           'No while the symmetry is still unknown.', TAB, condition='do_helix', until=(5, 0)),
    Option('helical_nr_asu', Kind.INT, 1, 'Number of unique asymmetrical units',
           'Helical units by which neighbouring segments are apart: their distance divided by the rise.', TAB,
           hard=(1, None), sensible=(1, 100), condition=_APPLIED),
    _number('helical_twist_initial', 0.0, 'Initial helical twist (deg)',
            'Rotation from one unit to the next; positive for a right-handed helix.', 'deg', _APPLIED, (-360, 360)),
    _number('helical_rise_initial', 0.0, 'Initial helical rise (A)',
            'Distance along the axis from one unit to the next.', 'A', _APPLIED, (0, None)),
    Option('helical_z_percentage', Kind.FLOAT, 30.0, 'Central Z length (%)',
           'Part of the box along Z from which the helix is measured and extended; the ends are less reliable.', TAB,
           unit='%', hard=(1, 100), sensible=(5, 80), condition=_APPLIED),
    Option('do_local_search_helical_symmetry', Kind.BOOL, False, 'Do local searches of symmetry?',
           'Yes: refine twist and rise within the limits below.', TAB, condition=_APPLIED),
) + tuple(
    _number('helical_%s_%s' % (kind, end), 0.0, 'Helical %s search (%s) - %s' % (kind, unit, word), text % kind, unit,
            _SEARCHED, hard)
    for kind, unit, hard in (('twist', 'deg', (-360.0, 360.0)), ('rise', 'A', (0.0, None)))
    for end, word, text in (('min', 'Min', 'Lower limit of the search for the %s.'),
                            ('max', 'Max', 'Upper limit of the search for the %s.'),
                            ('inistep', 'Step', 'First step of the search for the %s; 0: RELION chooses.')))


def _symmetry(request: Request) -> List[str]:
    if not request['do_apply_helical_symmetry']:
        return ['--ignore_helical_symmetry']
    tokens = (flag('--helical_nr_asu', request['helical_nr_asu'])
              + flag('--helical_twist_initial', request['helical_twist_initial'])
              + flag('--helical_rise_initial', request['helical_rise_initial'])
              + ['--helical_z_percentage', derived(request['helical_z_percentage'], over=100)])
    if request['do_local_search_helical_symmetry']:
        tokens.append('--helical_symmetry_search')
        for kind in ('twist', 'rise'):
            start = 'helical_%s_' % kind
            tokens += (flag('--%smin' % start, request[start + 'min']) + flag('--%smax' % start, request[start + 'max'])
                       + positive('--%sinistep' % start, request[start + 'inistep']))
    return tokens


def _priors(request: Request) -> List[str]:
    """RELION's GUI passes a third of each range as the standard deviation, after cutting it to 0..90 degrees."""
    tokens: List[str] = []
    for angle in ('tilt', 'psi', 'rot'):
        tokens += ['--sigma_' + angle, derived(min(max(request['range_' + angle], 0), 90), over=3)]
    return tokens


def _distance(request: Request) -> List[str]:
    if request['helical_range_distance'] <= 0:
        return []
    tokens = ['--helical_sigma_distance', derived(request['helical_range_distance'], over=3)]
    return tokens + (flag('--helical_nstart', request['helical_nstart']) if request.version >= (5, 1) else [])


def helix_tokens(request: Request, with_priors: bool, prior_flag_first: bool, distance_with_priors: bool) -> List[str]:
    """Tokens of the Helix tab; none if it is off.

    with_priors: the ranges count (global searches). prior_flag_first: the place of --helical_keep_tilt_prior_fixed,
    which differs between RELION's jobs. distance_with_priors: local averaging only together with the ranges.
    """
    if not request['do_helix']:
        return []
    keep = flag_if(request['keep_tilt_prior_fixed'], '--helical_keep_tilt_prior_fixed')
    return (['--helix'] + positive('--helical_inner_diameter', request['helical_tube_inner_diameter'])
            + flag('--helical_outer_diameter', request['helical_tube_outer_diameter']) + _symmetry(request)
            + (keep if prior_flag_first else []) + (_priors(request) if with_priors else [])
            + (_distance(request) if with_priors or not distance_with_priors else [])
            + ([] if prior_flag_first else keep))


def check_helix(found: Complaints) -> None:
    """Diameters must make a tube, search limits a range that holds the start."""
    if not found['do_helix']:
        return
    if found['helical_tube_outer_diameter'] <= 0:
        found.add('helical_tube_outer_diameter', 'and a helix needs one.', 'Give the diameter of the filament in A.')
    elif found['helical_tube_inner_diameter'] >= found['helical_tube_outer_diameter']:
        found.add('helical_tube_inner_diameter', 'and the outer diameter is only %g A.'
                  % found['helical_tube_outer_diameter'], 'Choose a smaller one, or -1 for none.')
    if not (found['do_apply_helical_symmetry'] and found['do_local_search_helical_symmetry']):
        return
    for kind in ('twist', 'rise'):
        low, high, start = (found['helical_%s_%s' % (kind, end)] for end in ('min', 'max', 'initial'))
        if not low < high:
            found.add('helical_%s_max' % kind, 'and the lower limit is %g.' % low, 'Give limits that make a range.')
        elif not low <= start <= high:
            found.add('helical_%s_initial' % kind, 'outside of the search from %g to %g.' % (low, high),
                      'Choose limits around the initial %s.' % kind)
