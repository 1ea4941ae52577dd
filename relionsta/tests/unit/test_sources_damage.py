"""A damaged AreTomo3 folder gives a clear error, never other numbers."""
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from relionsta.sources import SeriesLocation, SourceError, read_series
from relionsta.tests.unit.make_aretomo3 import VERSIONS, MadeSeries, write_mrc

TEXTS = ('TS_01.aln', 'TS_01_TLT.txt', 'TS_01_CTF.txt')
FACTS = ('pixel_size', 'image_size', 'voltage', 'cs', 'amplitude_contrast', 'tilt_axis', 'hand', 'voxel_size',
         'tomogram_size', 'flip_vol')


def read(folder, **given):
    return read_series(SeriesLocation(folder, 'TS_01'), **given)


def outcome(folder, reference):
    """'refused', 'same' as the reference record, or 'different'; a difference that is told in a warning is 'told'."""
    try:
        record = read(folder)
    except SourceError as error:
        assert str(folder) in str(error), 'a message without a file name: %s' % error
        return 'refused'
    try:
        pd.testing.assert_frame_equal(record.images, reference.images)
        same = all(getattr(record, fact) == getattr(reference, fact) for fact in FACTS)
    except AssertionError:
        same = False
    if same:
        return 'same'
    return 'told' if record.warnings != reference.warnings else 'different'


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    series = MadeSeries(patches=1)
    folders = {version: series.write(tmp_path_factory.mktemp('good') / version, version) for version in VERSIONS}
    return folders, read(folders[VERSIONS[-1]])


def damaged(made, tmp_path, version, name, data):
    folder = tmp_path / 'bad'
    if not folder.exists():
        shutil.copytree(str(made[0][version]), str(folder))
    (folder / name).write_bytes(data)
    return outcome(folder, made[1])


@pytest.mark.parametrize('name, version', [(TEXTS[0], version) for version in VERSIONS]
                         + [(name, VERSIONS[-1]) for name in TEXTS[1:]])
def test_a_missing_or_doubled_line_is_never_read_in_silence(made, tmp_path, name, version):
    """One line too few or too many moves every later image to its neighbour's tilt, CTF or dose."""
    lines = (made[0][version] / name).read_bytes().splitlines(True)
    results = []
    for i in range(len(lines)):
        results.append(damaged(made, tmp_path, version, name, b''.join(lines[:i] + lines[i + 1:])))
        results.append(damaged(made, tmp_path, version, name, b''.join(lines[:i + 1] + lines[i:])))
    assert 'different' not in results and results.count('refused') >= 2 * 9
    exchanged = [damaged(made, tmp_path, version, name, b''.join(lines[:i] + [lines[i + 1], lines[i]] + lines[i + 2:]))
                 for i in range(len(lines) - 1)]
    assert 'different' not in exchanged


@pytest.mark.parametrize('name', TEXTS + ('AreTomo3_Session.json',))
def test_a_cut_file_is_never_read_in_silence(made, tmp_path, name):
    """A full disk or a copy that stopped cuts at any byte, also inside the last number."""
    version = VERSIONS[-1]
    data = (made[0][version] / name).read_bytes()
    places = sorted(set(range(0, len(data), 29)) | set(range(max(0, len(data) - 40), len(data))))
    results = [damaged(made, tmp_path, version, name, data[:place]) for place in places]
    assert 'different' not in results and 'refused' in results
    if name != 'TS_01.aln':  # its last lines are the local table, which is not used
        assert set(results[:-1]) == {'refused'}


