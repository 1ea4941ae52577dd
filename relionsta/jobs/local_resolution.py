"""Local resolution: how well each part of a map is resolved, and the map filtered accordingly."""
from typing import List, Tuple

from .common import IO, NR_MPI, OTHER_ARGS
from .files import LOCAL_RESOLUTION_ROOT, other_half
from .job import Complaints, Job, Request
from .option import Kind, Option
from .tokens import flag, flag_if, positive

RESMAP = 'ResMap'
#: Options of RELION's program, of the same names, that its GUI does not show.
MEASURING = ('locres_sampling', 'locres_randomize_at', 'locres_minres')
TAB = 'Relion'


def _extra(name: str, label: str, text: str, sensible: Tuple[float, float]) -> Option:
    return Option(name, Kind.FLOAT, -1.0, label, text + ' -1: automatic.', TAB, unit='A', hard=(-1, None),
                  sensible=sensible, advanced=True, extra=True)


OPTIONS = (
    Option('fn_in', Kind.PATH, '', 'One of the 2 unfiltered half-maps',
           'Either unfiltered half map of an auto-refine or Reconstruct particle job; RELION finds the other one by '
           'its name (half1, half2).', IO),
    Option('fn_mask', Kind.PATH, '', 'User-provided solvent mask',
           'RELION measures everywhere and uses the mask for its histogram only; ResMap measures inside of it.', IO),
    Option('angpix', Kind.FLOAT, 1.0, 'Calibrated pixel size (A)',
           'Pixel size of the half maps; all resolutions scale with it.', IO, unit='A', hard=(0.01, None),
           sensible=(0.3, 20)),
    Option('do_resmap_locres', Kind.BOOL, True, 'Use ResMap?',
           'Yes: another program, ResMap, makes the estimate. It works in a window of its own.', RESMAP),
    Option('fn_resmap', Kind.PATH, '/public/EM/ResMap/ResMap-1.1.4-linux64', 'ResMap executable',
           'Where the program ResMap is.', RESMAP, condition='do_resmap_locres'),
    Option('pval', Kind.FLOAT, 0.05, 'P-value', 'Significance that a feature must have.', RESMAP, hard=(0, 1),
           condition='do_resmap_locres'),
    Option('minres', Kind.FLOAT, 0.0, 'Highest resolution (A)', '0: just above twice the pixel size.', RESMAP, unit='A',
           hard=(0, None), condition='do_resmap_locres'),
    Option('maxres', Kind.FLOAT, 0.0, 'Lowest resolution (A)', '0: four times the pixel size.', RESMAP, unit='A',
           hard=(0, None), condition='do_resmap_locres'),
    Option('stepres', Kind.FLOAT, 1.0, 'Resolution step size (A)', 'Steps at which it is tested.', RESMAP, unit='A',
           hard=(0.01, None), condition='do_resmap_locres'),
    Option('do_relion_locres', Kind.BOOL, False, 'Use Relion?',
           'Yes: a small soft sphere is moved over the half maps, and the FSC is measured in each place.', TAB),
    Option('adhoc_bfac', Kind.FLOAT, -100.0, 'User-provided B-factor',
           'Sharpening of the locally filtered map, in A^2; that of the post-processing is usually right. Negative '
           'sharpens; too strong a value turns noise into detail.', TAB, unit='A^2',
           sensible=(-2000, 0)),
    Option('fn_mtf', Kind.PATH, '', 'MTF of the detector (STAR file)',
           'Contrast transfer of the camera by spatial frequency, undone before sharpening. Without it, that loss is '
           'part of the B-factor, which is fine for most maps.', TAB, advanced=True),
    _extra('locres_sampling', 'Sampling rate (A)',
           'Distance between the places where the FSC is measured; the soft sphere is as wide. RELION takes 25. A '
           'sphere much smaller than the resolution measures nothing.', (5, 100)),
    _extra('locres_randomize_at', 'Randomise phases from (A)',
           'From here on the effect of the sphere itself is measured and taken off. It must be well below the '
           'resolution of the map (a larger number). RELION takes 25.', (5, 200)),
    _extra('locres_minres', 'Lowest local resolution (A)',
           'What is worse is written as this. RELION takes 50.', (10, 500)),
    NR_MPI, OTHER_ARGS,
)


def build(request: Request) -> List[List[str]]:
    """The command of RELION's GUI for its own estimate."""
    return [[request.program('relion_postprocess'), '--locres'] + flag('--i', request['fn_in'])
            + ['--o', request.out + LOCAL_RESOLUTION_ROOT] + flag('--angpix', request['angpix'])
            + flag('--adhoc_bfac', request['adhoc_bfac']) + flag_if(request['fn_mtf'], '--mtf', request['fn_mtf'])
            + flag_if(request['fn_mask'], '--mask', request['fn_mask'])
            + [token for name in MEASURING for token in positive('--' + name, request[name])] + request.other_args()]


def check(found: Complaints) -> None:
    """One program must be chosen, and a half map whose other half has the matching name."""
    if found['do_resmap_locres'] == found['do_relion_locres']:
        found.add('do_relion_locres', 'and "Use ResMap?" says the same; one program makes the estimate.',
                  'Choose Yes here and No for ResMap, or the other way round.', gui=True)
    found.missing('fn_in', 'Choose one of the two half maps.')
    if found['fn_in'] and other_half(found['fn_in']) is None:
        found.add('fn_in', "and RELION finds the other half map by 'half1' or 'half2' in the name.",
                  'Rename or link the two half maps, for example to half1.mrc and half2.mrc.', gui=True)
    if found['do_resmap_locres'] and not found['do_relion_locres']:
        found.add('do_resmap_locres', 'and ResMap, another program with windows of its own, is not started here.',
                  'Choose No, and Yes in "Use Relion?".', gui=True)


LOCAL_RESOLUTION = Job('relion.localres', 'Local resolution', 'LocalRes', OPTIONS, build, (check,))
