"""Particles by tomogram, on slabs of tomograms, and in files for other programs."""
import re

import mrcfile
import numpy as np
import pandas as pd
import pytest

from relionsta import geometry
from relionsta.figures.style import COLORS
from relionsta.figures.tomogram import tomogram_figure
from relionsta.results.per_tomogram import notable, per_tomogram, shown
from relionsta.results.scene_files import COPIES, write_scene
from relionsta.results.tomogram_slab import busiest, read_slab, voxel_places
from relionsta.star import StarError, read_star

VOXEL, SIZE = 10., (40, 36, 30)  # Å; X, Y, Z
#: centred positions, Å
PLACES = np.array([[100., -50., 40.], [-120., 80., 40.], [0., 0., -100.]])


@pytest.fixture
def tomogram(tmp_path):
    """Zeros with a dark voxel at the place of each particle, as RELION counts: centre at N / 2."""
    data = np.zeros(SIZE[::-1], dtype=np.float32)
    x, y, z = (PLACES / VOXEL + np.array(SIZE) / 2).astype(int).T
    data[z, y, x] = -1
    with mrcfile.new(tmp_path / 'tomogram.mrc', data) as mrc:
        mrc.voxel_size = VOXEL
    return tmp_path / 'tomogram.mrc'


def test_values_of_each_tomogram():
    """A median that belongs to another tomogram makes people drop the good one."""
    table = pd.DataFrame({'rlnTomoName': ['b', 'a', 'b', 'b'], 'rlnTomoParticleName': ['b/1', 'a/1', 'b/2', 'b/3'],
                          'rlnAutopickFigureOfMerit': [1., 9., 2., 6.], 'rlnMaxValueProbDistribution': [.1, .9, .2, .3],
                          'rlnClassNumber': [1, 3, 3, 3]})
    found = per_tomogram(table, {'a': 20000., 'c': 1.}, pd.Series({'b/1': 1., 'b/2': 3., 'a/1': 7.}))
    assert list(found.index) == ['a', 'b'] and list(found['particles']) == [1, 3]
    assert list(found['score']) == [9., 2.] and list(found['pmax']) == [.9, .2] and list(found['motion']) == [7., 2.]
    assert list(found['class_1']) == [0., pytest.approx(1 / 3)] and list(found['class_3']) == [1., pytest.approx(2 / 3)]
    assert found['defocus']['a'] == 20000. and np.isnan(found['defocus']['b'])
    people = shown(found)
    assert list(people) == ['Particles', 'Score', 'Pmax', 'Motion (Å)', 'Class 1 (%)', 'Class 3 (%)', 'Defocus (µm)']
    assert people['Defocus (µm)']['a'] == 2. and people['Class 3 (%)']['a'] == 100.
    bare = per_tomogram(table[['rlnTomoName']])
    assert list(bare) == ['particles'] and list(bare['particles']) == [1, 3]
    with pytest.raises(StarError, match='rlnTomoName'):
        per_tomogram(table[['rlnClassNumber']])


def test_tomograms_out_of_line_are_named():
    """Low Pmax and much motion are bad; high Pmax and little motion are not."""
    names = ['t%d' % number for number in range(12)]
    table = pd.DataFrame({'particles': 5, 'pmax': np.linspace(.5, .6, 12), 'motion': np.linspace(1, 2, 12)}, index=names)
    assert notable(table) == []
    table.loc['t3', 'pmax'], table.loc['t7', 'motion'], table.loc['t9', 'pmax'] = .01, 50., .99
    assert notable(table) == ['t3', 't7']


def test_particles_lie_on_their_density(tomogram):
    """Half a box or a binning aside, good particles look like wrong picks."""
    places = voxel_places(PLACES, SIZE, VOXEL)
    slab = read_slab(tomogram, busiest(places, 30., VOXEL), 30.)
    assert (slab.first, slab.last) == (17, 21)  # 19 +- 2 slices of 10 Å: 40 Å above the centre, 15 + 4
    inside = slab.inside(places)
    assert list(inside) == [True, True, False]
    for x, y, _ in places[inside].astype(int):
        assert slab.image[y, x] == pytest.approx(-1 / 5)
    assert slab.image.sum() == pytest.approx(-2 / 5)
    # A volume whose centre lies elsewhere than the specimen's
    np.testing.assert_allclose(voxel_places(PLACES, SIZE, VOXEL, (20., 0., -30.)), places - [2, 0, -3])


