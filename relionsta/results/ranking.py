"""Runs that differ in some settings, ranked by what came out of them."""
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Union

import pandas as pd

from ..whole import whole
from .model import Model

PathLike = Union[str, Path]


@dataclass(frozen=True)
class Candidate:
    """One run. settings: option -> value as text, those that differ. run: its number in the project (None: never made).

    status: how it ended; reason: why, where it did not finish. seconds: its own time. measures: those of MEASURES that
    are known.
    """

    settings: Dict[str, str]
    run: Optional[int]
    status: str
    reason: str = ''
    seconds: float = 0.0
    measures: Dict[str, float] = field(default_factory=dict)


class Measure(NamedTuple):
    """label: with unit, for tables and axes; better: 'low' or 'high'; text: the format of a value."""

    label: str
    better: str
    text: str


MEASURES = {
    'postprocess_A': Measure('Resolution under the common mask (Å)', 'low', '%.2f Å under the mask'),
    'postprocess_fsc': Measure('Mean FSC under the common mask', 'high', 'mean FSC %.3f'),
    'resolution_A': Measure('Resolution of the run itself (Å)', 'low', '%.2f Å'),
    'fsc': Measure('Mean gold-standard FSC', 'high', 'mean FSC %.3f'),
    'largest_class_percent': Measure('Share of the largest class (%)', 'high', '%.1f %% in the largest class'),
    'pmax': Measure('Average Pmax', 'high', 'Pmax %.3f'),
    'accuracy_rotations_deg': Measure('Accuracy of rotations (degrees)', 'low', '%.2f°'),
    'accuracy_translations_A': Measure('Accuracy of translations (Å)', 'low', '%.2f Å of translations'),
}
#: criterion -> (the measures that decide, the first one first; the same in words)
CRITERIA = {
    'post-processing': (('postprocess_A', 'postprocess_fsc'),
                        'the resolution at which the FSC under one and the same mask falls below 0.143 (post-processing); '
                        'where that is the same Fourier shell, the mean of the FSC'),
    'resolution': (('resolution_A', 'fsc', 'pmax'),
                   'the resolution that each run states itself (of a classification: that of its largest class); where '
                   'that is the same, the mean of its FSC, then its average Pmax'),
    'Pmax': (('pmax',), 'the average Pmax: the share of the most probable pose and class'),
    'accuracy': (('accuracy_rotations_deg', 'accuracy_translations_A'),
                 "RELION's estimate of the accuracy of rotations, then of translations (of the largest class)"),
}


def model_measures(model: Model) -> Dict[str, float]:
    """What a model.star says of its run: of the largest class where there are several."""
    largest = max(model.classes, key=lambda one: one.distribution)
    has_fsc = largest.spectrum.has_fsc
    known = {
        'resolution_A': model.resolution if has_fsc else largest.resolution,
        'fsc': float(largest.spectrum.gold_standard_fsc[1:].mean()) if has_fsc else None,
        'largest_class_percent': 100 * largest.distribution if len(model.classes) > 1 else None,
        'pmax': model.average_pmax,
        'accuracy_rotations_deg': largest.accuracy_rotations,
        'accuracy_translations_A': largest.accuracy_translations,
    }
    return {name: float(value) for name, value in known.items() if value is not None and math.isfinite(value)}


def rank(candidates: Sequence[Candidate], criterion: str) -> pd.DataFrame:
    """A row per candidate, best first; those that cannot be ranked come last, in the order given, without a rank.

    Columns: rank (1 is the best; equals in all that counts keep their order), run, the settings, status, MEASURES that any
    has, seconds, reason. Raises KeyError for a criterion that is not in CRITERIA.
    """
    keys, _words = CRITERIA[criterion]
    order = sorted(range(len(candidates)), key=lambda index: _place(candidates[index], keys) + (index,))
    rows: List[Dict[str, object]] = []
    for index in order:
        one = candidates[index]
        ranked = keys[0] in one.measures
        row: Dict[str, object] = {'rank': len(rows) + 1 if ranked else None, 'run': one.run, **one.settings}
        row.update({'status': one.status, **one.measures, 'seconds': round(one.seconds, 1), 'reason': one.reason})
        rows.append(row)
    settings = list(dict.fromkeys(name for one in candidates for name in one.settings))
    measures = [name for name in MEASURES if any(name in one.measures for one in candidates)]
    table = pd.DataFrame(rows, columns=['rank', 'run', *settings, 'status', *measures, 'seconds', 'reason'])
    return table.astype({'rank': 'Int64', 'run': 'Int64'})


def _place(one: Candidate, keys: Sequence[str]) -> tuple:
    """Sorts the better first, and after them all that has no value."""
    values = []
    for key in keys:
        value = one.measures.get(key)
        values.append(math.inf if value is None else value if MEASURES[key].better == 'low' else -value)
    return tuple([keys[0] not in one.measures] + values)


def settings_of(table: pd.DataFrame) -> List[str]:
    """Names of the columns of a ranking that are settings."""
    names = [str(name) for name in table]
    return names[names.index('run') + 1:names.index('status')]


def row_text(row: pd.Series, settings: Sequence[str], criterion: str) -> str:
    """A row of the ranking as a line of a summary."""
    name = ', '.join('%s = %s' % (key, row[key]) for key in settings)
    if pd.isna(row['rank']):
        run = '' if pd.isna(row['run']) else ' (run %d)' % row['run']
        return '- %s: %s%s%s' % (name, row['status'], run, ': %s' % row['reason'] if row['reason'] else '')
    keys = list(CRITERIA[criterion][0])
    keys += [key for key in MEASURES if key in row.index and key not in keys]
    told = [MEASURES[key].text % row[key] for key in keys if key in row.index and not pd.isna(row[key])]
    return '%d. %s: %s (run %d)' % (row['rank'], name, ', '.join(told), row['run'])


def write_ranking(table: pd.DataFrame, path: PathLike) -> None:
    """Write the table as CSV; nothing half-written is ever seen there."""
    with whole(path) as partial:
        table.to_csv(partial, index=False)


def read_ranking(path: PathLike) -> pd.DataFrame:
    """The table that write_ranking wrote; settings are text. Raises OSError or ValueError where it is missing or cut."""
    head = pd.read_csv(path, nrows=0)
    texts = dict.fromkeys(settings_of(head) + ['status', 'reason'], str)
    return pd.read_csv(path, dtype=dict(texts, rank='Int64', run='Int64'), keep_default_na=False,
                       na_values={str(name): [''] for name in head if name not in texts})
