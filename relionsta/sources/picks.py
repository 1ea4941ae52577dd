"""Picked particles: STAR files of pytom-match-pick and of RELION 5."""
import glob
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import pandas as pd

from relionsta.star import StarError, is_complete, read_star

from .names import match_tomogram
from .picktable import CENTERED, UNBINNED, VOXEL, PickTable, has_coordinates, read_pick_table
from .text import SourceError, first_existing, short_list

__all__ = ['CENTERED', 'UNBINNED', 'VOXEL', 'Picks', 'match_tomogram', 'read_picks']

_LIST_COLUMNS = ('rlnTomoName', 'rlnTomoImportParticleFile')
_SET_COLUMN = 'rlnTomoParticlesFile'
_POSE = ['tomo_name', 'x', 'y', 'z', 'rot', 'tilt', 'psi', 'sub_rot', 'sub_tilt', 'sub_psi']


@dataclass(frozen=True, eq=False)
class Picks:
    """Picked particles of one or more tomograms.

    path: what was read; files: the STAR files with the picks.
    coordinates: what x, y, z of `table` are, for all rows:
        CENTERED  Angstrom from voxel index N/2 of the tomogram (RELION's rlnCenteredCoordinateX/Y/ZAngst)
        VOXEL     0-based voxel index of the tomogram that was searched; its voxel size is in voxel_size
        UNBINNED  0-based pixel of the unbinned tomogram (RELION's older rlnCoordinateX/Y/Z); its pixel size is that of
                  the tilt series, and in voxel_size where the file tells it
    oriented: False where the file has no angles (then they are 0 and mean nothing).
    table: one row per pick, columns
        tomo_name               as in the file; match_tomogram finds the tomogram
        x, y, z                 see above
        voxel_size              Angstrom, NaN where unknown or not needed
        rot, tilt, psi          rlnAngleRot, Tilt, Psi, deg
        sub_rot, sub_tilt, sub_psi  rlnTomoSubtomogramRot, Tilt, Psi, deg; 0 where absent. The full orientation is
                                A_sub · A_part (see relionsta.geometry.compose_pose)
        score                   rlnLCCmax or rlnAutopickFigureOfMerit, NaN where there is none
        and every other column of the file as it is, rlnOriginX/Y/ZAngst among them (not added to x, y, z).
    warnings: sentences for the user.
    """

    path: Path
    files: Tuple[Path, ...]
    coordinates: str
    oriented: bool
    table: pd.DataFrame
    warnings: List[str]

    @property
    def tomo_names(self) -> List[str]:
        """The tomogram names in the file, each once, in order of appearance."""
        return list(dict.fromkeys(self.table['tomo_name']))


def read_picks(path: Union[str, Path], coordinates: Optional[str] = None) -> Picks:
    """Read picks from: a STAR file of pytom-match-pick (also with --relion5-compat, also merged); a particles.star of
    RELION 5; a list STAR (rlnTomoName, rlnTomoImportParticleFile); an optimisation set; or a folder or pattern of STAR
    files, of which those without picks are left out (a RELION job's folder is refused: which of its files is meant?).

    coordinates: VOXEL or UNBINNED, to say what rlnCoordinateX/Y/Z are where the file does not.
    Raises SourceError where nothing can be read, a column is missing, a value is no number, files use different
    coordinates, or picks come twice in different files.
    """
    if coordinates not in (None, VOXEL, UNBINNED):
        raise SourceError("coordinates is '%s': give %s or %s." % (coordinates, VOXEL, UNBINNED))
    top = Path(str(path)).expanduser()
    notes: List[str] = []
    if top.is_file():
        tables = _from_file(top, coordinates)
    else:
        tables = _from_many(top, coordinates, notes)
    return _join(top, tables, notes)


def _from_many(top: Path, coordinates: Optional[str], notes: List[str]) -> List[PickTable]:
    if (top / 'job.star').exists():
        raise SourceError('%s: this is the folder of a RELION job, whose STAR files may hold the same particles '
                          'several times (iterations, removed ones): give one file, such as its particles.star or '
                          'run_data.star.' % top)
    pattern = str(Path(glob.escape(str(top))) / '*.star') if top.is_dir() else str(top)
    files = [Path(name) for name in sorted(glob.glob(pattern, recursive=True)) if Path(name).is_file()]
    if not files:
        raise SourceError('%s: no STAR file found: give a STAR file, a folder of them, or a pattern.' % top)
    tables, others = [], []
    for file in files:
        blocks = _read(file)
        if _with_picks(blocks):
            tables.append(_picks_of(file, blocks, coordinates))
        else:
            others.append(file.name)
    if not tables:
        raise SourceError('%s: none of %d STAR files holds picks (rlnCoordinateX/Y/Z or '
                          'rlnCenteredCoordinateX/Y/ZAngst): %s.' % (top, len(files), ', '.join(others[:8])))
    if others:
        notes.append('left out, because there are no picks in them: %s.' % ', '.join(others))
    return tables