def test_circles_are_drawn_in_the_right_place_and_colour(tomogram):
    """A circle of another class or half a voxel aside is a wrong statement about a particle."""
    places = voxel_places(PLACES, SIZE, VOXEL)
    slab = read_slab(tomogram, 19, 30.)
    figure = tomogram_figure(slab, places, [1, 2, 2], 'class', 'A tomogram')
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ['class 1: 1', 'class 2: 1']
    for circles, place in zip(axes.collections, places):
        np.testing.assert_allclose(circles.get_offsets(), [(place[:2] + 0.5) * VOXEL])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ('X (Å)', 'Y (Å)')
    assert axes.images[0].get_extent() == [0, 400, 0, 360]
    assert axes.get_title(loc='left') == 'Slices 18 to 22 (50 Å): 2 of 3 particles'
    scale = tomogram_figure(slab, places, [.11, .22, .33], 'Pmax')
    np.testing.assert_allclose(scale.axes[0].collections[-1].get_array(), [.11, .22])
    assert scale.axes[1].get_ylabel() == 'Pmax'
    plain = tomogram_figure(slab, places)
    assert [text.get_text() for text in plain.axes[0].get_legend().get_texts()] == ['2 particles']


def test_copies_stand_at_the_composed_poses(tomogram, tmp_path):
    """Copies that are turned the other way round look fine one by one, and wrong on a membrane."""
    random = np.random.default_rng(5)
    sub, part = random.uniform(-90, 90, (3, 3)), random.uniform(-90, 90, (3, 3))
    origins = random.uniform(-20, 20, (3, 3))
    positions, A = geometry.compose_pose(PLACES, origins, sub, part)
    places = voxel_places(positions, SIZE, VOXEL)
    with mrcfile.new(tmp_path / 'map.mrc', np.zeros((8, 8, 8), dtype=np.float32)) as mrc:
        mrc.voxel_size = 5.
    scene = write_scene(tmp_path / 'out', 'TS 1', places, A, VOXEL, [2, 1, 2], COLORS, tomogram, tmp_path / 'map.mrc')
    script = scene.script.read_text()
    rows = re.findall(r'view matrix models #4\.\d+,(\S+)', script)
    assert len(rows) == scene.copies == 3
    point = np.array([7., -3., 11.])  # of the reference, Å from its centre
    for row, turn_sub, turn_part, coordinate, origin in zip(rows, sub, part, PLACES, origins):
        matrix = np.array([float(text) for text in row.split(',')]).reshape(3, 4)
        ours = matrix[:, :3] @ point + matrix[:, 3]
        first, second = (geometry.euler_to_matrix([one])[0] for one in (turn_sub, turn_part))
        truth = coordinate + first @ (second @ point - origin)  # x = A_sub (A_part x_ref - origin) + coordinate
        np.testing.assert_allclose(ours, truth + np.array(SIZE) / 2 * VOXEL, atol=1e-3)
    assert 'volume #3 originIndex 4,4,4' in script and 'volume #1 originIndex 0,0,0' in script
    assert '"%s"' % tomogram in script
    table = read_star(scene.star)['particles']
    np.testing.assert_allclose(geometry.euler_to_matrix(table[['rlnAngleRot', 'rlnAngleTilt', 'rlnAnglePsi']]), A, atol=1e-6)
    np.testing.assert_allclose(table[['rlnCoordinateX', 'rlnCoordinateY', 'rlnCoordinateZ']], places)
    np.testing.assert_allclose(pd.read_csv(scene.points)[['axis-2', 'axis-1', 'axis-0']], places, atol=1e-3)
    markers = re.findall(r'x="(\S+)" y="(\S+)" z="(\S+)" r="(\S+)"', scene.markers.read_text())
    np.testing.assert_allclose(np.array(markers, dtype=float)[:, :3], places * VOXEL, atol=1e-3)
    assert len({row[3] for row in markers}) == 2 and markers[0][3] == markers[2][3] != markers[1][3]
    assert [line.split()[-1] for line in script.splitlines() if line.startswith('color #4')] == [COLORS[1], COLORS[0],
                                                                                                 COLORS[1]]


def test_many_particles_become_markers(tmp_path):
    """Thousands of maps would stop ChimeraX."""
    number = COPIES + 5
    with mrcfile.new(tmp_path / 'map.mrc', np.zeros((8, 8, 8), dtype=np.float32)) as mrc:
        mrc.voxel_size = 5.
    arguments = (tmp_path, 'a', np.zeros((number, 3)), np.tile(np.eye(3), (number, 1, 1)), VOXEL, [0] * number, COLORS)
    scene = write_scene(*arguments, reference=tmp_path / 'map.mrc')
    assert scene.copies == COPIES == scene.script.read_text().count('volume copy')
    assert scene.markers.read_text().count('<marker ') == number == len(read_star(scene.star)['particles'])
    assert 'volume' not in write_scene(*arguments).script.read_text()
