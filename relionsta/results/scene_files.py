"""Particles in their tomogram for programs that show it: ChimeraX, with or without ArtiaX, and napari.

All files have the poses with everything folded in: centred position and A of geometry.compose_pose.
"""
import os
from pathlib import Path
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import pandas as pd

from .. import geometry
from ..star import write_star
from ..whole import whole
from .maps import read_header

PathLike = Union[str, Path]
#: so many copies of the map are placed; more would make ChimeraX slow
COPIES = 300
_MARKER = 25.  # Å, radius of a marker where there is no map


class SceneFiles(NamedTuple):
    """What was written: script opens everything in ChimeraX; markers: positions; star: for ArtiaX; points: for napari."""

    script: Path
    markers: Path
    star: Path
    points: Path
    copies: int


def write_scene(folder: PathLike, name: str, places: Any, A: Any, voxel: float, groups: Sequence[Any],
                palette: Sequence[str], tomogram: Optional[PathLike] = None,
                reference: Optional[PathLike] = None) -> SceneFiles:
    """Files that show the particles of one tomogram; returns their names.

    folder: made if need be; the files are called after `name`. places (n, 3): 0-based voxel indices in the tomogram, A
    (n, 3, 3): poses, voxel: of the tomogram, Å. groups (n,): classes, half sets or the like, one colour each of `palette`
    (such as #0072B2), in their order. tomogram: its map; reference: the map to be copied to each pose (the first COPIES
    of them), else there are markers only.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    index, matrices = np.asarray(places, dtype=np.float64), np.asarray(A, dtype=np.float64)
    script, markers, star, points = (target / (name + ending) for ending in
                                     ('.cxc', '_markers.cmm', '_artiax.star', '_napari.csv'))
    found = SceneFiles(script, markers, star, points, min(len(index), COPIES) if reference is not None else 0)
    colors = _colors(groups, palette)
    _write(found.markers, _markers(name, index * voxel, colors))
    _write_star(found.star, name, index, matrices, voxel, groups)
    table = pd.DataFrame({'axis-0': index[:, 2], 'axis-1': index[:, 1], 'axis-2': index[:, 0]})
    _write(found.points, table.to_csv(index_label='index', float_format='%.3f'))
    _write(found.script, '\n'.join(_script(found, index * voxel, matrices, colors, tomogram, reference)) + '\n')
    return found


def copy_matrices(positions: Any, A: Any) -> np.ndarray:
    """(n, 3, 4): where ChimeraX puts the reference, its centre at 0, into the tomogram: x = A x_ref + position (Å)."""
    return np.concatenate([np.asarray(A, dtype=np.float64), np.asarray(positions, dtype=np.float64)[:, :, None]], axis=2)


def _script(files: SceneFiles, positions: np.ndarray, A: np.ndarray, colors: List[str], tomogram: Optional[PathLike],
            reference: Optional[PathLike]) -> List[str]:
    """Commands of ChimeraX. Voxel (0, 0, 0) of the tomogram and the centre of the reference are at 0."""
    lines = ['# Particles in their tomogram, at their refined poses. Open this file in ChimeraX.', 'close session']
    if tomogram is not None:
        # Headers may have origins of their own, and ChimeraX follows them
        lines += ['open %s id #1' % _quoted(tomogram), 'volume #1 originIndex 0,0,0', 'volume #1 style image']
    lines += ['open %s id #2' % _quoted(files.markers)]
    if reference is not None:
        centre = ','.join('%d' % (count // 2) for count in read_header(reference).size)
        lines += ['open %s id #3' % _quoted(reference), 'volume #3 originIndex %s' % centre]
        for number, matrix in enumerate(copy_matrices(positions, A)[:files.copies], start=1):
            model = '#4.%d' % number
            lines += ['volume copy #3 modelId %s' % model,
                      'view matrix models %s,%s' % (model, ','.join('%.6f' % value for value in matrix.ravel())),
                      'color %s %s' % (model, colors[number - 1])]
        lines += ['hide #3 models', 'hide #2 models']
    return lines + ['view']


def _quoted(path: PathLike) -> str:
    return '"%s"' % os.path.abspath(path)


def _markers(name: str, positions: np.ndarray, colors: List[str]) -> str:
    """Chimera's marker file; places in Å."""
    rows = ['<marker id="%d" x="%.3f" y="%.3f" z="%.3f" r="%.4f" g="%.4f" b="%.4f" radius="%g"/>'
            % (number, *place, *_rgb(color), _MARKER)
            for number, (place, color) in enumerate(zip(positions.tolist(), colors), start=1)]
    return '<marker_set name="%s">\n%s\n</marker_set>\n' % (name, '\n'.join(rows))


def _write_star(path: Path, name: str, index: np.ndarray, A: np.ndarray, voxel: float, groups: Sequence[Any]) -> None:
    """Particles as RELION 3 had them, which ArtiaX opens: places in voxels, one set of angles, no origin."""
    angles = geometry.matrix_to_euler(A)
    columns = {'rlnTomoName': [name] * len(index), **{'rlnCoordinate' + axis: index[:, place]
                                                      for place, axis in enumerate('XYZ')},
               'rlnAngleRot': angles[:, 0], 'rlnAngleTilt': angles[:, 1], 'rlnAnglePsi': angles[:, 2],
               'rlnPixelSize': np.full(len(index), voxel), 'rlnGroupNumber': pd.factorize(np.asarray(groups))[0] + 1}
    write_star(path, {'particles': pd.DataFrame(columns)})


def _colors(groups: Sequence[Any], palette: Sequence[str]) -> List[str]:
    """A colour for each particle, one for each group, in the order of the groups."""
    codes, _ = pd.factorize(np.asarray(groups), sort=True)
    return [palette[code % len(palette)] for code in codes]


def _rgb(color: str) -> Tuple[float, ...]:
    return tuple(int(color[place:place + 2], 16) / 255 for place in (1, 3, 5))


def _write(path: Path, text: str) -> None:
    with whole(path) as partial:
        partial.write_text(text, encoding='utf-8')
