"""The ladder of a project: the resolution after each step, in Å and in Fourier shells."""
import csv
import io
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

from ..star.writer import write_whole

PathLike = Union[str, Path]
#: The columns of a table of the ladder; STEP and RESOLUTION are in every ladder, the rest where it is known.
STEP, RESOLUTION, PIXEL, BOX, KEPT, NOTE = 'step', 'resolution_A', 'pixel_A', 'box', 'kept', 'note'
COLUMNS = (STEP, RESOLUTION, PIXEL, BOX, KEPT, NOTE)
#: Where RELION finds no resolution it writes this many Å.
NO_RESOLUTION = 999.0


class LadderError(ValueError):
    """A file or a list that is no ladder; the message names the file, the entry and the fix."""


@dataclass(frozen=True)
class Rung:
    """The resolution after one step.

    step: its name. resolution: Å, at FSC 0.143. pixel (Å) and box (voxels): of the half maps, None where not known. kept:
    later steps go on from it. note: why not, or anything else that a reader should know.
    """

    step: str
    resolution: float
    pixel: Optional[float] = None
    box: Optional[int] = None
    kept: bool = True
    note: str = ''

    @property
    def extent(self) -> Optional[float]:
        """Width of the box, Å; Fourier shells lie 1 / extent apart."""
        return None if self.pixel is None or self.box is None else self.pixel * self.box

    @property
    def shell(self) -> Optional[int]:
        """The Fourier shell of the resolution: box * pixel / resolution; None where the box is not known."""
        return None if self.extent is None else shell_of(self.resolution, self.extent)

    @property
    def nyquist(self) -> Optional[float]:
        """The finest spacing that the voxels hold, Å."""
        return None if self.pixel is None else 2 * self.pixel

    @property
    def at_nyquist(self) -> bool:
        """True where the voxels, and not the data, may be the limit: within one shell of Nyquist."""
        return self.shell is not None and self.box is not None and self.shell >= self.box // 2 - 1

    def to_dict(self) -> Dict[str, Any]:
        """As JSON keeps it."""
        return {STEP: self.step, RESOLUTION: round(self.resolution, 6), PIXEL: self.pixel, BOX: self.box, KEPT: self.kept,
                NOTE: self.note}


def shell_of(resolution: float, extent: float) -> int:
    """The number of the Fourier shell at `resolution` (Å) of a box that is `extent` Å wide."""
    return int(round(extent / resolution))


def shells_gained(before: Rung, after: Rung) -> Optional[int]:
    """By how many Fourier shells `after` is better than `before`; negative where it is worse. None: boxes not known.

    Between boxes of different width, shells of the smaller box are counted: they are the wider ones.
    """
    if before.extent is None or after.extent is None:
        return None
    extent = min(before.extent, after.extent)
    return shell_of(after.resolution, extent) - shell_of(before.resolution, extent)


def gain(before: Rung, after: Rung) -> float:
    """By which part the resolution is better: 0.25 from 16 to 12 Å; negative where it is worse."""
    return 1 - after.resolution / before.resolution


def kept_rungs(rungs: Sequence[Rung]) -> List[Rung]:
    """The rungs that later steps go on from."""
    return [rung for rung in rungs if rung.kept]


def fall_back(rungs: Sequence[Rung]) -> int:
    """The most Fourier shells that a kept rung lies behind the best kept rung before it; 0 where none does.

    Rungs without a box are left out: their shells are not known.
    """
    known = [rung for rung in kept_rungs(rungs) if rung.extent is not None]
    return max([-_gained(before, after) for number, after in enumerate(known) for before in known[:number]] + [0])


def _gained(before: Rung, after: Rung) -> int:
    return shells_gained(before, after) or 0


def shells_text(shells: Optional[int]) -> str:
    """A gain in words: 'better by 2 shells', 'fell back by 1 shell', 'the same shell'; '' where it is not known."""
    if shells is None:
        return ''
    if shells == 0:
        return 'the same shell'
    many = '%d shell%s' % (abs(shells), '' if abs(shells) == 1 else 's')
    return ('better by ' if shells > 0 else 'fell back by ') + many


def resolution_text(resolution: float) -> str:
    """Å for people; RELION's number for 'none' in words."""
    return 'none' if resolution >= NO_RESOLUTION else '%.2f Å' % resolution


def base_of(rungs: Sequence[Rung], number: int) -> Optional[Rung]:
    """The rung that number `number` went on from: the last one before it that was kept; None for the first."""
    before = kept_rungs(rungs[:number])
    return before[-1] if before else None


def ladder_lines(rungs: Sequence[Rung]) -> List[str]:
    """The ladder as lines of a table: step, resolution, what it gained, whether it was kept and why not."""
    width = max([len(rung.step) for rung in rungs] + [4])
    lines = []
    for number, rung in enumerate(rungs):
        base = base_of(rungs, number)
        said = [shells_text(shells_gained(base, rung)) if base is not None else '',
                '' if rung.kept else 'not kept', rung.note]
        lines.append(('%-*s  %9s  %s' % (width, rung.step, resolution_text(rung.resolution),
                                         '; '.join(text for text in said if text))).rstrip())
    return lines


# ------------------------------------------------------------------- files
def to_list(rungs: Sequence[Rung]) -> List[Dict[str, Any]]:
    """The ladder as JSON keeps it: a list of `step`, `resolution_A` and the rest."""
    return [rung.to_dict() for rung in rungs]


def from_list(entries: Any, where: str) -> List[Rung]:
    """The rungs of such a list; only `step` and `resolution_A` must be there. where: named in a LadderError."""
    if not isinstance(entries, list):
        raise LadderError('%s: the ladder is not a list. Make it again.' % where)
    return [_rung(entry, '%s, rung %d' % (where, number)) for number, entry in enumerate(entries, start=1)]


def _rung(entry: Any, where: str) -> Rung:
    if not isinstance(entry, dict) or STEP not in entry or RESOLUTION not in entry:
        raise LadderError('%s: it needs "%s" and "%s". Add them.' % (where, STEP, RESOLUTION))
    resolution = entry[RESOLUTION]
    if isinstance(resolution, bool) or not isinstance(resolution, (int, float)) or not 0 < resolution < math.inf:
        raise LadderError('%s: "%s" is %r. Give a number of Å above 0.' % (where, RESOLUTION, resolution))
    return Rung(str(entry[STEP]), float(resolution), entry.get(PIXEL), entry.get(BOX), bool(entry.get(KEPT, True)),
                str(entry.get(NOTE) or ''))


def write_ladder(path: PathLike, rungs: Sequence[Rung]) -> None:
    """Write the ladder as JSON, whole or not at all."""
    write_whole(path, [(json.dumps(to_list(rungs), indent=1, ensure_ascii=False) + '\n').encode('utf-8')])


def read_ladder(path: PathLike) -> List[Rung]:
    """Read a ladder from JSON: a list, or the `ladder` of a summary. LadderError where it is none, OSError where missing."""
    try:
        content = json.loads(Path(path).read_text(encoding='utf-8'))
    except ValueError as error:
        raise LadderError('%s: this is no JSON (%s). Make it again.' % (path, error)) from error
    return from_list(content.get('ladder') if isinstance(content, dict) else content, str(path))


def write_ladder_csv(path: PathLike, rungs: Sequence[Rung]) -> None:
    """Write the ladder as a table for any spreadsheet."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator='\n')
    table.writeheader()
    table.writerows(to_list(rungs))
    write_whole(path, [text.getvalue().encode('utf-8')])
