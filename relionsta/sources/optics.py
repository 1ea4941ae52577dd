"""Pixel size and optics of a series: what the user gives, else what the session file says."""
import math
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional

from .mrc import MrcHeader
from .session import SESSION_FILE, Session
from .stack import Stacks
from .text import SourceError

_TOLERANCE = 0.01


@dataclass(frozen=True)
class Optics:
    """pixel_size: Angstrom of the motion-corrected images; voltage kV; cs mm; amplitude_contrast as fraction."""

    pixel_size: float
    voltage: float
    cs: float
    amplitude_contrast: float


@dataclass(frozen=True)
class GivenOptics:
    """What the user says, in the units of Optics; None where nothing is said."""

    pixel_size: Optional[float] = None
    voltage: Optional[float] = None
    cs: Optional[float] = None
    amplitude_contrast: Optional[float] = None


def choose_optics(given: GivenOptics, session: Session, stacks: Stacks, folder: Path, notes: List[str]) -> Optics:
    """Pixel size and optics: what is given wins over the session file (PixSize * McBin, never AtBin).

    Raises SourceError where a value is unknown or impossible, or where session and stack disagree on the pixel size.
    """
    origin = str(session.path or folder / SESSION_FILE)
    return Optics(
        _pixel_size(given.pixel_size, session, stacks, origin, notes),
        _choose('voltage', 'kV', given.voltage, session.voltage, origin, 1., 3000.),
        _choose('cs', 'Cs', given.cs, session.cs, origin, 0., 100.),
        _choose('amplitude_contrast', 'AmpContrast', given.amplitude_contrast, session.amplitude_contrast, origin,
                0., 1.))


def given_or_found(given: GivenOptics, header: MrcHeader, voltage: Optional[float], mdoc: Optional[Path]) -> Optics:
    """Pixel size and optics of a series without a session file: what is given wins over the stack's header and the
    voltage of the .mdoc. Raises SourceError where a value is unknown or impossible."""
    pixel, origin = given.pixel_size or header.pixel_size, str(mdoc or header.path)
    return Optics(_choose('pixel_size', 'the pixel size', pixel, None, str(header.path), 1e-3, 1e4),
                  _choose('voltage', 'Voltage', given.voltage, voltage, origin, 1., 3000.),
                  _choose('cs', 'Cs', given.cs, None, origin, 0., 100.),
                  _choose('amplitude_contrast', 'the amplitude contrast', given.amplitude_contrast, None, origin, 0., 1.))


def _choose(option: str, key: str, given: Optional[float], found: Optional[float], origin: str, low: float,
            high: float) -> float:
    value = found if given is None else given
    where = origin if given is None else 'the value given'
    if value is None:
        raise SourceError('%s: %s is not known (the file is missing or has no such parameter): give %s.'
                          % (origin, key, option))
    if not math.isfinite(value) or not low <= value <= high:
        raise SourceError('%s: %s is %g, expected %g to %g: give the right %s.'
                          % (where, key, value, low, high, option))
    return float(value)


def _pixel_size(given: Optional[float], session: Session, stacks: Stacks, origin: str, notes: List[str]) -> float:
    told, header = session.image_pixel_size, stacks.header_pixel_size
    if given is not None:
        if not given > 0 or not math.isfinite(given):
            raise SourceError('pixel size is %s: give a number of Angstrom above 0.' % given)
        for value, source in ((told, 'PixSize * McBin of the session file'), (header, 'the header of the stack')):
            if value and abs(value / given - 1) > _TOLERANCE:
                notes.append('pixel size: %.4f A was given and is used; %s says %.4f A.' % (given, source, value))
        return float(given)
    if told is None:
        hint = "; the header of the stack says %.4f A" % header if header else ''
        raise SourceError('%s: the pixel size is not known (PixSize and McBin)%s: give the pixel size of the unbinned '
                          'motion-corrected images.' % (origin, hint))
    if not told > 0:
        raise SourceError('%s: PixSize * McBin is %g A: give the pixel size.' % (origin, told))
    if header and abs(header / told - 1) > _TOLERANCE:
        raise SourceError('%s: PixSize * McBin is %.4f A, but the header of %s says %.4f A (another run may have '
                          'rewritten the session file): give the right pixel size.'
                          % (origin, told, stacks.path, header))
    return told
