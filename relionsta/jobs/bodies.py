"""The bodies of a multi-body refinement: the table of a form, and RELION's STAR file of it."""
from dataclasses import dataclass
from pathlib import Path
from typing import List, Sequence, Union

import pandas as pd

from ..star import write_star
from .tokens import number

#: Widths of the priors that RELION's own help proposes: degrees, and pixels.
SIGMA_ANGLES = 10.0
SIGMA_OFFSET_PIXELS = 2.0
COLUMNS = ('body that it rotates against', 'sigma of its angles (deg)', 'sigma of its offset (A)')


@dataclass(frozen=True)
class Body:
    """A body. mask: path; relative_to: number (from 1) of the body that it rotates against; sigma_angles (degrees) and
    sigma_offset (Å): widths of the Gaussian priors on its rotation and its shift."""

    mask: str
    relative_to: int
    sigma_angles: float
    sigma_offset: float


def default_bodies(masks: Sequence[str], pixel: float) -> List[Body]:
    """All bodies against the first, the largest, and that one against the second, with RELION's widths. pixel: Å."""
    offset = round(SIGMA_OFFSET_PIXELS * pixel, 1)
    return [Body(mask, 2 if place == 0 else 1, SIGMA_ANGLES, offset) for place, mask in enumerate(masks)]


def bodies_text(bodies: Sequence[Body]) -> str:
    """The table of a form: a line per body."""
    return '\n'.join(' '.join((str(body.relative_to), number(body.sigma_angles), number(body.sigma_offset)))
                     for body in bodies)


def parse_bodies(text: str, masks: Sequence[str]) -> List[Body]:
    """The bodies of a table (see COLUMNS; blanks or commas between, # begins a remark), a line for each of the masks.

    Raises ValueError, naming line and value, for another number of lines or columns, for what is no number, for a body
    that is to rotate against itself or one that there is not, and for widths that are not above 0.
    """
    lines = [line.split('#')[0].replace(',', ' ').split() for line in text.splitlines()]
    lines = [words for words in lines if words]
    if len(lines) != len(masks):
        raise ValueError('it has %d line%s for %d masks. Give a line for each mask, in the order of the masks.'
                         % (len(lines), '' if len(lines) == 1 else 's', len(masks)))
    return [_body(words, mask, place, len(masks)) for place, (words, mask) in enumerate(zip(lines, masks), start=1)]


def _body(words: Sequence[str], mask: str, place: int, total: int) -> Body:
    if len(words) != len(COLUMNS):
        raise ValueError('line %d, "%s", has %d columns. Give three: %s.'
                         % (place, ' '.join(words), len(words), ', '.join(COLUMNS)))
    try:
        against, angles, offset = int(words[0]), float(words[1]), float(words[2])
    except ValueError:
        raise ValueError('line %d, "%s", holds what is no number. Give: %s.'
                         % (place, ' '.join(words), ', '.join(COLUMNS))) from None
    others = [str(one) for one in range(1, total + 1) if one != place]
    if str(against) not in others:
        raise ValueError('line %d: body %d is to rotate against body %d. Choose another body: %s.'
                         % (place, place, against, ' or '.join(others)))
    for value, name in ((angles, COLUMNS[1]), (offset, COLUMNS[2])):
        if not 0 < value < float('inf'):
            raise ValueError('line %d: the %s is %g, and must be above 0.' % (place, name, value))
    return Body(mask, against, angles, offset)


def write_bodies(path: Union[str, Path], bodies: Sequence[Body]) -> None:
    """Write the STAR file that RELION takes."""
    write_star(path, {'': pd.DataFrame({
        'rlnBodyMaskName': [body.mask for body in bodies],
        'rlnBodyRotateRelativeTo': [body.relative_to for body in bodies],
        'rlnBodySigmaAngles': [body.sigma_angles for body in bodies],
        'rlnBodySigmaOffsetAngst': [body.sigma_offset for body in bodies]})})