def test_aretomo1_without_dark_lines(tmp_path):
    """Its files do not say how many rows there should be: what is left out is at least named."""
    folder = MadeSeries(alpha=0., darks=(0, 9)).write(tmp_path / 'x', 'aretomo2')
    path = folder / 'TS_01.aln'
    lines = [line for line in path.read_text().splitlines(True) if 'DarkFrame' not in line]
    path.write_text(''.join(lines))
    reference = read(folder)
    first = next(i for i, line in enumerate(lines) if 'TILT' in line) + 1
    for i in range(first, len(lines)):
        path.write_text(''.join(lines[:i] + lines[i + 1:]))
        assert outcome(folder, reference) == 'told'
        path.write_text(''.join(lines[:i + 1] + lines[i:]))
        assert outcome(folder, reference) == 'refused'
    path.write_text(''.join(lines[:first] + [' %4d%s' % (int(line[:5]) + 7, line[5:]) for line in lines[first:]]))
    with pytest.raises(SourceError, match='has 9 rows and the series has 11 images; no dark image is named'):
        read(folder)


def test_a_cut_table_at_every_byte_of_its_last_line(tmp_path):
    """Without local table the .aln ends in a tilt, and 19.20 cut to 19.2 is right while 19 is not."""
    folder = MadeSeries(darks=(0,)).write(tmp_path / 'x')
    reference = read(folder)
    data = (folder / 'TS_01.aln').read_bytes()
    for place in range(data.rindex(b'\n', 0, -1) + 2, len(data) - 1):
        (folder / 'TS_01.aln').write_bytes(data[:place])
        assert outcome(folder, reference) == 'refused', data[place - 20:place]
    (folder / 'TS_01.aln').write_bytes(data[:-1])
    assert outcome(folder, reference) == 'same'  # only the line end is missing


@pytest.mark.parametrize('name', TEXTS)
def test_a_damaged_value_is_named_with_its_line(made, tmp_path, name):
    """The user must find the place in a file of a hundred lines."""
    version = VERSIONS[-1]
    lines = (made[0][version] / name).read_text().splitlines()
    number = max(i for i, line in enumerate(lines) if 'TILT' in line or 'Columns' in line or i == 0) + 2
    tokens = lines[number - 1].split()
    for column, bad in ((0, '1.5'), (1, 'nan'), (1, 'inf'), (len(tokens) - 1, '********'), (1, '1e999'), (1, '--3')):
        if name == 'TS_01_TLT.txt' and column == 0:
            continue
        broken = tokens[:column] + [bad] + tokens[column + 1:]
        folder = tmp_path / ('%d%s' % (column, re.sub(r'\W', '_', bad)))
        shutil.copytree(str(made[0][version]), str(folder))
        (folder / name).write_text('\n'.join(lines[:number - 1] + [' '.join(broken)] + lines[number:]) + '\n')
        with pytest.raises(SourceError, match=r"%s, line %d: .* is '%s', a (whole )?number is expected: correct"
                           % (re.escape(name), number, re.escape(bad))):
            read(folder)


@pytest.mark.parametrize('name, fix', [
    ('TS_01.aln', 'Run AreTomo3 on this series again'), ('TS_01_TLT.txt', 'write it yourself: one line per image'),
    ('TS_01_CTF.txt', 'with CTF estimation'), ('TS_01.mrc', 'Restore it'),
])
def test_a_missing_or_empty_file_is_named_with_what_to_do(tmp_path, name, fix):
    """One series of many lacks a file: the report must say which, and what helps."""
    folder = MadeSeries().write(tmp_path)
    (folder / name).write_bytes(b'')
    with pytest.raises(SourceError, match=re.escape(name) + '.*' + fix):
        read(folder)
    (folder / name).write_bytes(b'\0\1\2\3' * 500)
    with pytest.raises(SourceError, match=re.escape(name) + '.*' + fix):
        read(folder)
    (folder / name).unlink()
    with pytest.raises(SourceError, match=re.escape(name) + ': this file is missing. .*' + fix):
        read(folder)


