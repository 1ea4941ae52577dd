"""Our rotations of the point groups against those that RELION prints."""
import re
import subprocess

import numpy as np
import pytest

from relionsta.results.symmetry import rotations
from relionsta.tests.find import relion_home

_NUMBER = re.compile(r'-?[\d.]+(?:e[-+]\d+)?')


@pytest.mark.parametrize('group', ['C1', 'c4', 'C7', 'D1', 'D3', 'T', 'O', 'I', 'I1', 'I2', 'I3', 'I4'])
def test_rotations_are_those_of_relion(group, tmp_path):
    """Axes elsewhere than RELION's would show full coverage where there is none, and turn a distribution."""
    done = subprocess.run([str(relion_home() / 'bin' / 'relion_refine'), '--sym', group, '--print_symmetry_ops', '--o', 'x'],
                          cwd=str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
                          timeout=60, check=False)
    blocks = [block.split('Euler')[0] for block in re.split(r'R\(\d+\)=', done.stdout)[1:]]
    printed = np.array([[float(text) for text in _NUMBER.findall(block)[:9]] for block in blocks]).reshape(-1, 3, 3)
    ours = rotations(group)
    assert len(ours) == len(printed) > 0
    apart = np.abs(ours[:, None] - printed[None]).max(axis=(2, 3))
    assert apart.min(axis=1).max() < 2e-5 and apart.min(axis=0).max() < 2e-5
