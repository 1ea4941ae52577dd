"""Names, ids, files and blocks of particles STAR files, and the file that an extraction starts from."""
import numpy as np
import pandas as pd
import pytest

from relionsta.convert.bulk import ids_if_same, write_items
from relionsta.convert.coordinates import coordinates_table, write_particles_star
from relionsta.convert.errors import ConvertError
from relionsta.convert.particles import ids_by_name, write_star_of_set
from relionsta.objects import NO_IMAGES, SetOfStaParticles, StaParticle
from relionsta.star import StarError, read_star, write_star
from relionsta.tests.find import shared_data

from .convert_particle_files import PIXEL, read, write_particles, written
from .convert_scene import make_coordinates, make_tomograms


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_names_that_look_like_something_else():
    """`007` is not 7 and `None` is a name; tomograms that Scipion cannot spell keep their name for RELION."""
    names = ['007', 'None', '1e5', 'nan', '0x1', 'TS/1', "a'b", '-1']
    table = write_particles(names=names)
    table['rlnTomoName'] = np.array(['007', 'a-b'] * 4, dtype=object)
    blocks = read_star('run_data.star')
    blocks['particles'] = table
    write_star('run_data.star', blocks)
    table = read_star('run_data.star')['particles']
    particles = read()
    assert [particle.getParticleName() for particle in particles.iterItems()] == names
    assert particles.getTSIds() == ['TS_007', 'a_b']
    pd.testing.assert_frame_equal(written(particles), table)


def test_object_ids_go_with_the_names():
    """Scipion's subset protocol compares object ids: a particle must keep its own through a refinement."""
    table = write_particles()
    first = read()
    blocks = read_star('run_data.star')
    blocks['particles'] = pd.concat([table.iloc[[6, 1, 4]], table.iloc[[0]].assign(rlnTomoParticleName='new')])
    write_star('later.star', blocks)
    for number, ids in enumerate((first, ids_by_name(first))):
        later = read('later.star', prefix='later%d' % number, ids=ids)
        assert ids_by_name(later) == {'TS_01/6': 7, 'TS_02/1': 2, 'TS_01/4': 5, 'new': 9}


@pytest.mark.parametrize('chosen', [range(8), [3, 4, 5], [5, 4, 3], [0, 1, 2, 3, 4, 5, 7, 6], [0, 2, 4]])
def test_object_ids_of_the_same_particles(chosen):
    """The quick way for a job that keeps all particles must not be taken for others, or in another order."""
    table = write_particles()
    first = read()
    blocks = read_star('run_data.star')
    blocks['particles'] = table.iloc[chosen]
    write_star('some.star', blocks)
    known = {'TS_0%d/%d' % (row % 2 + 1, row): row + 1 for row in chosen}
    some = read('some.star', prefix='some', ids=first)
    assert ids_by_name(some) == known
    # Ids that do not begin at 1, or have gaps
    assert ids_by_name(read('some.star', prefix='again', ids=some)) == known


def test_texts_that_are_not_as_many_as_they_look():
    """A line break in a name, or a missing one, must not shift the ids of those behind it."""
    def made(prefix, names):
        particles = SetOfStaParticles.create('.', prefix=prefix)
        write_items(particles, StaParticle(), {'_particleName': names, '_volName': ['TS'] * len(names)})
        particles.write()
        return particles
    assert ids_if_same(made('a', ['a\nb', 'c']), '_particleName', ['a', 'b\nc']) is None
    assert ids_if_same(made('b', ['a', None, 'c']), '_particleName', ['a', 'c']) is None
    assert ids_if_same(made('c', ['a', None, 'c']), '_particleName', ['a', 'b', 'c']) is None
    assert ids_if_same(SetOfStaParticles.create('.', prefix='d'), '_particleName', []) is None
    assert ids_if_same(made('e', ['a', 'b']), '_particleName', ['a', 'b']).tolist() == [1, 2]


def test_writing_twice_gives_the_same_bytes(tmp_path):
    """A list that grows with each call has once broken every third run."""
    write_particles()
    particles = read()
    for name in ('one.star', 'two.star', 'three.star'):
        write_star_of_set(particles, name)
    assert (tmp_path / 'one.star').read_bytes() == (tmp_path / 'two.star').read_bytes() \
        == (tmp_path / 'three.star').read_bytes()


def test_pseudo_subtomograms_count_as_premultiplied():
    """RELION 5.1 writes 0 when it extracts them, and its refinement then dies; real subtomograms keep their 0."""
    for name, flag in (('weights', 1), ('ctf', 0)):
        write_particles(rlnCtfImage='a/1_%s.mrc' % name)
        blocks = read_star('run_data.star')
        blocks['general']['rlnTomoSubTomosAre2DStacks'] = 0
        blocks['optics']['rlnCtfDataAreCtfPremultiplied'] = 0
        write_star('run_data.star', blocks)
        write_star_of_set(read(), 'next.star')
        assert list(read_star('next.star')['optics']['rlnCtfDataAreCtfPremultiplied']) == [flag]


def test_micrograph_name_never_goes_out():
    """With rlnMicrographName RELION gives poses to the wrong particles, without a word."""
    write_particles(rlnMicrographName='mic')
    assert 'rlnMicrographName' not in written(read())


