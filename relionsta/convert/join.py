"""Particles of several sets -> parts that go together: no name twice, no tilt series in another's place."""
from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Sequence, Set, Tuple

import numpy as np
import pandas as pd

from relionsta.objects import SetOfStaParticles

from .errors import ConvertError
from .merge_tomograms import merge_tomograms, same_tomogram
from .parts import HALF, NAME, TOMOGRAM, Part, block_rows, parts_of_set
from .poses import poses_of_rows

STOP, FIRST, RENAME = 'stop', 'first', 'rename'
#: Fraction by which two pixel sizes may differ.
SAME_PIXEL = 1e-4


class JoinRules(NamedTuple):
    """What to do where inputs clash. particles: STOP, keep the FIRST of each name, or RENAME those of later inputs;
    tomograms: STOP or RENAME; forget_halves: take half sets away from all."""

    particles: str = STOP
    tomograms: str = STOP
    forget_halves: bool = False


@dataclass
class Joined:
    """parts: of all inputs, places counted through. taken: particles of each input; left_out: those that were there
    already; renamed: particles that got a new name for it; tomograms: new name -> old, of each input."""

    parts: List[Part] = field(default_factory=list)
    taken: List[int] = field(default_factory=list)
    left_out: List[int] = field(default_factory=list)
    renamed: List[int] = field(default_factory=list)
    tomograms: List[Dict[str, str]] = field(default_factory=list)

    def object_ids(self) -> Dict[str, int]:
        """Particle name -> Scipion's id, without those whose id an earlier particle has."""
        ids: Dict[str, int] = {}
        used: Set[int] = set()
        for part in self.parts:
            for name, number in zip(part.table[NAME], part.ids.tolist()):
                if number not in used:
                    used.add(number)
                    ids[name] = number
        return ids


def check_alike(sets: Sequence[SetOfStaParticles]) -> None:
    """Raise ConvertError unless RELION can take the particles of these sets together.

    RELION averages all particles of a job with one pixel size, box and kind of image; its tomography programs also take
    one pixel size for the tilt series of all tomograms.
    """
    first = sets[0]
    for number, one in enumerate(sets[1:], start=2):
        for what, values, fix in (
                ('kind of images', (first.getKind(), one.getKind()), 'extract all as one kind'),
                ('box (pixels)', (first.getBoxSize(), one.getBoxSize()), 'extract all with one box'),
                ('pixel size of the tilt series (Å)', (first.getTiltSeriesPixelSize(), one.getTiltSeriesPixelSize()),
                 'RELION takes one for all tomograms; import the tilt series with the same calibrated pixel size if they '
                 'are of one microscope and magnification, and average the sessions apart if they are not'),
                ('pixel size of the particles (Å)', (first.getSamplingRate(), one.getSamplingRate()),
                 'extract all at one binning')):
            if not _alike(*values):
                raise ConvertError('the %s of input 1 is %s and that of input %d is %s; %s'
                                   % (what, _text(values[0]), number, _text(values[1]), fix))


def join_sets(sets: Sequence[SetOfStaParticles], rules: JoinRules) -> Joined:
    """The enabled particles of several sets, one after the other, without clashes.

    Tilt series that are called like one of an earlier input and are another one become S<number of the input>_<name>,
    in the names of their particles too; particles alone become <tomogram>/S<number>_<rest>. Files keep their names:
    images stay where they are. Raises ConvertError where the rules say STOP, naming what clashes; and as parts_of_set.
    """
    joined = Joined()
    names: Set[str] = set()
    tomograms: Dict[str, pd.Series] = {}
    start = 0
    for number, one in enumerate(sets, start=1):
        parts = parts_of_set(one)
        for part in parts:
            if rules.forget_halves and HALF in part.table:
                part.blocks['particles'] = part.table.drop(columns=HALF)
        joined.tomograms.append(_place_tomograms(parts, tomograms, number, rules.tomograms))
        total = sum(len(part.places) for part in parts)
        parts, renamed = _place_particles(parts, names, number, rules.particles, joined.parts)
        for part in parts:
            part.places = part.places + start
            names.update(part.table[NAME])
        start += total
        left = sum(len(part.places) for part in parts)
        joined.parts.extend(parts)
        joined.taken.append(left)
        joined.left_out.append(total - left)
        joined.renamed.append(renamed)
    halves = {HALF in part.table for part in joined.parts}
    if len(halves) > 1:
        raise ConvertError('some inputs have half sets (rlnRandomSubset) and others have none; take inputs of one kind, '
                           'or choose "Forget half sets"')
    return joined


