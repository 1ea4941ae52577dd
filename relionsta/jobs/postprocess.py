"""Post-processing: the resolution under a mask, and a sharpened map."""
from typing import List

from .common import IO, OTHER_ARGS
from .files import POSTPROCESS_ROOT, other_half
from .job import Complaints, Job, Request
from .option import Kind, Option
from .tokens import flag, flag_if

TAB = 'Sharpen'

OPTIONS = (
    Option('fn_in', Kind.PATH, '', 'One of the 2 unfiltered half-maps',
           'Either unfiltered half map of an auto-refine or Reconstruct particle job; RELION finds the other one by '
           'its name (half1, half2).', IO),
    Option('fn_mask', Kind.PATH, '', 'Solvent mask',
           'A soft mask around the particle, with the box of the half maps. The resolution is measured inside of it '
           'and corrected for the mask itself.', IO),
    Option('angpix', Kind.FLOAT, -1.0, 'Calibrated pixel size (A)',
           'Pixel size of the half maps if you know it better than their header, for example from a fitted model. '
           '-1: as in the header.', IO, unit='A', hard=(-1, None), sensible=(0.3, 20)),
    Option('do_auto_bfac', Kind.BOOL, True, 'Estimate B-factor automatically?',
           'Fits the fall-off of the amplitudes beyond 10 A. Only sensible for maps better than 10 A; else choose No '
           'and give a B-factor.', TAB),
    Option('autob_lowres', Kind.FLOAT, 10.0, 'Lowest resolution for auto-B fit (A)',
           'The fit starts here. Keep it near 10 A: at lower resolution the amplitudes show the shape of the particle.',
           TAB, unit='A', hard=(0.1, None), sensible=(8, 15), condition='do_auto_bfac'),
    Option('do_adhoc_bfac', Kind.BOOL, False, 'Use your own B-factor?',
           'Yes: sharpen by the value below. Choose this, and no automatic fit, for maps that do not reach 10 A.', TAB),
    Option('adhoc_bfac', Kind.FLOAT, -1000.0, 'User-provided B-factor',
           'In A^2; negative sharpens. Too strong a value turns noise into detail.', TAB, unit='A^2',
           sensible=(-2000, 0), condition='do_adhoc_bfac'),
    Option('do_skip_fsc_weighting', Kind.BOOL, False, 'Skip FSC-weighting?',
           'Yes: do not filter the map by its FSC but at the resolution below, for example where one part is better '
           'resolved than the whole.', TAB, advanced=True),
    Option('low_pass', Kind.FLOAT, 5.0, 'Ad-hoc low-pass filter (A)',
           'Resolution to filter to instead. Beyond the resolution of the map it shows noise. 0: no filter; -1: at the '
           'resolution itself.', TAB, unit='A', hard=(-1, None), sensible=(1, 40), condition='do_skip_fsc_weighting',
           advanced=True),
    Option('fn_mtf', Kind.PATH, '', 'MTF of the detector (STAR file)',
           'Contrast transfer of the camera by spatial frequency. Without it, that loss is part of the B-factor, which '
           'is fine for most maps.', TAB, advanced=True),
    Option('mtf_angpix', Kind.FLOAT, 1.0, 'Original detector pixel size',
           'Pixel size, in A, of the movies as recorded (not super-resolution): the MTF file refers to it.', TAB,
           unit='A', hard=(0.01, None), sensible=(0.3, 10), advanced=True),
    OTHER_ARGS,
)


def build(request: Request) -> List[List[str]]:
    """The command of RELION's GUI."""
    mtf = flag('--mtf', request['fn_mtf']) + flag('--mtf_angpix', request['mtf_angpix']) if request['fn_mtf'] else []
    automatic = ['--auto_bfac'] + flag('--autob_lowres', request['autob_lowres']) if request['do_auto_bfac'] else []
    own = flag('--adhoc_bfac', request['adhoc_bfac']) if request['do_adhoc_bfac'] else []
    skip = flag_if(request['do_skip_fsc_weighting'], '--skip_fsc_weighting')
    return [['relion_postprocess'] + flag('--mask', request['fn_mask']) + flag('--i', request['fn_in'])
            + ['--o', request.out + POSTPROCESS_ROOT] + flag('--angpix', request['angpix']) + mtf + automatic + own
            + skip + (flag('--low_pass', request['low_pass']) if skip else []) + request.other_args()]


def check(found: Complaints) -> None:
    """Half map and mask must be named, and one B-factor at most be asked for."""
    found.missing('fn_mask', 'Choose a solvent mask.')
    found.missing('fn_in', 'Choose one of the two half maps.')
    if found['fn_in'] and other_half(found['fn_in']) is None:
        found.add('fn_in', "and RELION finds the other half map by 'half1' or 'half2' in the name.",
                  'Rename or link the two half maps, for example to half1.mrc and half2.mrc.', gui=True)
    if found['angpix'] == 0:
        found.add('angpix', 'which is no pixel size.', 'Give the pixel size in A, or -1 to take it from the header.')
    if found['do_auto_bfac'] and found['do_adhoc_bfac']:
        found.add('do_adhoc_bfac', 'and the B-factor is to be estimated as well.',
                  'Choose No here or in "Estimate B-factor automatically?".')


POSTPROCESS = Job('relion.postprocess', 'Post-processing', 'PostProcess', OPTIONS, build, (check,))
