"""The reference that CTF refinement and Bayesian polishing compare the tilt images with."""
from typing import List, Tuple

from .common import IO
from .files import other_half
from .job import Complaints, Request
from .option import Kind, Option
from .tokens import flag, flag_if

REFERENCE_INPUT: Tuple[Option, ...] = (
    Option('in_halfmaps', Kind.PATH, '', 'One of the 2 reference half-maps',
           'Either unfiltered half map, at the pixel size of the tilt series (binning 1), as Reconstruct particle '
           'makes it; RELION finds the other one by its name (half1, half2).', IO),
    Option('in_refmask', Kind.PATH, '', 'Reference mask',
           'A soft mask around the particle with the box of the half maps, so that noise of the solvent is not fitted.',
           IO),
    Option('in_post', Kind.PATH, '', 'Input postprocess STAR',
           'postprocess.star of these half maps: its FSC says how far each frequency of the reference is to be trusted.',
           IO),
)


def reference_tokens(request: Request) -> List[str]:
    """Half maps, mask and FSC, as RELION's GUI gives them."""
    first = request['in_halfmaps']
    return (flag('--ref1', first) + flag('--ref2', other_half(first) or first)
            + flag_if(request['in_refmask'], '--mask', request['in_refmask'])
            + flag_if(request['in_post'], '--fsc', request['in_post']))


def check_halves(found: Complaints) -> None:
    """A half map must be named, in a way that its partner can be found."""
    found.missing('in_halfmaps', 'Choose one of the two half maps of the reference.')
    if found['in_halfmaps'] and other_half(found['in_halfmaps']) is None:
        found.add('in_halfmaps', "and RELION finds the other half map by 'half1' or 'half2' in the name.",
                  'Rename or link the two half maps, for example to half1.mrc and half2.mrc.', gui=True)


def box_for_estimation(tab: str) -> Option:
    """The box of the particles' images, on the tab where the job has it."""
    return Option('box_size', Kind.INT, 128, 'Box size for estimation (pix)',
                  'Pixels of the tilt series; at least the box of the reference. A larger box holds more of the '
                  'high-resolution signal that defocus spreads.', tab, unit='pix', hard=(2, None), sensible=(32, 1024))