def _place_tomograms(parts: List[Part], known: Dict[str, pd.Series], number: int, rule: str) -> Dict[str, str]:
    """Rename tomograms that are called like another one in `known`, and add all to it; returns new name -> old."""
    table = merge_tomograms(parts)
    clashes = [row[TOMOGRAM] for _, row in table.iterrows()
               if row[TOMOGRAM] in known and not same_tomogram(known[row[TOMOGRAM]], row)]
    if clashes and rule != RENAME:
        raise ConvertError('%d tilt series of input %d (%s) are called like others of the inputs before it, with other '
                           'images, alignment or CTF. If they are of another session, choose to rename them; if they '
                           'are the same images with a newer alignment, take particles of one alignment only'
                           % (len(clashes), number, ', '.join(clashes[:5])))
    new = {name: _unused('', 'S%d_' % number, name, known) for name in clashes}
    for part in parts:
        _rename_tomograms(part, {old: name for old, name in new.items() if (part.table[TOMOGRAM] == old).any()})
    for _, row in table.iterrows():
        row[TOMOGRAM] = new.get(row[TOMOGRAM], row[TOMOGRAM])
        known.setdefault(row[TOMOGRAM], row)
    return {name: old for old, name in new.items()}


def _rename_tomograms(part: Part, new: Dict[str, str]) -> None:
    """Tomograms, and the particles called after them, get new names; new: old -> new."""
    if not new:
        return
    table = part.table
    moved = table[TOMOGRAM].isin(list(new)).to_numpy()
    old_names, old_tomograms = table[NAME].to_numpy(dtype=object), table[TOMOGRAM].to_numpy(dtype=object)
    names = [_renamed(name, tomogram, new[tomogram]) if there else name
             for name, tomogram, there in zip(old_names, old_tomograms, moved)]
    part.old_tomograms.update({name: old for old, name in new.items()})
    _rename(part, names)
    table[TOMOGRAM] = table[TOMOGRAM].map(new).fillna(table[TOMOGRAM])


def _renamed(name: str, old: str, new: str) -> str:
    return new + name[len(old):] if name.startswith(old + '/') else '%s/%s' % (new, name)


def _rename(part: Part, names: Sequence[str]) -> None:
    """Give the particles of a part new names; what its files call them is remembered."""
    old = part.table[NAME].tolist()
    part.old_names = {name: part.old_names.get(before, before) for name, before in zip(names, old)
                      if name != before or before in part.old_names}
    part.table[NAME] = np.array(list(names), dtype=object)


def _place_particles(parts: List[Part], known: Set[str], number: int, rule: str,
                     before: Sequence[Part]) -> Tuple[List[Part], int]:
    """The parts without, or with other names for, particles that are called like one in `known`; and how many were
    renamed."""
    clashing = [part.table[NAME].isin(known).to_numpy() if known else np.zeros(len(part.places), bool) for part in parts]
    total = int(sum(mask.sum() for mask in clashing))
    if not total:
        return parts, 0
    if rule == STOP:
        raise ConvertError(_clash_text(parts, before, number))
    if rule == FIRST:
        return [_rows(part, ~mask) for part, mask in zip(parts, clashing) if not mask.all()], 0
    every = known.union(*(part.table[NAME] for part in parts))
    for part, mask in zip(parts, clashing):
        _rename(part, [_unused_particle(name, tomogram, 'S%d_' % number, every) if twice else name
                       for name, tomogram, twice in zip(part.table[NAME], part.table[TOMOGRAM], mask)])
    return parts, total


def _rows(part: Part, keep: np.ndarray) -> Part:
    """The rows of a part where `keep` (n,) is true."""
    by_row = block_rows(part.blocks)
    blocks = {name: block[keep].reset_index(drop=True) if name in by_row else block
              for name, block in part.blocks.items()}
    return Part(part.path, blocks, part.places[keep], part.ids[keep], part.tomograms, part.trajectories,
                part.old_tomograms, part.old_names)


def _clash_text(parts: Sequence[Part], before: Sequence[Part], number: int) -> str:
    """A message that says how far particles of the same name are apart: whether they are the same."""
    def places(some: Sequence[Part]) -> pd.DataFrame:
        names = np.concatenate([part.table[NAME].to_numpy(dtype=object) for part in some])
        return pd.DataFrame(np.concatenate([poses_of_rows(part.table)[0] for part in some]), index=names)
    here, there = places(parts), places(before)
    common = here.index[here.index.isin(there.index)]
    far = np.linalg.norm(here.loc[common].to_numpy() - there.loc[common].to_numpy(), axis=1)
    return ('%d particles of input %d are called like others of the inputs before it, the first of them %s; they are '
            '%.3g Å apart in the median and %.3g Å at most. If they are the same particles, choose to keep the first; if '
            'they are other ones (picked apart in the same tomograms), choose to rename them'
            % (len(common), number, common[0], np.median(far), far.max()))


def _unused(folder: str, mark: str, rest: str, taken: Any) -> str:
    """folder + mark + rest, with the mark as often as needed for a name that is not taken."""
    while True:
        rest = mark + rest
        if folder + rest not in taken:
            return folder + rest


def _unused_particle(name: str, tomogram: str, mark: str, taken: Set[str]) -> str:
    folder = tomogram + '/'
    return _unused(folder, mark, name[len(folder):] if name.startswith(folder) else name, taken)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= SAME_PIXEL * one
    return bool(one == other)


def _text(value: Any) -> str:
    return '%.6g' % value if isinstance(value, float) else str(value)
