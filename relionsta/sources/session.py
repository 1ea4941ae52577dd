"""The parameters of an AreTomo3 run (`AreTomo3_Session.json`)."""
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from .text import SourceError, read_text

SESSION_FILE = 'AreTomo3_Session.json'
_FIX = 'Restore it, or move it away and give pixel size, voltage, Cs and amplitude contrast.'
# AreTomo3's first versions leave text in lists without quotes, which is no JSON: then numbers are read line by line
_LINE = re.compile(r'^\s*"(\w+)"\s*:\s*(\[[-+.\deE,\s]*\]|[-+.\deE]+|"[^"]*")\s*,?\s*$')


@dataclass(frozen=True)
class Session:
    """What the run was told; None where the file does not say (or there is no file).

    pixel_size: Angstrom of the raw frames; mc_bin: binning in motion correction; the images in the stack have their
    product. voltage kV, cs mm, amplitude_contrast fraction. tilt_axis: deg as given to the program, and its flag
    (below 0: the program must not turn the axis). flip_vol: 0, 1 or 2.
    """

    path: Optional[Path] = None
    name: str = ''
    version: str = ''
    pixel_size: Optional[float] = None
    mc_bin: Optional[float] = None
    voltage: Optional[float] = None
    cs: Optional[float] = None
    amplitude_contrast: Optional[float] = None
    tilt_axis: Optional[Tuple[float, float]] = None
    flip_vol: Optional[int] = None

    @property
    def image_pixel_size(self) -> Optional[float]:
        """Angstrom per pixel of the motion-corrected images, None where unknown (PixSize 0 means: from the mdoc)."""
        return self.pixel_size * self.mc_bin if self.pixel_size and self.mc_bin else None


def read_session(folder: Path) -> Session:
    """The session file of a folder; an empty Session where there is none (AreTomo 1 and 2 write none).

    Raises SourceError where the file is damaged, or a parameter is of the wrong kind.
    """
    path = folder / SESSION_FILE
    if not path.exists():
        return Session()
    top = _load(path)
    inner = top.get('parameters', top)
    software = top.get('software', {})
    if not isinstance(inner, dict) or not isinstance(software, dict):
        raise SourceError("%s: 'parameters' and 'software' must be objects { }. %s" % (path, _FIX))
    values = _Parameters(path, inner)
    flip = values.number('FlipVol')
    if flip is not None and flip not in (0, 1, 2):
        raise SourceError('%s: FlipVol is %g, expected 0, 1 or 2. %s' % (path, flip, _FIX))
    return Session(
        path, str(software.get('name', top.get('Name', 'AreTomo3'))),
        str(software.get('version', top.get('Version', ''))).strip(),
        values.number('PixSize'), values.number('McBin'), values.number('kV'), values.number('Cs'),
        values.number('AmpContrast'), values.axis(), None if flip is None else int(flip))


class _Parameters:
    """Typed access to the parameters; their names differ in case between versions."""

    def __init__(self, path: Path, values: Dict[str, Any]):
        self._path = path
        self._values = {key.lower(): value for key, value in values.items()}

    def number(self, name: str) -> Optional[float]:
        value = self._values.get(name.lower())
        if value is None:
            return None
        return self._as_number(name, value)

    def axis(self) -> Optional[Tuple[float, float]]:
        value = self._values.get('tiltaxis')
        if value is None or value == []:
            return None
        parts: List[Any] = value if isinstance(value, list) else [value]
        numbers = [self._as_number('TiltAxis', part) for part in parts]
        return numbers[0], numbers[1] if len(numbers) > 1 else 0.

    def _as_number(self, name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SourceError('%s: %s is %s, a number is expected. %s' % (self._path, name, json.dumps(value), _FIX))
        return float(value)


def _load(path: Path) -> Dict[str, Any]:
    file = read_text(path, _FIX)
    text = '\n'.join(line.text for line in file.lines)

    def once(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
        found: Dict[str, Any] = {}
        for key, value in pairs:
            if found.setdefault(key, value) != value:
                raise SourceError("%s: '%s' is given twice, as %s and %s. %s" % (
                    path, key, json.dumps(found[key]), json.dumps(value), _FIX))
        return found

    try:
        loaded = json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        if not text.endswith('}') or text.count('{') != text.count('}'):
            number = file.lines[min(error.lineno, len(file.lines)) - 1].number
            raise file.error(number, 'this is no complete JSON (%s): the file is damaged or cut short. %s'
                             % (error.msg, _FIX)) from error
        matches = [match for match in (_LINE.match(line.text) for line in file.lines) if match]
        loaded = once([(match.group(1), json.loads(match.group(2))) for match in matches])
    if not isinstance(loaded, dict):
        raise SourceError('%s: the file must hold one object { }. %s' % (path, _FIX))
    return loaded
