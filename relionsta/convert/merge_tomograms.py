"""The tomograms of several parts -> one tomograms.star."""
import os
import re
from typing import Dict, List, Sequence, Tuple

import numpy as np
import pandas as pd

from relionsta.star import read_star, require_columns, write_star
from relionsta.star.schemas import MICROSCOPE_COLUMNS

from . import defaults
from .errors import ConvertError
from .merge import GROUP_NAME, same_values, unused_name
from .parts import TOMOGRAM, Part

FILE = 'rlnTomoTiltSeriesStarFile'
#: Folder, beside the tomograms.star, of tilt series that had to be written anew.
FOLDER = 'tilt_series'
# RELION drops everything up to a job's folder from the paths of tilt series that it rewrites.
_JOB_FOLDER = re.compile(r'^.*?job\d+/')


def merge_tomograms(parts: Sequence[Part]) -> pd.DataFrame:
    """Block data_global with a row for each tomogram that has particles, from the files that the parts name.

    A tomogram that several files name counts once if its values and its tilt series are the same. Optics groups of
    the same name and other values get a number. Raises ConvertError for two tilt series of one name, for a tomogram
    that its file lacks, and for columns that only some files have and that have no default.
    """
    rows = _complete({path: table for path, table in _needed(parts).items() if len(table)})
    clashes: Dict[str, Tuple[str, str]] = {}
    kept: Dict[str, pd.Series] = {}
    for path, table in rows.items():
        for _, row in table.iterrows():
            name = row[TOMOGRAM]
            if name not in kept:
                kept[name] = pd.Series({**row, '_from': path}, dtype=object)
            elif not same_tomogram(kept[name], row):
                clashes[name] = (kept[name]['_from'], path)
    if clashes:
        name, (one, other) = next(iter(clashes.items()))
        raise ConvertError('%d tilt series %s the same name as others (%s) with other images, alignment or CTF: %s is in '
                           '%s and in %s. Join them with "Join particles", which can rename those of later inputs; or '
                           'take particles of one alignment' % (
                               len(clashes), 'have' if len(clashes) > 1 else 'has', ', '.join(list(clashes)[:5]), name,
                               one, other))
    table = pd.DataFrame(list(kept.values())).drop(columns='_from').reset_index(drop=True).infer_objects()
    return _with_group_names(table)


def write_tomograms(table: pd.DataFrame, path: str, old_names: Dict[str, str]) -> None:
    """Write a merged tomograms.star, and anew the tilt series that were renamed or would take one another's place.

    table: of merge_tomograms. path: relative to the project. old_names: new name of a tomogram -> the one in its file.
    """
    table = table.copy()
    taken = set()
    for place, (name, file) in enumerate(zip(table[TOMOGRAM], table[FILE])):
        if name in old_names or _JOB_FOLDER.sub('', file) in taken:
            file = _write_series(name, old_names.get(name, name), file, os.path.dirname(path))
            table.loc[place, FILE] = file
        taken.add(_JOB_FOLDER.sub('', file))
    write_star(path, {'global': table})


def _needed(parts: Sequence[Part]) -> Dict[str, pd.DataFrame]:
    """The rows that parts need of each file, under their new names."""
    found: Dict[str, List[pd.DataFrame]] = {}
    files: Dict[str, pd.DataFrame] = {}
    for part in parts:
        if not part.tomograms:
            raise ConvertError('%s: its particles do not know their tomograms (tomograms.star); extract them again'
                               % part.path)
        if part.tomograms not in files:
            files[part.tomograms] = read_star(part.tomograms, ['global'])['global']
            require_columns(files[part.tomograms], (TOMOGRAM, FILE, *MICROSCOPE_COLUMNS), part.tomograms, 'global')
        overview = files[part.tomograms]
        names = list(part.table[TOMOGRAM].unique())
        places = pd.Index(overview[TOMOGRAM]).get_indexer(pd.Index([part.old_tomograms.get(name, name)
                                                                     for name in names]))
        if (places < 0).any():
            lost = [name for name, place in zip(names, places) if place < 0]
            raise ConvertError('%s lacks the tomogram%s %s of particles in %s; take the tomograms that these particles '
                               'were extracted from' % (part.tomograms, 's' if len(lost) > 1 else '',
                                                        ', '.join(lost[:5]), part.path))
        rows = overview.iloc[places].reset_index(drop=True)
        rows[TOMOGRAM] = names
        found.setdefault(part.tomograms, []).append(rows)
    return {path: pd.concat(tables, ignore_index=True).drop_duplicates(TOMOGRAM) for path, tables in found.items()}