def test_truncated_ctf_table_says_both_numbers(tmp_path):
    """20 CTFs for 31 images: which of them have none is unknown, so none may be used."""
    folder = MadeSeries(nominal=np.arange(-45., 46., 3.)).write(tmp_path)
    path = folder / 'TS_01_CTF.txt'
    path.write_text(''.join(path.read_text().splitlines(True)[:21]))
    with pytest.raises(SourceError, match='TS_01_CTF.txt: has 20 rows and the series has 31 images'):
        read(folder)


def test_wrong_tilt_names_the_row(tmp_path):
    """Files of two runs in one folder have the same counts and other tilts."""
    made = MadeSeries()
    folder = made.write(tmp_path)
    path = folder / 'TS_01_TLT.txt'
    path.write_text(path.read_text().replace('   -3.00', '   -3.20'))
    with pytest.raises(SourceError, match=r'TS_01.aln, line 13: the tilt is 1.20 deg, less the alpha offset -3.00; '
                                          r'image 5 of the stack.* has -3.20 deg in _TLT.txt'):
        read(folder)


@pytest.mark.parametrize('change, message', [
    ({'acquisition': (4, 1)}, r'TS_01_TLT.txt, line \d+: acquisition number \d+ was already given in line'),
    ({'acquisition': (4, -3)}, r'line 5: acquisition number -3 is below 0'),
    ({'dose': (slice(None), 0.)}, r'TS_01_TLT.txt: all doses are 0 e/A2.*Give the dose per image'),
    ({'dose': (4, 0.)}, r'TS_01_TLT.txt, line 5: the dose is 0 e/A2 \(1 such images\)'),
    ({'dose': (4, -1.)}, r'TS_01_TLT.txt, line 5: the dose is -1 e/A2'),
    ({'nominal': (0, 89.)}, r'TS_01_TLT.txt, line 2: the tilt -12.00 is below the one before'),
    ({'nominal': (10, 99.)}, r'TS_01_TLT.txt, line 11: the tilt is 99.00, expected -90 to 90'),
    ({'phase': (2, 90.)}, r'TS_01_CTF.txt, line 4: the phase shift is 90, radian are expected'),
    ({'defocus': (slice(None), 0.)}, r'TS_01_CTF.txt: no image has a defocus above 0'),
])
def test_impossible_values_are_refused(tmp_path, change, message):
    """RELION takes all of these in silence: equal doses break polishing, degrees for radian spoil the CTF."""
    made = MadeSeries()
    for name, (place, value) in change.items():
        getattr(made, name)[place] = value
    with pytest.raises(SourceError, match=message):
        read(made.write(tmp_path))


@pytest.mark.parametrize('old, new, message', [
    ('NumPatches = 0', 'NumPatches = x', "line 3: NumPatches is 'x'"),
    ('RawSize = 64 48 11', 'RawSize = 64 48', "RawSize is '64 48', three numbers"),
    ('RawSize = 64 48 11', 'RawSize = 64 48 12', 'TS_01_TLT.txt: has 11 rows and the series has 12 images'),
    ('RawSize = 64 48 11', 'RawSize = 48 64 11', 'TS_01.mrc: 11 images of 64 x 48 px, the .aln says 11 images of 48 x'),
    ('DarkFrame =     9 ', 'DarkFrame =    11 ', 'DarkFrame 11 is given twice or lies outside the series'),
    ('DarkFrame =     9 ', 'DarkFrame =     8 ', 'the tilt is 13.20 deg'),
    ('     ROT     ', '     AXIS     ', 'it must name SEC, ROT, TX, TY, TILT'),
])
def test_damaged_alignment_header(tmp_path, old, new, message):
    """The header says how many images there are and which are dark: a slip shifts all rows."""
    folder = MadeSeries().write(tmp_path)
    path = folder / 'TS_01.aln'
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(SourceError, match=message):
        read(folder)


