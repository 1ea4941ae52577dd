"""The rotations of RELION's point groups."""
import re
from typing import Any, Dict, List, Tuple

import numpy as np

_GOLDEN = (1 + 5 ** 0.5) / 2
_X, _Z = (1., 0., 0.), (0., 0., 1.)
#: group -> its generators: order and axis in RELION's frame. Cn and Dn turn about Z; D has a twofold along X. RELION's I is
#: I2 (a twofold along Z, a fivefold between X and Z); I1 is I2 turned by 90 degrees about Y; I3 and I4 have a fivefold
#: along Z, which are mirror images of each other's threefolds.
_GENERATORS: Dict[str, Tuple[Tuple[int, Tuple[float, float, float]], ...]] = {
    'T': ((3, _Z), (2, (0., (2 / 3) ** 0.5, (1 / 3) ** 0.5))),
    'O': ((4, _Z), (3, (1., 1., 1.))),
    'I1': ((2, _X), (5, (_GOLDEN, 0., -1.))),
    'I2': ((2, _Z), (5, (1., 0., _GOLDEN))),
    'I3': ((5, _Z), (2, (-1., 0., _GOLDEN))),
    'I4': ((5, _Z), (2, (1., 0., _GOLDEN))),
}
_GENERATORS['I'] = _GENERATORS['I2']
_SAME = 1e-6


def rotations(group: str) -> np.ndarray:
    """The rotation matrices (n, 3, 3) of a point group by RELION's name (C1, C6, D2, T, O, I...), identity first.

    They turn the reference about the axes that RELION gives it. Raises ValueError for names that RELION does not have,
    and for groups with mirror planes or inversion, in which no particle made of amino acids can be.
    """
    name = group.strip().upper()
    found = re.match(r'([CD])([1-9]\d*)$', name)
    if found:
        order = int(found.group(2))
        turns = [_turn(_Z, 360. * number / order) for number in range(order)]
        if found.group(1) == 'D':
            turns += [turn @ _turn(_X, 180.) for turn in turns]
        return np.array(turns)
    if name not in _GENERATORS:
        raise ValueError('symmetry %s: no group of rotations that RELION knows; give one such as C1, C6, D2, T, O or I1'
                         % (group or '(empty)'))
    return _closed([_turn(axis, 360. / order) for order, axis in _GENERATORS[name]])


def _turn(axis: Tuple[float, float, float], angle: float) -> np.ndarray:
    """Right-handed rotation (3, 3) by `angle` degrees (Rodrigues' formula)."""
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    radians = np.radians(angle)
    return np.asarray(np.eye(3) + np.sin(radians) * cross + (1 - np.cos(radians)) * cross @ cross)


def _closed(generators: List[np.ndarray]) -> np.ndarray:
    """All products of the generators."""
    group: List[Any] = [np.eye(3)]
    for matrix in group:  # grows as it goes
        for generator in generators:
            product = matrix @ generator
            if np.abs(np.array(group) - product).max(axis=(1, 2)).min() > _SAME:
                group.append(product)
    return np.array(group)
