"""Single files of an IMOD alignment as eTomo leaves them: command files, transforms, lists of angles, .mdoc."""
import datetime
import re
from pathlib import Path
from typing import Dict, List, Optional, Set

import numpy as np
import pandas as pd

from .text import SourceError, parse_table, read_text, to_float

_FIX = 'Restore it, or finish the fine alignment in eTomo.'
_SECTION = re.compile(r'\[\s*ZValue\s*=\s*(\d+)\s*\]')
_SETTING = re.compile(r'\s*([\w.]+)\s*=\s*(.*)')
_TIMES = ('%d-%b-%y %H:%M:%S', '%d-%b-%Y %H:%M:%S', '%Y-%b-%d %H:%M:%S')


def read_com(path: Path) -> Dict[str, List[str]]:
    """The options of a command file such as tilt.com: name in capitals -> its values, as text, in order; empty where
    there is no such file."""
    options: Dict[str, List[str]] = {}
    if path.exists():
        for line in read_text(path, _FIX).lines:
            if line.text[0] not in '$#':
                name, *value = line.text.split(None, 1)
                options.setdefault(name.upper(), []).append(value[0] if value else '')
    return options


def view_numbers(path: Path, options: Dict[str, List[str]], *names: str) -> Set[int]:
    """The views (from 1) in the lists of these options, for example 1,5-7."""
    views: Set[int] = set()
    for name in names:
        for part in ','.join(options.get(name, [])).split(','):
            match = re.fullmatch(r'\s*(\d+)\s*(?:-\s*(\d+)\s*)?', part)
            if match:
                views |= set(range(int(match.group(1)), int(match.group(2) or match.group(1)) + 1))
            elif part.strip():
                raise SourceError("%s: %s has '%s', a list of views such as 1,5-7 is expected: correct it."
                                  % (path, name, part.strip()))
    return views


def read_xf(path: Path) -> np.ndarray:
    """Transforms (n, 3, 3), raw -> aligned, in pixels of the stack, from the image's centre."""
    file = read_text(path, _FIX)
    rows = parse_table(file, file.lines, ('a11', 'a12', 'a21', 'a22', 'dx', 'dy')).drop(columns='line').to_numpy()
    transforms = np.tile(np.eye(3), (len(rows), 1, 1))
    transforms[:, :2, :2], transforms[:, :2, 2] = rows[:, :4].reshape(-1, 2, 2), rows[:, 4:]
    return transforms


def read_angles(path: Path) -> np.ndarray:
    """One number (degrees) per line, as in .tlt, .rawtlt and .xtilt."""
    file = read_text(path, _FIX)
    return np.asarray(parse_table(file, file.lines, ('angle',))['angle'].to_numpy(dtype=np.float64))


def read_mdoc(path: Path) -> pd.DataFrame:
    """The images of an .mdoc of SerialEM or Tomography 5, by ZValue: tilt (deg), dose and prior_dose (e/A2), time
    (seconds), voltage (kV); NaN where it does not say."""
    file = read_text(path, 'Restore it.')
    sections: List[Dict[str, float]] = []
    top: Dict[str, float] = {}
    names = {'TiltAngle': 'tilt', 'ExposureDose': 'dose', 'PriorRecordDose': 'prior_dose', 'Voltage': 'voltage'}
    for line in file.lines:
        section, setting = _SECTION.match(line.text), _SETTING.match(line.text)
        into = sections[-1] if sections else top
        if section:
            sections.append({'z': float(section.group(1))})
        elif setting and setting.group(1) in names:
            into[names[setting.group(1)]] = to_float(file, line.number, setting.group(2).strip(), setting.group(1))
        elif setting and setting.group(1) == 'DateTime':
            into['time'] = _seconds(setting.group(2).strip())
    if not sections:
        raise SourceError('%s: there is no [ZValue = ...] in it: give the .mdoc of the tilt series.' % path)
    table = pd.DataFrame([{**top, **section} for section in sections]).sort_values('z', ignore_index=True)
    return table.reindex(columns=['tilt', 'dose', 'prior_dose', 'time', 'voltage'])


def _seconds(text: str) -> float:
    for form in _TIMES:
        moment: Optional[datetime.datetime] = None
        try:
            moment = datetime.datetime.strptime(' '.join(text.split()), form)
        except ValueError:
            continue
        return moment.replace(tzinfo=datetime.timezone.utc).timestamp()
    return float('nan')
