"""What the flexibility analysis of a multi-body refinement found: the principal motions of the bodies."""
import io
from pathlib import Path
from typing import Union

import numpy as np
import pandas as pd

PathLike = Union[str, Path]


class FlexibilityError(ValueError):
    """No such result; the message names the file."""


def read_projections(path: PathLike) -> pd.DataFrame:
    """The place of each particle along each motion: index image name (rlnImageName), columns 1, 2, ... from the
    largest motion. Raises FlexibilityError where the file is missing, cut or another one."""
    try:
        text = Path(path).read_bytes()
        table = pd.read_csv(io.BytesIO(text), sep=r'\s+', header=None, index_col=0, dtype={0: str})
    except (OSError, ValueError) as error:
        raise FlexibilityError('%s: no table of the particles along the motions (%s)' % (path, error)) from error
    if not text.endswith(b'\n'):
        raise FlexibilityError('%s: its last line has no end; the file was cut, or is still being written' % path)
    if b'\0' in text:
        raise FlexibilityError('%s: there are zero bytes in it; a part of the file was lost' % path)
    if table.index.duplicated().any():
        raise FlexibilityError('%s: the particle %s is there twice' % (path, table.index[table.index.duplicated()][0]))
    numbers = table.apply(pd.to_numeric, errors='coerce')
    if numbers.empty or numbers.isna().to_numpy().any():
        raise FlexibilityError('%s: not a whole table of the particles along the motions' % path)
    numbers.index.name = 'rlnImageName'
    return numbers


def explained_variance(projections: pd.DataFrame) -> np.ndarray:
    """The part of all motion that each component explains, (n,), 0 to 1: the variances of its places."""
    variance = projections.var(axis=0, ddof=0).to_numpy(dtype=float)
    total = float(variance.sum())
    return variance / total if total > 0 else np.zeros_like(variance)
