"""Changes of STAR tables and image files that make them wrong in one way. Each takes the blocks of a file, or its bytes."""
import warnings
from typing import Any, Callable, Dict

import mrcfile
import numpy as np
import pandas as pd

from relionsta.star import read_star

Blocks = Dict[str, pd.DataFrame]
Change = Callable[[Blocks], None]


def first(blocks: Blocks) -> str:
    """Name of the first block: the only one of a tilt-series file."""
    return next(iter(blocks))


def column(block: str, label: str, value: Any) -> Change:
    """Every row has this value."""
    def change(blocks: Blocks) -> None:
        blocks[block] = blocks[block].assign(**{label: value})
    return change


def no_block(name: str) -> Change:
    """A table is missing."""
    def change(blocks: Blocks) -> None:
        del blocks[name]
    return change


def no_rows(blocks: Blocks) -> None:
    """The particles' table has its columns only."""
    blocks['particles'] = blocks['particles'].iloc[:0]


def other_name(blocks: Blocks) -> None:
    """The first table has another name."""
    blocks['other'] = blocks.pop(first(blocks))


def tilt_column(label: str) -> Change:
    """A column of the first table is missing."""
    def change(blocks: Blocks) -> None:
        blocks[first(blocks)] = blocks[first(blocks)].drop(columns=[label])
    return change


def tilt_image(old: str, new: str) -> Change:
    """The names of tilt images have one text for another."""
    def change(blocks: Blocks) -> None:
        table = blocks[first(blocks)]
        names = table['rlnMicrographName'].str.replace(old, new, regex=False)
        blocks[first(blocks)] = table.assign(rlnMicrographName=names)
    return change


def first_image(path: str) -> Change:
    """The first particle has another image."""
    def change(blocks: Blocks) -> None:
        names = blocks['particles']['rlnImageName'].tolist()
        blocks['particles'] = blocks['particles'].assign(rlnImageName=[path] + names[1:])
    return change


def write_stack(path: str, images: int, box: int, value: float = 0.0) -> str:
    """A stack of images of one grey value; returns its path."""
    with mrcfile.new(path, overwrite=True) as mrc, warnings.catch_warnings():
        warnings.simplefilter('ignore')  # that a value is no number
        mrc.set_data(np.full((images, box, box), value, dtype=np.float32))
    return path


def cut(source: str, target: str, part: float) -> str:
    """The first part of a file under another name; returns it."""
    with open(source, 'rb') as file:
        data = file.read()
    with open(target, 'wb') as file:
        file.write(data[:int(len(data) * part)])
    return target


def write_trajectories(particles: str, path: str, tilts: int, leave_out: int = 0) -> str:
    """A motion.star of particles that do not move; leave_out: of so many particles there is none. Returns its path."""
    names = read_star(particles)['particles']['rlnTomoParticleName']
    parts = ['\ndata_general\n\n_rlnParticleNumber %d\n' % len(names)]
    labels = ''.join('_rlnOrigin%sAngst #%d\n' % (axis, number) for number, axis in enumerate('XYZ', 1))
    parts += ['\ndata_%s\n\nloop_\n%s%s' % (name, labels, '0 0 0\n' * tilts) for name in names[leave_out:]]
    with open(path, 'w') as file:
        file.write(''.join(parts))
    return path


def other_bytes(source: str, target: str, old: bytes, new: bytes) -> str:
    """A program with some bytes changed; returns its path."""
    with open(source, 'rb') as file:
        data = file.read()
    if old not in data or len(old) != len(new):
        raise ValueError('%s: %r cannot be replaced by %r' % (source, old, new))
    with open(target, 'wb') as file:
        file.write(data.replace(old, new))
    return target
