"""Particles tomogram by tomogram: how many, how good, in which classes."""
from typing import Any, List, Mapping, Optional

import numpy as np
import pandas as pd

from ..star import require_columns
from .outliers import standing_out

SCORE, PMAX, CLASS, TOMOGRAM, NAME = ('rlnAutopickFigureOfMerit', 'rlnMaxValueProbDistribution', 'rlnClassNumber',
                                      'rlnTomoName', 'rlnTomoParticleName')
SHARE = 'class_%d'
#: column -> heading and unit
HEADINGS = {'particles': 'Particles', 'score': 'Score', 'pmax': 'Pmax', 'defocus': 'Defocus (µm)', 'motion': 'Motion (Å)'}


def per_tomogram(particles: pd.DataFrame, defocus: Optional[Mapping[str, float]] = None,
                 motion: Optional[Any] = None) -> pd.DataFrame:
    """One row per tomogram, index = its name, columns where they are known.

    particles: number. score: median of the pick's score. pmax: median certainty of the pose. class_1, class_2...: share
    of the particles (0 to 1). defocus: Å, as given for the tilt series. motion: Å, median of how much the particles
    moved while the series was taken; motion: particle name -> Å (Motion.moved). Raises StarError without rlnTomoName.
    """
    require_columns(particles, [TOMOGRAM], None, 'particles')
    columns = {'score': SCORE, 'pmax': PMAX}
    used = pd.DataFrame({name: particles[label] for name, label in columns.items() if label in particles})
    if motion is not None and NAME in particles:
        used['motion'] = particles[NAME].map(pd.Series(motion)).astype(np.float64)
    groups = particles[TOMOGRAM].astype(str)
    table = used.groupby(groups).median() if len(used.columns) else pd.DataFrame(index=pd.Index(sorted(set(groups))))
    table.insert(0, 'particles', groups.value_counts().reindex(table.index))
    if CLASS in particles and particles[CLASS].nunique() > 1:
        shares = pd.crosstab(groups, particles[CLASS], normalize='index')
        for number in shares:
            table[SHARE % number] = shares[number]
    if defocus is not None:
        table['defocus'] = pd.Series(dict(defocus), dtype=np.float64).reindex(table.index)
    table.index.name = 'tomogram'
    return table


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The table as people read it: headings with units, shares in %, defocus in µm; numbers stay numbers."""
    result = table.copy()
    if 'defocus' in result:
        result['defocus'] = result['defocus'] / 1e4
    headings = dict(HEADINGS)
    for name in [str(name) for name in result if str(name).startswith('class_')]:
        result[name] = 100 * result[name]
        headings[name] = 'Class %s (%%)' % name[len('class_'):]
    return result.rename(columns=headings)


def notable(table: pd.DataFrame) -> List[str]:
    """Names of tomograms whose particles stand out: low Pmax or score, or much motion (the rule of outliers.py)."""
    marks = np.zeros(len(table), dtype=bool)
    for name, sign in (('score', -1), ('pmax', -1), ('motion', 1)):
        if name in table:
            marks |= standing_out(sign * table[name])
    return [str(name) for name in table.index[marks]]
