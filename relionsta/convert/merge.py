"""Parts of several particles STAR files -> the one that RELION takes."""
from typing import Dict, List, Optional, Sequence

import numpy as np
import pandas as pd

from relionsta.star import LIST_BLOCK, require_columns

from . import defaults
from .errors import ConvertError
from .parts import NAME, TOMOGRAM, Part, block_rows, check_unique

GROUP = 'rlnOpticsGroup'
GROUP_NAME = 'rlnOpticsGroupName'
# RELION writes six digits: what differs by less is one value written twice.
_SAME = 1e-5

Blocks = Dict[str, pd.DataFrame]


def merge_particles(parts: Sequence[Part], keep_optics_apart: bool = False, drop_partial: bool = False) -> Blocks:
    """The blocks of one particles STAR with the rows of all parts, in their order; those of one part as they are.

    Optics groups become one where they have the same name and values; others of the same name get a number. Columns
    that only some files have are filled with what RELION takes without them (see defaults). keep_optics_apart: groups
    of different files stay different. drop_partial: leave out columns of data_particles that only some files have and
    that have no such value. Raises ConvertError, naming block and column, where files do not go together, and for two
    particles of the same name.
    """
    if len(parts) == 1:
        return parts[0].blocks
    _check_same_blocks(parts)
    merged: Blocks = {}
    groups = _merge_optics(parts, merged, keep_optics_apart)
    rows = {name: [part.blocks[name] for part in parts] for name in block_rows(parts[0].blocks)}
    for table, numbers in zip(rows['particles'], groups):
        table[GROUP] = numbers
    order = np.argsort(np.concatenate([part.places for part in parts]), kind='stable')
    for name in parts[0].blocks:
        if name in rows:
            tables = dict(enumerate(rows[name]))
            _complete(tables, parts, name, drop_partial)
            merged[name] = pd.concat(list(tables.values()), ignore_index=True).iloc[order].reset_index(drop=True)
        elif name != 'optics':
            merged[name] = parts[0].blocks[name]
    table = merged['particles']
    files = np.repeat(np.array([part.path for part in parts], dtype=object), [len(part.places) for part in parts])
    check_unique(table[NAME], files[order], 'the joined particles')
    if 'rlnGroupNumber' in table and 'rlnGroupName' not in table:
        # RELION's groups are the tomograms, counted anew in each file.
        table['rlnGroupNumber'] = pd.factorize(table[TOMOGRAM])[0] + 1
    return {name: merged[name] for name in parts[0].blocks}


def same_values(one: pd.Series, other: pd.Series) -> bool:
    """True where two rows hold the same: numbers to RELION's six digits, text to the letter."""
    for label in one.index:
        a, b = one[label], other[label]
        if isinstance(a, str) or isinstance(b, str):
            if str(a) != str(b):
                return False
        elif not np.isclose(float(a), float(b), rtol=_SAME, atol=_SAME):
            return False
    return True


def unused_name(name: str, taken: Sequence[str]) -> str:
    """The name, or the first of name_2, name_3... that is not taken."""
    number, free = 2, name
    while free in taken:
        free, number = '%s_%d' % (name, number), number + 1
    return free


def _check_same_blocks(parts: Sequence[Part]) -> None:
    """The files must be of one form: 2D or 3D, with or without tables of bodies."""
    first = parts[0]
    for part in parts:
        require_columns(part.blocks.get('optics', pd.DataFrame()), [GROUP, GROUP_NAME], part.path, 'optics')
        require_columns(part.table, [GROUP], part.path, 'particles')
        odd = sorted(set(part.blocks) ^ set(first.blocks))
        if odd:
            has, lacks = (part, first) if odd[0] in part.blocks else (first, part)
            raise ConvertError('%s has a block data_%s and %s has none; make both with the same kind of job before '
                               'they are joined' % (has.path, odd[0], lacks.path))
        for name in set(first.blocks) - {'optics', *block_rows(first.blocks)}:
            _check_same_list(name, first, part)


