"""Trajectories of particles (motion.star): a block for each, moved as text.

A file has as many blocks as there are particles, so they are never made into tables.
"""
import os
import re
from pathlib import Path
from typing import Dict, Mapping, Union

import numpy as np

from relionsta.star.error import StarError
from relionsta.star.writer import write_star

GENERAL = 'general'
_BLOCK = re.compile(r'^data_(\S*)[ \t]*$', re.MULTILINE)
_LABELS = '_rlnOriginXAngst #1\n_rlnOriginYAngst #2\n_rlnOriginZAngst #3\n'


def read_trajectories(path: Union[str, Path]) -> Dict[str, str]:
    """Particle name -> the text of its block after the line with the name: shifts (Å) of each tilt image.

    Raises StarError where the file cannot be read or holds no trajectory.
    """
    try:
        text = Path(path).read_text(encoding='utf-8').replace('\r\n', '\n')
    except (OSError, UnicodeDecodeError) as error:
        raise StarError(path, f'cannot be read ({error}); polish the particles again') from error
    marks = list(_BLOCK.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    # What stands before the next block (RELION's version line) goes along; it is a comment.
    found = {mark.group(1): text[mark.end():end] for mark, end in zip(marks, ends) if mark.group(1) != GENERAL}
    if not found:
        raise StarError(path, 'holds no trajectory; choose the motion.star of Bayesian polishing')
    return found


def trajectory_text(shifts: np.ndarray) -> str:
    """The block of a particle, as read_trajectories gives it. shifts: (tilts, 3) as X, Y, Z in Å."""
    return '\n\nloop_\n' + _LABELS + ''.join('%.4f %.4f %.4f\n' % tuple(row) for row in shifts) + '\n\n'


def still_trajectory(tilts: int) -> str:
    """The block of a particle that does not move, as read_trajectories gives it. tilts: rows of its tilt series."""
    return '\n\nloop_\n' + _LABELS + '0.0 0.0 0.0\n' * tilts + '\n\n'


def write_trajectories(path: Union[str, Path], trajectories: Mapping[str, str]) -> None:
    """Write a motion.star; trajectories as read_trajectories gives them. The file appears whole or not at all."""
    target = Path(path)
    temporary = target.with_name(f'.{target.name}.{os.getpid()}.tmp')
    write_star(temporary, {GENERAL: {'rlnParticleNumber': len(trajectories)}})
    try:
        with open(str(temporary), 'a', encoding='utf-8') as file:
            for name, text in trajectories.items():
                file.write(f'\ndata_{name}{text.rstrip()}\n\n')
        os.replace(str(temporary), str(target))
    except OSError as error:
        temporary.unlink()
        raise StarError(path, f'cannot be written ({error.strerror}); check that the folder exists, may be written to '
                              'and has space left') from error
