"""The alignment table of AreTomo 1, 2 and 3 (`<series>.aln`)."""
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import pandas as pd

from .text import Line, TextFile, parse_table, read_text, to_float, to_int

_FIX = 'Run AreTomo3 on this series again, or take the series out of the import.'
_NEEDED = ('SEC', 'ROT', 'TX', 'TY', 'TILT')
_ONCE = ('RawSize', 'NumPatches', 'AlphaOffset', 'BetaOffset', 'Thickness')


@dataclass(frozen=True, eq=False)
class AlnFile:
    """What an .aln file says, in its own numbers.

    raw_size: nx, ny (px of the unbinned motion-corrected images) and the number of images, dark ones included.
    darks: 0-based indexes of the dark images, in the series sorted by tilt.
    alpha_offset, beta_offset: deg; None where the file has no such line (AreTomo 1 and early 2).
    thickness: unbinned px, None where unknown.
    rows: one row per kept image with the columns line, SEC, ROT (deg), TX, TY (px), TILT (deg) and what else there is.
    """

    file: TextFile
    raw_size: Tuple[int, int, int]
    darks: Tuple[int, ...]
    alpha_offset: Optional[float]
    beta_offset: Optional[float]
    thickness: Optional[float]
    rows: pd.DataFrame
    num_patches: int
    num_local_rows: int

    @property
    def path(self) -> Path:
        """The file."""
        return self.file.path


def read_aln(path: Path) -> AlnFile:
    """Read an .aln file. Columns are found by the names in its header line, never by their place.

    Raises SourceError where the file is missing, lacks RawSize or the table header, says something twice,
    or holds a line that is not what it should be.
    """
    file = read_text(path, _FIX)
    header: Dict[str, Line] = {}
    dark_lines: List[Line] = []
    columns: List[str] = []
    table: List[Line] = []
    local: List[Line] = []
    in_local = False
    for line in file.lines:
        if line.text.startswith('#'):
            key, equals, value = (part.strip() for part in line.text[1:].partition('='))
            if equals and key == 'DarkFrame':
                dark_lines.append(Line(line.number, value))
            elif equals and key in _ONCE:
                if key in header:
                    raise file.error(line.number, '%s is given a second time (first in line %d): the file is damaged. '
                                     '%s' % (key, header[key].number, _FIX))
                header[key] = Line(line.number, value)
            elif key.split()[:1] == ['SEC']:
                columns = _column_names(file, line, key, bool(columns))
            elif key.lower() == 'local alignment':
                in_local = True
        elif in_local:
            local.append(line)
        elif not columns:
            raise file.error(line.number, "numbers come before the header line '# SEC ROT GMAG TX TY …': the file is "
                             "damaged. %s" % _FIX)
        else:
            table.append(line)
    if not table:
        raise file.error(file.lines[-1].number, 'the file ends without any aligned image, it is cut short. %s' % _FIX)
    raw_size = _raw_size(file, header)
    return AlnFile(file, raw_size, _darks(file, dark_lines, raw_size[2]),
                   _number(file, header, 'AlphaOffset'), _number(file, header, 'BetaOffset'),
                   _number(file, header, 'Thickness'), parse_table(file, table, columns, ['SEC']),
                   int(_number(file, header, 'NumPatches') or 0), len(local))


def _column_names(file: TextFile, line: Line, text: str, again: bool) -> List[str]:
    names = text.split()
    missing = [name for name in _NEEDED if name not in names]
    if missing or again or len(set(names)) != len(names):
        raise file.error(line.number, "the header of the table is '%s': it must name %s, each once, in one such line. "
                         "%s" % (text, ', '.join(_NEEDED), _FIX))
    return names


def _raw_size(file: TextFile, header: Dict[str, Line]) -> Tuple[int, int, int]:
    if 'RawSize' not in header:
        raise file.error(1, "the file has no line '# RawSize = nx ny n': it is damaged or no AreTomo alignment. %s"
                         % _FIX)
    line = header['RawSize']
    sizes = [to_int(file, line.number, token, 'RawSize') for token in line.text.split()]
    if len(sizes) != 3 or min(sizes) < 1:
        raise file.error(line.number, "RawSize is '%s', three numbers above 0 are expected (nx ny n). %s"
                         % (line.text, _FIX))
    return sizes[0], sizes[1], sizes[2]


def _number(file: TextFile, header: Dict[str, Line], key: str) -> Optional[float]:
    return to_float(file, header[key].number, header[key].text, key) if key in header else None


def _darks(file: TextFile, lines: List[Line], n_raw: int) -> Tuple[int, ...]:
    """The first number of each DarkFrame line: the second one means different things in different versions."""
    found: List[int] = []
    for line in lines:
        index = to_int(file, line.number, (line.text.split() or [''])[0], 'DarkFrame')
        if index in found or not 0 <= index < n_raw:
            raise file.error(line.number, 'DarkFrame %d is given twice or lies outside the series (0 to %d). %s'
                             % (index, n_raw - 1, _FIX))
        found.append(index)
    return tuple(sorted(found))