def _check_same_list(name: str, first: Part, part: Part) -> None:
    one, other = first.blocks[name], part.blocks[name]
    if not (one.attrs.get(LIST_BLOCK) and other.attrs.get(LIST_BLOCK)):
        if not one.equals(other):
            raise ConvertError('the blocks data_%s of %s and %s differ, and there is one for all particles of a file'
                               % (name, first.path, part.path))
        return
    for label in dict.fromkeys([*one.columns, *other.columns]):
        values = [table[label].iloc[0] if label in table else 'missing' for table in (one, other)]
        if values[0] != values[1]:
            raise ConvertError('%s is %s in %s and %s in %s (block data_%s), and RELION takes particles of one kind. '
                               'Make all in the same way' % (label, values[0], first.path, values[1], part.path, name))


def _merge_optics(parts: Sequence[Part], merged: Blocks, keep_apart: bool) -> List[np.ndarray]:
    """Put the table of all optics groups that have particles into `merged`; returns the new group of each row."""
    tables = {}
    for number, part in enumerate(parts):
        optics = part.blocks['optics']
        tables[number] = optics[optics[GROUP].isin(part.table[GROUP].unique())].reset_index(drop=True)
    _complete(tables, parts, 'optics', drop_partial=False)
    rows: List[pd.Series] = []
    file_of: List[str] = []
    renumbered = []
    for number, part in enumerate(parts):
        new: Dict[int, int] = {}
        for _, row in tables[number].iterrows():
            place = _place_of(row, rows, file_of, part.path if keep_apart else '')
            if place is None:
                place = len(rows)
                file_of.append(part.path)
                taken = [str(other[GROUP_NAME]) for other in rows]
                rows.append(pd.Series({**row, '_name': row[GROUP_NAME],
                                       GROUP_NAME: unused_name(str(row[GROUP_NAME]), taken)}, dtype=object))
            new[int(row[GROUP])] = place + 1
        unknown = ~part.table[GROUP].isin(list(new))
        if unknown.any():
            raise ConvertError('%s: particle %s is in optics group %s, which its block data_optics lacks'
                               % (part.path, part.table[NAME][unknown].iloc[0], part.table[GROUP][unknown].iloc[0]))
        renumbered.append(part.table[GROUP].map(new).to_numpy(dtype=np.int64))
    table = pd.DataFrame(rows).drop(columns='_name').reset_index(drop=True).infer_objects()
    table[GROUP] = np.arange(1, len(table) + 1)
    merged['optics'] = table
    return renumbered


def _place_of(row: pd.Series, rows: Sequence[pd.Series], files: Sequence[str], file: str) -> Optional[int]:
    """Where a group of the same name and values is; file: it must come from this one, '' for any."""
    values = row.drop([GROUP, GROUP_NAME])
    for place, other in enumerate(rows):
        if other['_name'] == row[GROUP_NAME] and file in ('', files[place]) and same_values(values, other):
            return place
    return None


def _complete(tables: Dict[int, pd.DataFrame], parts: Sequence[Part], block: str, drop_partial: bool) -> None:
    """Give the tables the same columns; ConvertError, naming the column, where that cannot be."""
    by_path = {'%d %s' % (number, parts[number].path): table for number, table in tables.items()}
    refused = defaults.fill(by_path, defaults.OPTICS if block == 'optics' else defaults.PARTICLES)
    if refused and drop_partial:
        for number in tables:
            tables[number] = tables[number].drop(columns=list(refused), errors='ignore')
    elif refused:
        label, path = next(iter(refused.items()))
        raise ConvertError('only some of the files to be joined have the column%s %s (block data_%s; %s has it), and '
                           'the others cannot be given a value; join them with "Join particles" and "Leave out columns '
                           'that only some inputs have", or treat all in the same way first'
                           % ('s' if len(refused) > 1 else '', ', '.join(refused), block, path.split(' ', 1)[1]))
