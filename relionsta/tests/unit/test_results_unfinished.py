"""Which tomograms a CTF refinement or polishing that was cut off has finished."""
import mrcfile
import numpy as np

from relionsta.results.unfinished import ALIGNMENT, DEFOCUS, MOTION, SCALE, Tomogram, aberrations, left_unfinished

TOMOGRAMS = {'TS_1': Tomogram(images=3, particles=2), 'TS_11': Tomogram(images=2, particles=1)}
TABLE = '\n# version 50001\n\ndata_%s\n\nloop_ \n%s%s \n'


def table(columns, rows, name=''):
    """As RELION writes one: a blank before each end of line, and a line with a blank at the end."""
    heads = ''.join('_%s #%d \n' % (column, number) for number, column in enumerate(columns, start=1))
    return TABLE % (name, heads, ''.join(' '.join('%12.6f' % (7.1 * row + at) for at in range(len(columns))) + ' \n'
                                         for row in range(rows)))


def files_of(name, tomogram):
    """Path -> text of all that RELION leaves of a tomogram."""
    motion = '\n# version 50001\n\ndata_general\n\n_rlnParticleNumber %23d\n \n' % tomogram.particles + ''.join(
        table(('rlnOriginXAngst', 'rlnOriginYAngst', 'rlnOriginZAngst'), tomogram.images, '%s/%d' % (name, number))
        for number in range(tomogram.particles))
    return {'temp/defocus/%s.star' % name: table(('rlnDefocusU', 'rlnDefocusV', 'rlnDefocusAngle'), tomogram.images),
            'temp/scale/%s.star' % name: table(('rlnCtfScalefactor',), tomogram.images),
            'temp/%s_projections.star' % name: table(('rlnTomoYTilt', 'rlnTomoZRot'), tomogram.images),
            'temp/%s_positions.star' % name: table(('rlnCenteredCoordinateXAngst',), tomogram.particles),
            'temp/%s_motion.star' % name: motion}


def write(folder, more=()):
    """All files of all tomograms, and more; returns {path: text}."""
    texts = dict(more)
    for name, tomogram in TOMOGRAMS.items():
        texts.update(files_of(name, tomogram))
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return texts


def names(paths, folder):
    return {path.relative_to(folder).as_posix() for path in paths}


def test_all_is_kept_that_is_whole_and_results_go(tmp_path):
    """A result of the earlier try that stays could be taken for one of this."""
    write(tmp_path, {'tomograms.star': 'x', 'tilt_series/TS_1.star': 'x', 'temp/defocus/TS_1.eps': 'x'})
    left = left_unfinished(tmp_path, TOMOGRAMS, [DEFOCUS, SCALE, ALIGNMENT, MOTION])
    assert names(left, tmp_path) == {'tomograms.star', 'tilt_series/TS_1.star', 'temp/defocus/TS_1.eps'}


def test_a_file_cut_anywhere_makes_its_tomogram_unfinished(tmp_path):
    """RELION would take the rest of it for the whole, or fail."""
    texts = write(tmp_path)
    wanted = [DEFOCUS, SCALE, ALIGNMENT, MOTION]
    assert left_unfinished(tmp_path, TOMOGRAMS, wanted) == []
    own = set(files_of('TS_1', TOMOGRAMS['TS_1']))
    for path in own:
        for length in range(len(texts[path])):
            (tmp_path / path).write_text(texts[path][:length])
            assert names(left_unfinished(tmp_path, TOMOGRAMS, wanted), tmp_path) == own, (path, length)
        (tmp_path / path).write_text(texts[path])


def test_a_tomogram_has_all_its_files_or_none(tmp_path):
    """A scale is fitted with the new defocus in RELION's memory; one that is only read again is not used."""
    write(tmp_path)
    (tmp_path / 'temp/scale/TS_11.star').unlink()
    for name in ('temp/TS_1_motion.star', 'temp/TS_11_motion.star'):
        (tmp_path / name).unlink()
    left = names(left_unfinished(tmp_path, TOMOGRAMS, [DEFOCUS, SCALE]), tmp_path)
    assert 'temp/defocus/TS_11.star' in left and 'temp/defocus/TS_1.star' not in left
    assert 'temp/defocus/TS_11.star' not in names(left_unfinished(tmp_path, TOMOGRAMS, [DEFOCUS]), tmp_path)
    assert 'temp/TS_1_positions.star' in names(left_unfinished(tmp_path, TOMOGRAMS, [ALIGNMENT, MOTION]), tmp_path)


def test_other_numbers_of_images_or_particles_are_other_work(tmp_path):
    """Files of another set of particles must not come into the result."""
    write(tmp_path)
    other = {'TS_1': Tomogram(3, 5), 'TS_11': Tomogram(4, 1)}
    assert len(left_unfinished(tmp_path, other, [ALIGNMENT])) == 10


def test_sums_of_aberrations_are_whole_maps(tmp_path):
    """Each optics group has its own, and a cut one would be read as noise."""
    wanted = [aberrations(2)]
    for name in TOMOGRAMS:
        for pattern in wanted[0]:
            path = tmp_path / 'temp' / (pattern % name)
            path.parent.mkdir(parents=True, exist_ok=True)
            mrcfile.write(str(path), np.ones((4, 3), np.float32))
    assert left_unfinished(tmp_path, TOMOGRAMS, wanted) == []
    torn = tmp_path / 'temp/aberrations/TS_11_group_1_odd_a.mrc'
    torn.write_bytes(torn.read_bytes()[:-4])
    assert len(left_unfinished(tmp_path, TOMOGRAMS, wanted)) == 16
