"""Trajectories of particles (motion.star): a block for each, moved as text.

A file has as many blocks as there are particles, so they are never made into tables.
"""
import os
import re
from pathlib import Path
from typing import Dict, List, Mapping, Union

import numpy as np

from relionsta.star.cells import CUT, ends_with_empty_line, read_text
from relionsta.star.error import StarError
from relionsta.star.writer import write_star

GENERAL = 'general'
_BLOCK = re.compile(r'^data_(\S*)[ \t]*$', re.MULTILINE)
_NUMBER = re.compile(r'^_rlnParticleNumber[ \t]+(\d+)', re.MULTILINE)
_LABELS = '_rlnOriginXAngst #1\n_rlnOriginYAngst #2\n_rlnOriginZAngst #3\n'


def read_trajectories(path: Union[str, Path]) -> Dict[str, str]:
    """Particle name -> the text of its block after the line with the name: shifts (Å) of each tilt image.

    Raises StarError where the file cannot be read, was cut or holds no trajectory.
    """
    text = read_text(Path(path))
    marks = list(_BLOCK.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    # What stands before the next block (RELION's version line) goes along; it is a comment.
    found = {mark.group(1): text[mark.end():end] for mark, end in zip(marks, ends) if mark.group(1) != GENERAL}
    if not found:
        raise StarError(path, 'holds no trajectory; choose the motion.star of Bayesian polishing')
    _check_number(path, text, [mark.group(1) for mark in marks], len(found))
    return found


def _check_number(path: Union[str, Path], text: str, names: List[str], found: int) -> None:
    """The file says how many particles it has: one that was cut, or of which a part is there twice, has others."""
    told = _NUMBER.search(text, 0, max(0, text.find('\nloop_')))
    if not ends_with_empty_line(text):
        raise StarError(path, 'the empty line at its end is missing; ' + CUT, names[-1])
    if len(set(names)) < len(names):
        raise StarError(path, 'the block is there twice; keep one of the two',
                        next(name for name in names if names.count(name) > 1))
    if told is not None and int(told.group(1)) != found:
        raise StarError(path, f'holds {found} trajectories and says that they are {told.group(1)}; {CUT}')


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
