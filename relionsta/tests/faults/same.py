"""Are the outputs of two runs the same?"""
import os
from typing import Any

import mrcfile
import numpy as np
from pwem.objects import SetOfVolumes, Volume

from ...convert.bulk import read_columns
from ...objects import SetOfStaParticles
from ...results.torn import torn_files

#: Correlation of the maps of a run that was disturbed with those of one that was left alone.
SAME_MAP = 0.98


def check_same(run: Any, reference: Any) -> None:
    """The outputs are those of the reference: as many items, the same particles, the same maps. AssertionError if not.

    The working directory is the project of `run`; that of the reference may be another one.
    """
    there = reference.getProject().path
    mine = dict(run.iterOutputAttributes())
    theirs = dict(reference.iterOutputAttributes())
    assert sorted(mine) == sorted(theirs), sorted(mine)
    for name, output in theirs.items():
        assert str(mine[name]) == str(output), '%s is %s and not %s' % (name, mine[name], output)
        if isinstance(output, Volume):
            _check_map(mine[name].getFileName(), os.path.join(there, output.getFileName()))
        elif isinstance(output, SetOfVolumes):
            for one, other in zip([item.getFileName() for item in mine[name].iterItems()],
                                  [item.getFileName() for item in output.iterItems()]):
                _check_map(one, os.path.join(there, other))
        elif isinstance(output, SetOfStaParticles):
            names = [set(read_columns(items, ['_particleName'])['_particleName']) for items in (mine[name], output)]
            assert names[0] == names[1], '%s has other particles' % name
    if hasattr(run, '_getJobPath'):
        assert not torn_files(run._getJobPath())


def _check_map(mine: str, theirs: str) -> None:
    one, other = (mrcfile.read(path).astype(float).ravel() for path in (mine, theirs))
    assert one.shape == other.shape
    if one.std() and other.std():
        assert np.corrcoef(one, other)[0, 1] > SAME_MAP, '%s is another map' % mine
