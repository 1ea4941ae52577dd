"""Are the particles that RELION gives back those that it got?"""
import pandas as pd

from relionsta.star import StarError, read_star

from .parts import BODY, NAME, TOMOGRAM

_TOLD = 3


def check_given(made: str, given: str, every: bool = True) -> None:
    """Raise StarError unless the particles of the file `made` are those of `given`, the file that RELION got.

    every: none may be lost; else only that none is unknown, as after an extraction. Particles are known by name; where
    those of `given` have none yet, no tomogram may have more of them than it had.
    """
    new, old = _names(made), _names(given)
    if NAME not in new:
        raise StarError(made, 'the column %s is missing' % NAME, 'particles')
    if NAME not in old:
        counts = new[TOMOGRAM].value_counts().sub(old[TOMOGRAM].value_counts(), fill_value=0)
        if (counts > 0).any():
            raise StarError(made, 'has more particles of %s than RELION got' % counts.idxmax(), 'particles')
        return
    names, known = pd.Index(new[NAME]), pd.Index(old[NAME])
    unknown = names.difference(known)
    if len(unknown):
        raise StarError(made, '%d of %d particles are not those that RELION got (%s, in %s): the file is of another run'
                        % (len(unknown), len(names), _some(unknown), given), 'particles')
    lost = known.difference(names)
    if every and len(lost):
        raise StarError(made, '%d of %d particles that RELION got are not in it (%s, in %s)'
                        % (len(lost), len(known), _some(lost), given), 'particles')


def _names(path: str) -> pd.DataFrame:
    blocks = read_star(path, complete=True, only={'particles': (NAME, TOMOGRAM)})
    table = blocks.get('particles', pd.DataFrame(columns=[NAME, TOMOGRAM]))
    for name, rows in blocks.items():
        if name.startswith(BODY) and len(rows) != len(table):
            raise StarError(path, 'has %d rows, and there are %d particles' % (len(rows), len(table)), name)
    if len(table) and TOMOGRAM not in table:
        raise StarError(path, 'the column %s is missing' % TOMOGRAM, 'particles')
    return table


def _some(names: 'pd.Index[str]') -> str:
    return ', '.join(map(str, names[:_TOLD])) + (', ...' if len(names) > _TOLD else '')
