"""Which tomogram does a name in another program's file mean?"""
import re
from typing import Collection, Iterator, Optional

from .text import SourceError

_DECORATION = re.compile(
    r'^rec_(?=.)'
    r'|(?<=.)\.(mrcs?|rec|st|ali|map|hdf|em|tomostar|zarr|ome)$'
    r'|(?<=.)_(vol|evn|odd|2nd|3rd|half[12]|rec|full|bin\d+(\.\d+)?|\d+(\.\d+)?Apx)$', re.IGNORECASE)


def match_tomogram(name: str, known_ids: Collection[str]) -> Optional[str]:
    """The one of known_ids that `name` means, or None.

    name: as written by a picking program: perhaps a path, with `rec_` before it (RELION) and an end such as .mrc, _Vol,
    _EVN_Vol (AreTomo3), _10.00Apx (Warp), _rec (IMOD). What fits with the least taken away wins; at last names are
    compared as Scipion spells tilt-series names (TS_ before a digit, - as _, without dots).
    Raises SourceError where two of known_ids fit equally well.
    """
    reduced = name
    for reduced in _reductions(name):
        if reduced in known_ids:
            return reduced
    for spelled in (lambda text: text, _as_scipion):
        fitting = sorted(one for one in known_ids if spelled(_core(one)) == spelled(reduced))
        if len(fitting) > 1:
            raise SourceError("tomogram '%s' may be any of %s: rename it in the file." % (name, ', '.join(fitting)))
        if fitting:
            return fitting[0]
    return None


def _reductions(name: str) -> Iterator[str]:
    """The name, its last part, and what is left as one decoration after the other is taken away."""
    yield name
    text = re.split(r'[/\\]', name.rstrip('/\\'))[-1]
    while True:
        yield text
        shorter = _DECORATION.sub('', text, count=1)
        if shorter == text:
            return
        text = shorter


def _core(name: str) -> str:
    return list(_reductions(name))[-1]


def _as_scipion(name: str) -> str:
    plain = re.sub(r'[.\[\]]', '', name).replace('-', '_').replace('__', '_')
    return re.sub(r'^TS_(?=\d)', '', plain)
