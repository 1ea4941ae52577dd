"""Duplicates and symmetry copies against RELION's own programs."""
import re
import subprocess
from pathlib import Path
from typing import List

import numpy as np
import pandas as pd

from relionsta.geometry import compose_pose, euler_to_matrix
from relionsta.jobs.symmetry_expand import SYMMETRY_EXPAND
from relionsta.results.select import apart
from relionsta.star import read_star, write_star
from relionsta.tests.find import relion_home

COORDINATES = ['rlnCenteredCoordinate%sAngst' % axis for axis in 'XYZ']
ORIGINS = ['rlnOrigin%sAngst' % axis for axis in 'XYZ']
ANGLES = ['rlnAngleRot', 'rlnAngleTilt', 'rlnAnglePsi']


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run([str(relion_home() / 'bin' / arguments[0]), *arguments[1:]], cwd=str(folder), timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def particles(positions: np.ndarray, tomograms: List[str], seed: int = 1) -> pd.DataFrame:
    """Rows at these positions (Å): the coordinate is off, the origin makes up for it."""
    random = np.random.default_rng(seed)
    origins = random.uniform(-20, 20, positions.shape).round(3)
    table = pd.DataFrame({'rlnTomoName': tomograms})
    table['rlnTomoParticleName'] = ['%s/%d' % name for name in zip(tomograms, range(1, len(tomograms) + 1))]
    table[COORDINATES], table[ORIGINS] = positions + origins, origins
    table[ANGLES] = random.uniform(-90, 90, positions.shape).round(2)
    table['rlnImageName'], table['rlnOpticsGroup'] = ['%d.mrcs' % row for row in range(len(table))], 1
    return table


def write(path: Path, table: pd.DataFrame) -> None:
    optics = pd.DataFrame([{'rlnOpticsGroup': 1, 'rlnOpticsGroupName': 'one', 'rlnVoltage': 300.0,
                            'rlnSphericalAberration': 2.7, 'rlnAmplitudeContrast': 0.1, 'rlnImageDimensionality': 2,
                            'rlnTomoTiltSeriesPixelSize': 2.0, 'rlnImagePixelSize': 4.0, 'rlnImageSize': 32}])
    write_star(path, {'general': {'rlnTomoSubTomosAre2DStacks': 1}, 'optics': optics, 'particles': table})


def relion_keeps(folder: Path, table: pd.DataFrame, distance: float) -> List[str]:
    write(folder / 'in.star', table)
    run(folder, 'relion_star_handler', '--i', 'in.star', '--o', 'out.star', '--remove_duplicates', str(distance))
    return list(read_star(folder / 'out.star', ['particles'])['particles']['rlnTomoParticleName'])


def ours(table: pd.DataFrame, distance: float, score: np.ndarray) -> List[str]:
    positions, _ = compose_pose(table[COORDINATES], table[ORIGINS])
    return list(table['rlnTomoParticleName'][apart(positions, table['rlnTomoName'], distance, score)])


def test_duplicates_as_relion_removes_them(tmp_path: Path) -> None:
    """RELION keeps the last of two: with the last as the best, we must keep the same ones, at refined positions and in
    each tomogram by itself."""
    random = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(*[np.arange(0.0, 400, 100)] * 3), axis=-1).reshape(-1, 3)
    near = grid + random.normal(size=grid.shape) * 14
    positions, tomograms = np.concatenate([grid, near]), ['TS_%d' % (row % 5) for row in range(len(grid))] * 2
    table = particles(positions, tomograms)
    kept = relion_keeps(tmp_path, table, 25.0)
    assert len(grid) < len(kept) < 2 * len(grid), 'the draw has both'
    assert ours(table, 25.0, np.arange(len(table))) == kept


def test_rows_of_duplicates_keep_more_and_no_two_too_near(tmp_path: Path) -> None:
    """In a row of near particles RELION also removes those that only removed ones were near to; we keep them, and
    RELION finds nothing to remove from what we keep."""
    random = np.random.default_rng(5)
    table = particles(random.uniform(0, 150, (120, 3)), ['TS_1'] * 120)
    theirs, mine = relion_keeps(tmp_path, table, 30.0), ours(table, 30.0, np.arange(120.0))
    assert len(mine) > len(theirs)
    left = table[table['rlnTomoParticleName'].isin(mine)]
    assert relion_keeps(tmp_path, left, 30.0) == list(left['rlnTomoParticleName'])


def test_command_of_symmetry_expansion(tmp_path: Path) -> None:
    """Unknown options only warn; the groups that we let through must be groups of rotations, of the right order."""
    table = particles(np.zeros((1, 3)), ['TS_1'])
    write(tmp_path / 'in.star', table)
    known = set(re.findall(r'^\s*(--\w+)', run(tmp_path, 'relion_particle_symmetry_expand', '--help'), re.MULTILINE))
    A = euler_to_matrix(table[ANGLES])[0]
    for group, order in (('C3', 3), ('c7', 7), ('D1', 2), ('D5', 10), ('T', 12), ('O', 24), ('I', 60), ('I3', 60)):
        values = {'fn_in': 'in.star', 'sym_name': group}
        assert SYMMETRY_EXPAND.problems(values) == []
        command = SYMMETRY_EXPAND.commands(values, './')[0]
        assert {token for token in command if token.startswith('--')} <= known
        run(tmp_path, *command)
        copies = euler_to_matrix(read_star(tmp_path / 'expanded.star', ['particles'])['particles'][ANGLES])
        turns = A.T @ copies
        assert len(copies) == order
        np.testing.assert_allclose(turns[0], np.eye(3), atol=1e-5)
        # Each operation is there once, and with any two their product.
        np.testing.assert_allclose(np.abs(turns[:, None] - turns[None]).max(axis=(2, 3)) < 1e-3, np.eye(order))
        products = (turns[:, None] @ turns[None]).reshape(-1, 3, 3)
        assert np.abs(products[:, None] - turns[None]).max(axis=(2, 3)).min(axis=1).max() < 1e-3
    for group in ('C1', 'C2V', 'CS', 'S4', 'IH', ''):
        assert [problem.option for problem in SYMMETRY_EXPAND.problems({**values, 'sym_name': group})] == ['sym_name']
    assert SYMMETRY_EXPAND.commands({**values, 'do_helix': True, 'helical_nr_asu': 3}, './') == []