def _from_file(file: Path, coordinates: Optional[str]) -> List[PickTable]:
    blocks = _read(file)
    for table in blocks.values():
        if all(column in table for column in _LIST_COLUMNS):
            return _from_list(file, table, coordinates)
        if _SET_COLUMN in table and len(table):
            named = str(table[_SET_COLUMN].iloc[0])
            return _from_file(_resolve(file, named, _SET_COLUMN), coordinates)
    return [_picks_of(file, blocks, coordinates)]


def _from_list(file: Path, table: pd.DataFrame, coordinates: Optional[str]) -> List[PickTable]:
    """The files that a list STAR names. Of a file with more tomograms, only the rows of the one it is listed for."""
    tables = []
    for tomo_name, named in table[list(_LIST_COLUMNS)].astype(str).to_numpy():
        member = _resolve(file, named, _LIST_COLUMNS[1])
        picks = _picks_of(member, _read(member), coordinates, tomo_name)
        own = {name: match_tomogram(name, [tomo_name]) for name in picks.table['tomo_name'].unique()}
        rows = picks.table['tomo_name'].map(own).notna()
        if len(rows) and not rows.any():
            raise SourceError("%s: listed in %s for tomogram '%s', but its picks are of %s: correct one of the two."
                              % (member, file, tomo_name, short_list(list(own))))
        tables.append(picks.of_tomogram(rows, tomo_name))
    return tables


def _resolve(file: Path, named: str, column: str) -> Path:
    """A path in a STAR file: relative to the folder of the file, to one above it (RELION's project), or to ours."""
    candidates = [Path(named)] if Path(named).is_absolute() else [
        *(folder / named for folder in file.absolute().parents), Path(named)]
    found = first_existing(candidates)
    if found is None or not found.is_file():
        raise SourceError("%s: %s names '%s', which is not there (looked from the folder of the file upwards): correct "
                          "the path." % (file, column, named))
    return found


def _picks_of(file: Path, blocks: Dict[str, pd.DataFrame], coordinates: Optional[str],
              tomo_name: Optional[str] = None) -> PickTable:
    names = _with_picks(blocks)
    if 'particles' in names:
        names = ['particles']
    if len(names) != 1:
        seen = '; '.join('data_%s: %s' % (name, ', '.join(list(table.columns)[:6])) for name, table in blocks.items())
        raise SourceError('%s: %s block has coordinates (rlnCenteredCoordinateX/Y/ZAngst or rlnCoordinateX/Y/Z). Found '
                          '%s. Give a file of picks.' % (file, 'more than one' if names else 'no', seen))
    picks = read_pick_table(file, names[0], blocks[names[0]], blocks.get('optics'), coordinates, tomo_name)
    if is_complete(file):
        return picks
    note = '%s: has no empty line at its end. If the file was cut, there were more than these %d picks.' % (
        file.name, len(picks.table))
    return replace(picks, notes=(*picks.notes, note))


def _with_picks(blocks: Dict[str, pd.DataFrame]) -> List[str]:
    return [name for name, table in blocks.items() if has_coordinates(table)]


def _read(file: Path) -> Dict[str, pd.DataFrame]:
    try:
        return read_star(file)
    except StarError as error:
        raise SourceError(str(error)) from error


def _join(top: Path, tables: Sequence[PickTable], notes: List[str]) -> Picks:
    kinds = {table.coordinates: table.path for table in tables}
    if len(kinds) > 1:
        raise SourceError('%s: the files use different coordinates, %s: import them one kind after the other.'
                          % (top, ' and '.join('%s in %s' % item for item in kinds.items())))
    empty = [table.path.name for table in tables if not len(table.table)]
    if len(empty) == len(tables):
        raise SourceError('%s: there is no pick in it: pick with a lower threshold, or choose another file.' % top)
    if empty:
        notes.append('no picks in %s.' % ', '.join(empty))
    full = [table for table in tables if len(table.table)]
    joined = pd.concat([table.table for table in full], ignore_index=True, sort=False)
    _check_twice(full, joined, notes)
    for table in full:
        notes.extend(note for note in table.notes if note not in notes)
    return Picks(top, tuple(dict.fromkeys(table.path for table in tables)), full[0].coordinates,
                 any(table.oriented for table in full), joined, notes)


def _check_twice(tables: Sequence[PickTable], joined: pd.DataFrame, notes: List[str]) -> None:
    """Tell of picks that come twice in a file; refuse those in two files, such as a merged one and its parts."""
    origin = pd.Series(np.repeat(np.arange(len(tables)), [len(table.table) for table in tables]))
    for what, key in (('picks', _POSE), ('particle names', ['rlnTomoParticleName'])):
        keys = joined[key].dropna() if set(key) <= set(joined) else joined.iloc[:0, :0]
        twice = keys[keys.duplicated(keep=False)] if len(keys) else keys
        if not len(twice):
            continue
        members = origin[twice.index].groupby([twice[column] for column in key]).unique()
        shared = members[members.map(len) > 1]
        if len(shared):
            raise SourceError('the same %s are in %s: leave one of the files out.'
                              % (what, ' and '.join(str(tables[member].path) for member in shared.iloc[0])))
        notes.append('%d %s are there more than once; all were kept.' % (int(twice.duplicated().sum()), what))