def test_other_blocks_follow_the_rows():
    """Multi-body tables go row by row beside the particles."""
    write_particles()
    blocks = read_star('run_data.star')
    blocks['images_body_1'] = pd.DataFrame({'rlnAngleRot': np.arange(8.0)})
    write_star('run_data.star', blocks)
    particles = read()
    subset = SetOfStaParticles.create('.', prefix='subset')
    subset.copyInfo(particles)
    for particle in particles.iterItems(where='id>4'):
        subset.append(particle)
    subset.write()
    write_star_of_set(subset, 'next.star')
    assert list(read_star('next.star')['images_body_1']['rlnAngleRot']) == [4, 5, 6, 7]


def test_files_that_do_not_fit_are_refused():
    """Each of these would give RELION other particles than the user chose."""
    write_particles(names=['a', 'b', 'c', 'a', 'd', 'e', 'f', 'g'])
    with pytest.raises(StarError, match='a is there twice'):
        read()
    table = write_particles()
    particles = read()
    blocks = read_star('run_data.star')
    blocks['particles'] = table.drop(index=3)
    write_star('run_data.star', blocks)
    with pytest.raises(ConvertError, match='1 of 8 particles are not in run_data.star, the first of them TS_02/3'):
        write_star_of_set(particles, 'next.star')
    blocks.pop('optics')
    write_star('run_data.star', blocks)
    with pytest.raises(StarError, match='data_optics is missing'):
        read(prefix='other')


def test_an_empty_extraction_is_an_empty_set():
    """RELION ends well with no particle at all; the protocol must be able to count them."""
    write_particles()
    blocks = read_star('run_data.star')
    # RELION 5.1 leaves the whole block out.
    blocks.pop('particles')
    write_star('run_data.star', blocks)
    assert read().getSize() == 0
    with open('run_data.star') as file:
        text = file.read().rstrip()
    with open('run_data.star', 'w') as file:
        file.write(text + '\n')
    with pytest.raises(StarError, match='data_particles is missing'):
        read(prefix='cut')


def test_real_refinement_round_trip():
    """9053 particles of RELION's own Refine3D: every column must come back."""
    source = shared_data('relion5-hiv-project/Refine3D/job034/run_data.star')
    particles = read(str(source))
    assert particles.getSize() == 9053
    write_star_of_set(particles, 'next.star')
    before, after = read_star(source), read_star('next.star')
    assert list(before) == list(after)
    for name in before:
        pd.testing.assert_frame_equal(after[name], before[name])


def test_coordinates_to_star_and_to_a_set():
    """10,000 picks: Scipion's place and orientation -> RELION's -> Scipion's."""
    tomograms = make_tomograms()
    coordinates = make_coordinates(tomograms, n=300)
    table = coordinates_table(coordinates)
    write_tomograms_overview()
    write_particles_star('particles.star', table, 'tomograms.star')
    particles = read('particles.star', coordinates, ids=dict(zip(table['rlnTomoParticleName'], table.index)))
    assert particles.getKind() == NO_IMAGES and particles.getBoxSize() is None
    for coordinate, particle in zip([c.clone() for c in coordinates.iterItems()], particles.iterItems()):
        assert coordinate.getObjId() == particle.getObjId()
        mine = particle.getCoordinate3D()
        assert (mine.getTomoId(), mine.getVolId()) == (coordinate.getTomoId(), coordinate.getVolId())
        assert mine.getScore() == pytest.approx(coordinate.getScore(), abs=1e-12)
        for axis in ('_x', '_y', '_z'):
            assert getattr(mine, axis).get() == pytest.approx(getattr(coordinate, axis).get(), abs=1e-9)
        np.testing.assert_allclose(mine.getMatrix(), coordinate.getMatrix(), atol=1e-9)


def write_tomograms_overview():
    rows = [{'rlnTomoName': name, 'rlnVoltage': 300.0, 'rlnSphericalAberration': 2.7, 'rlnAmplitudeContrast': 0.1,
             'rlnTomoTiltSeriesPixelSize': PIXEL, 'rlnOpticsGroupName': group}
            for name, group in (('TS_01', 'opticsGroup1'), ('TS_02', 'opticsGroup2'), ('TS_03', 'opticsGroup1'))]
    write_star('tomograms.star', {'global': pd.DataFrame(rows)})


def test_optics_groups_of_extraction_input():
    """A particle in the wrong optics group has another pixel size or voltage."""
    coordinates = make_coordinates(make_tomograms(['TS_01', 'TS_02', 'TS_03']), n=6)
    write_tomograms_overview()
    write_particles_star('particles.star', coordinates_table(coordinates), 'tomograms.star')
    blocks = read_star('particles.star')
    assert list(blocks['optics']['rlnOpticsGroupName']) == ['opticsGroup1', 'opticsGroup2']
    groups = blocks['particles'].set_index('rlnTomoName')['rlnOpticsGroup'].to_dict()
    assert groups == {'TS_01': 1, 'TS_02': 2, 'TS_03': 1}
    names = list(blocks['particles']['rlnTomoParticleName'])
    assert names == ['TS_01/1', 'TS_02/2', 'TS_03/3', 'TS_01/4', 'TS_02/5', 'TS_03/6']
    table = coordinates_table(coordinates).assign(rlnTomoName='TS_09')
    with pytest.raises(StarError, match='particles in TS_09'):
        write_particles_star('particles.star', table, 'tomograms.star')