def _complete(tables: Dict[str, pd.DataFrame]) -> Dict[str, pd.DataFrame]:
    for path, table in tables.items():
        tables[path] = table = table.reset_index(drop=True)
        if GROUP_NAME not in table and any(GROUP_NAME in other for other in tables.values()):
            # As RELION does where groups have no names.
            table.insert(1, GROUP_NAME, table[TOMOGRAM])
    refused = defaults.fill(tables, defaults.TOMOGRAMS)
    if refused:
        label, path = next(iter(refused.items()))
        raise ConvertError('only some of the tomograms files to be joined have the column%s %s (%s has %s), and the '
                           'others cannot be given a value; make all with the same jobs first'
                           % ('s' if len(refused) > 1 else '', ', '.join(refused), path, label))
    return tables


def same_tomogram(one: pd.Series, other: pd.Series) -> bool:
    """True where two rows of one name stand for the same: in all numbers, and in the tables of the tilt series."""
    numbers = [label for label in other.index if label in one.index and not isinstance(other[label], str)]
    if not same_values(other[numbers], one[numbers]):
        return False
    if one[FILE] == other[FILE]:
        return True
    first, second = (_read_series(row[TOMOGRAM], row[FILE]) for row in (one, other))
    return _same_table(first, second)


def _read_series(name: str, file: str) -> pd.DataFrame:
    """The table of a tilt series, whatever its tomogram was called."""
    blocks = read_star(file)
    return blocks[name] if name in blocks else next(iter(blocks.values()))


def _same_table(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    if list(one.columns) != list(other.columns) or len(one) != len(other):
        return False
    for label in one:
        if one[label].dtype == object or other[label].dtype == object:
            if list(one[label].astype(str)) != list(other[label].astype(str)):
                return False
        elif not np.allclose(one[label], other[label], rtol=1e-5, atol=1e-5, equal_nan=True):
            return False
    return True


def _with_group_names(table: pd.DataFrame) -> pd.DataFrame:
    """Optics groups of one name must be one microscope."""
    if GROUP_NAME not in table:
        return table
    known: Dict[str, pd.Series] = {}
    renamed: Dict[Tuple[str, Tuple[float, ...]], str] = {}
    names = []
    for name, row in zip(table[GROUP_NAME], table[list(MICROSCOPE_COLUMNS)].itertuples(index=False, name=None)):
        values = pd.Series(row, index=MICROSCOPE_COLUMNS)
        key = (name, row)
        if key not in renamed:
            same = next((other for other, its in known.items() if re.fullmatch(re.escape(name) + r'(_\d+)?', other)
                         and same_values(values, its)), None)
            renamed[key] = same or unused_name(name, list(known))
            known.setdefault(renamed[key], values)
        names.append(renamed[key])
    return table.assign(**{GROUP_NAME: names})


def _write_series(name: str, old: str, file: str, folder: str) -> str:
    """A copy of a tilt series' STAR file with the block named after the tomogram; returns its path."""
    os.makedirs(os.path.join(folder, FOLDER), exist_ok=True)
    path = os.path.join(folder, FOLDER, name + '.star')
    blocks = read_star(file)
    write_star(path, {name if block == old else block: table for block, table in blocks.items()})
    return path