@pytest.mark.parametrize('session, given, message', [
    ({'PixSize': None}, {}, r'pixel size is not known .*the header of the stack says 2.0000 A: give the pixel size'),
    ({'PixSize': 0.0}, {}, 'pixel size is not known'),
    ({'McBin': None}, {}, 'pixel size is not known'),
    ({'McBin': 1.0}, {}, r'PixSize \* McBin is 1.0000 A, but the header of .*TS_01.mrc says 2.0000 A'),
    ({'PixSize': 'x'}, {}, 'AreTomo3_Session.json: PixSize is "x", a number is expected'),
    ({'PixSize': True}, {}, 'PixSize is true, a number is expected'),
    ({'kV': None}, {}, 'kV is not known .*give voltage'),
    ({'Cs': -2.7}, {}, 'Cs is -2.7, expected 0 to 100'),
    ({'AmpContrast': 7}, {}, 'AmpContrast is 7, expected 0 to 1'),
    ({'FlipVol': 3}, {}, 'FlipVol is 3, expected 0, 1 or 2'),
    ({'TiltAxis': ['a', 1]}, {}, 'TiltAxis is "a"'),
    ({}, {'pixel_size': 0.}, 'pixel size is 0.0: give'),
    ({}, {'dose_per_image': -1.}, 'dose per image is -1.0'),
    ({}, {'hand': 0}, 'hand is 0: give -1 or 1'),
    ({}, {'flip_vol': 3}, 'flip_vol is 3: give 0 or 1 or 2'),
    ({}, {'voltage': float('nan')}, 'kV is nan'),
])
def test_unknown_or_impossible_parameters(tmp_path, session, given, message):
    """A pixel size off by the binning factor spoils all that follows."""
    folder = MadeSeries(session=session).write(tmp_path)
    with pytest.raises(SourceError, match=message):
        read(folder, **given)


def test_session_file_that_says_two_things(tmp_path):
    """JSON readers take the last of two equal keys in silence."""
    folder = MadeSeries().write(tmp_path)
    path = folder / 'AreTomo3_Session.json'
    path.write_text(path.read_text().replace('"kV": 300,', '"kV": 300, "kV": 200,'))
    with pytest.raises(SourceError, match="'kV' is given twice, as 300 and 200"):
        read(folder)


def test_damaged_stacks_and_volumes(tmp_path):
    """A copy that stopped leaves a good header and half of the images."""
    folder = MadeSeries(halves=True).write(tmp_path)
    for name, fix in (('TS_01.mrc', 'Restore'), ('TS_01_EVN.mrc', 'Restore'), ('TS_01_Vol.mrc', 'Reconstruct'),
                      ('TS_01_ODD_Vol.mrc', 'Reconstruct')):
        path = folder / name
        data = path.read_bytes()
        path.write_bytes(data[:-100])
        with pytest.raises(SourceError, match=r'%s: the file has \d+ bytes, \d+ are .*cut short. %s' % (name, fix)):
            read(folder)
        path.write_bytes(data[:500])
        with pytest.raises(SourceError, match='%s: this is no readable MRC file' % name):
            read(folder)
        path.write_bytes(data)
    write_mrc(folder / 'TS_01_ODD_Vol.mrc', (12, 16, 10), 8.)
    with pytest.raises(SourceError, match='TS_01_ODD_Vol.mrc: 12 x 16 x 10 voxels, the tomogram has 12 x 16 x 8'):
        read(folder)
    write_mrc(folder / 'TS_01_Vol.mrc', (20, 16, 8), 8.)
    with pytest.raises(SourceError, match='Vol.mrc: 20 x 16 x 8 voxels and aligned images of 48 x 64 px do not fit'):
        read(folder)


def test_one_half_alone_is_not_used(tmp_path):
    """Even without odd would make half maps of different data."""
    folder = MadeSeries(halves=True).write(tmp_path)
    (folder / 'TS_01_ODD.mrc').unlink()
    (folder / 'TS_01_EVN_Vol.mrc').unlink()
    record = read(folder)
    assert record.even_stack is None and record.odd_tomogram is None and len(record.warnings) == 2
