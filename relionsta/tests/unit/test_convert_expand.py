"""Copies of particles for a symmetry, on tables."""
import numpy as np
import pandas as pd
import pytest

from relionsta import geometry
from relionsta.convert.errors import ConvertError
from relionsta.convert.expand import expand_by_angles, expand_helix
from relionsta.convert.poses import ANGLES, COORDINATES, poses_of_rows
from relionsta.star import read_star

from .convert_particle_files import write_particles


@pytest.fixture
def blocks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_particles(rlnAngleTiltPrior=80.0, rlnAnglePsiPrior=-20.0)
    return read_star('run_data.star')


def by_relion(blocks, turns):
    """What RELION's program would write: shared names and six digits."""
    table = blocks['particles']
    copies = table.iloc[np.repeat(np.arange(len(table)), len(turns))].reset_index(drop=True)
    A = geometry.euler_to_matrix(table[ANGLES].to_numpy())[:, None] @ turns[None]
    copies[ANGLES] = geometry.matrix_to_euler(A.reshape(-1, 3, 3)).round(6)
    copies[COORDINATES] = copies[COORDINATES].round(2)
    return copies


TURNS = np.array([np.eye(3), np.diag([-1.0, 1, -1])])


def test_all_but_the_angles_is_the_particles_own(blocks):
    """RELION writes six digits; half a pixel of a large coordinate is lost in fewer."""
    expanded = expand_by_angles(blocks, by_relion(blocks, TURNS))
    table, before = expanded.blocks['particles'], blocks['particles']
    same = [label for label in before if label not in [*ANGLES, 'rlnTomoParticleName', 'rlnAngleTiltPrior',
                                                      'rlnAnglePsiPrior']]
    twice = before.iloc[np.repeat(np.arange(8), 2)].reset_index(drop=True)
    pd.testing.assert_frame_equal(table[same], twice[same])
    pd.testing.assert_frame_equal(table[::2][ANGLES].reset_index(drop=True), before[ANGLES])
    assert list(table['rlnTomoParticleName'][:3]) == ['TS_01/0_s1', 'TS_01/0_s2', 'TS_02/1_s1']
    assert expanded.old_names['TS_02/1_s2'] == 'TS_02/1'
    assert list(expanded.blocks) == list(blocks)
    again = expand_by_angles(expanded.blocks, by_relion(expanded.blocks, TURNS)).blocks['particles']
    assert again['rlnTomoParticleName'].is_unique and len(again) == 32


def test_priors_go_with_the_copy(blocks):
    """A prior that stays behind makes RELION search on the wrong side of the sphere."""
    table = expand_by_angles(blocks, by_relion(blocks, TURNS)).blocks['particles']
    assert list(table['rlnAngleTiltPrior'][:2]) == pytest.approx([80.0, 100.0])
    psi = table['rlnAnglePsiPrior'].to_numpy()
    assert psi[0] == -20 and abs((psi[1] + 20) % 360) == pytest.approx(180, abs=1e-6)


def test_particles_that_relion_lost(blocks):
    """A file that was cut must not become a set with fewer copies of some."""
    copies = by_relion(blocks, TURNS)
    with pytest.raises(ConvertError, match='RELION made 1 to 2 copies'):
        expand_by_angles(blocks, copies.iloc[:-1])


def test_units_of_a_helix(blocks):
    """The reference as a whole is moved and turned along its own axis: a point on the helix stays on it."""
    table = expand_helix(blocks, units=4, twist=25.0, rise=7.0).blocks['particles']
    positions, A = poses_of_rows(table)
    old_positions, old_A = poses_of_rows(blocks['particles'])
    point = np.array([30.0, -10.0, 5.0])
    for copy, k in enumerate((0, -1, 1, 2)):
        angle = np.radians(25.0 * k)
        moved = [30 * np.cos(angle) + 10 * np.sin(angle), 30 * np.sin(angle) - 10 * np.cos(angle), 5 + 7.0 * k]
        np.testing.assert_allclose(positions[copy::4] + A[copy::4] @ point, old_positions + old_A @ moved, atol=1e-6)
    # Images stay where they were cut out.
    np.testing.assert_array_equal(table[COORDINATES][::4], table[COORDINATES][1::4])
