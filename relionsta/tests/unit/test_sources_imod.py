"""eTomo folders: alignment, excluded views, doses and order come in, from made files and from real ones."""
import numpy as np
import pytest

from relionsta.sources import IMAGE_COLUMNS, SourceError
from relionsta.sources.imod import find_etomo_series, read_etomo_series
from relionsta.tests.find import shared_data
from relionsta.tests.unit.make_aretomo3 import write_mrc

GIVEN = {'cs': 2.7, 'amplitude_contrast': 0.07}
NOMINAL = np.arange(-12., 13., 6.)
SHIFTS = np.array([[10., -4.], [0., 3.], [-7.5, 2.], [1., 1.], [30., -20.]])
ROT = 85.25
ORDER = [5, 3, 1, 2, 4]


def turned(rot):
    cosine, sine = np.cos(np.radians(rot)), np.sin(np.radians(rot))
    return np.array([[cosine, sine], [-sine, cosine]])


def mdoc_text(tilts=NOMINAL, order=ORDER, dose=3.0):
    lines = ['PixelSpacing = 2', 'Voltage = 200', '']
    for number, tilt in enumerate(tilts):
        lines += ['[ZValue = %d]' % number, 'TiltAngle = %.2f' % tilt, 'StagePosition = 1 2', 'ExposureDose = %g' % dose,
                  'DateTime = 07-May-24  10:%02d:11' % order[number], '']
    return '\n'.join(lines)


def make(folder, name='TS_01', xf=None, tlt=None, **files):
    """An eTomo folder of known numbers; files: their text, None for one that is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    M = turned(ROT)
    if xf is None:
        xf = ''.join('%12.7f%12.7f%12.7f%12.7f%12.3f%12.3f\n' % (*M.ravel(), *(-M @ shift)) for shift in SHIFTS)
    texts = {'.xf': xf, '.tlt': ''.join('%.2f\n' % t for t in NOMINAL + 1.5) if tlt is None else tlt,
             '.rawtlt': ''.join('%.2f\n' % t for t in NOMINAL), '.st.mdoc': mdoc_text()}
    for end, text in texts.items():
        (folder / (name + end)).write_text(text)
    for file, text in files.items():
        path = folder / file.replace('__', '.')
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
    write_mrc(folder / (name + '.st'), (64, 48, 5), 2.0)
    return folder


def read(folder, **given):
    location, = find_etomo_series(str(folder))
    return read_etomo_series(location, **{**GIVEN, **given})


def test_every_number_arrives(tmp_path):
    """Prevents a wrong sign of axis or shift, a wrong image, and doses in the order of the stack."""
    record = read(make(tmp_path, tilt__com='$tilt\n# EXCLUDELIST 4\nTILTFILE TS_01.tlt\nEXCLUDELIST2 1-2\n',
                       align__com='OutputTiltFile TS_01.tlt\nExcludeList 5\n'))
    images = record.images
    assert tuple(images.columns) == IMAGE_COLUMNS and record.warnings == []
    assert images['aligned'].tolist() == [False, False, True, True, False]
    np.testing.assert_allclose(images[['x_shift_px', 'y_shift_px']][2:4], SHIFTS[2:4], atol=1e-3)
    assert images['x_shift_px'][[0, 1, 4]].isna().all() and images['defocus_u'].isna().all()
    np.testing.assert_allclose(images['rot'][2:4], ROT, atol=1e-5)
    assert images['tilt'][2:4].tolist() == [1.5, 7.5] and images['nominal_tilt'].tolist() == NOMINAL.tolist()
    assert images['acquisition_order'].tolist() == ORDER
    assert images['pre_exposure'].tolist() == [12., 6., 0., 3., 9.] and (images['dose'] == 3).all()
    assert (record.pixel_size, record.voltage, record.cs, record.amplitude_contrast) == (2., 200., 2.7, .07)
    assert (record.image_size, record.n_raw, record.tilt_axis) == ((64, 48), 5, pytest.approx(ROT))
    assert record.stack == tmp_path / 'TS_01.st' and record.tomogram is None


def test_mdoc_of_frames_in_order_of_acquisition(tmp_path):
    """Prevents doses of other images where the .mdoc is not sorted as the stack, and has one that was thrown away."""
    tilts = [0., 6., -6., 12., 18., -12.]
    record = read(make(tmp_path, **{'TS_01__st__mdoc': mdoc_text(tilts, range(1, 7))}))
    assert record.images['acquisition_order'].tolist() == [6, 3, 1, 2, 4]
    assert record.images['pre_exposure'].tolist() == [15., 6., 0., 3., 9.]


def test_list_of_images_in_place_of_an_mdoc(tmp_path):
    """Prevents a series without .mdoc that cannot be imported at all; and what is given wins."""
    lines = ''.join('%.1f %d 2.5\n' % row for row in zip(NOMINAL, ORDER))
    make(tmp_path, TS_01_TLT__txt=lines, TS_01__st__mdoc=None)
    record = read(tmp_path, voltage=300., pixel_size=2.2, dose_per_image=4.)
    assert record.images['pre_exposure'].tolist() == [16., 8., 0., 4., 12.]
    assert (record.voltage, record.pixel_size) == (300., 2.2)


def test_what_relion_cannot_express_is_said(tmp_path):
    """Prevents a silent loss of local alignment, stretch, X-tilts, or of lists that are another series'."""
    scaled = ''.join('%.7f %.7f %.7f %.7f 0 0\n' % tuple(1.02 * turned(ROT).ravel()) for _ in NOMINAL)
    record = read(make(tmp_path, xf=scaled, TS_01__xtilt='0\n0\n0.5\n1\n1\n',
                       align__com='OutputTiltFile other.tlt\nExcludeList 1',
                       tilt__com='LOCALFILE TS_01local.xf\n'))
    said = ' '.join(record.warnings)
    for text in ('scales images by 1.0200', 'differ by up to 1.00 deg', 'Bayesian polishing', 'of another series (other)'):
        assert text in said
    assert record.local_alignment and record.images['aligned'].all()


@pytest.mark.parametrize('files, reason', [
    ({'xf': '1 0 0 1 0 0\n'}, 'TS_01.xf: 1 lines, but .*TS_01.st has 5 images'),
    ({'xf': '1 0 0 -1 0 0\n' * 5}, 'TS_01.xf: the alignment matrix of tilt image 1 is not a rotation'),
    ({'xf': '1 0 0 1 0\n' * 5}, 'TS_01.xf, line 1: 5 columns, expected 6'),
    ({'tlt': '1\n2\nx\n'}, "TS_01.tlt, line 3: angle is 'x'"),
    ({'tilt__com': 'EXCLUDELIST 1-5\n'}, 'all views are excluded'),
    ({'tilt__com': 'EXCLUDELIST 1;2\n'}, "tilt.com: EXCLUDELIST has '1;2'"),
    ({'TS_01__st__mdoc': None}, 'TS_01_TLT.txt: neither this file nor an .mdoc'),
    ({'TS_01__st__mdoc': mdoc_text(dose=0)}, 'ExposureDose is missing or 0 for 5 of 5 images'),
    ({'TS_01__st__mdoc': mdoc_text(order=[1] * 5)}, 'neither DateTime nor PriorRecordDose'),
    ({'TS_01__st__mdoc': mdoc_text(tilts=NOMINAL + 2)}, 'image 1 of the stack has a tilt of -12.00 deg'),
    ({'TS_01__st__mdoc': 'nothing\n'}, r'there is no \[ZValue')])
def test_damage_is_named(tmp_path, files, reason):
    """Prevents an import of another alignment than the user has."""
    with pytest.raises(SourceError, match=reason):
        read(make(tmp_path, **files))


def test_unknown_optics_are_asked_for(tmp_path):
    """Prevents a made-up Cs."""
    with pytest.raises(SourceError, match='Cs is not known .* give cs'):
        read(make(tmp_path), cs=None)


def test_folders_are_found(tmp_path):
    """Prevents eTomo's copies of an alignment from becoming series of their own."""
    for name in ('TS_01', 'TS_02'):
        make(tmp_path / 'all' / name, name)
    for end in ('_fid.xf', '_fid.tlt', '_nonfid.xf', '_nonfid.tlt'):
        (tmp_path / 'all/TS_01' / ('TS_01' + end)).write_text('')
    (tmp_path / 'all/TS_01/rotation.xf').write_text('')
    for place, names in (('all', ['TS_01', 'TS_02']), ('all/TS_*', ['TS_01', 'TS_02']), ('all/TS_02', ['TS_02']),
                         ('all/*/TS_01.xf', ['TS_01'])):
        assert [one.ts_id for one in find_etomo_series(str(tmp_path / place))] == names
    (tmp_path / 'empty').mkdir()
    with pytest.raises(SourceError, match='no <name>.xf with its <name>.tlt'):
        find_etomo_series(str(tmp_path / 'empty'))


@pytest.mark.parametrize('xf, tlt, axis', [
    ('imod/cets-imod/imod/tests/test_data/alignment_files/TS_03.xf',
     'imod/cets-imod/imod/tests/test_data/tilt_series/TS_03.tlt', 85.1),
    ('aretomo3/cryoet-alignment/convert/imod_1/tilt_1.xf', 'aretomo3/cryoet-alignment/convert/imod_1/tilt_1.tlt',
     -100.2)])
def test_real_alignments(tmp_path, xf, tlt, axis):
    """Prevents a reader that knows made files only: axis and centre of IMOD's real files, by another way."""
    xf, tlt = shared_data(xf), shared_data(tlt)
    tilts, rows = np.loadtxt(tlt, usecols=0), np.loadtxt(xf)
    name = xf.stem
    for path in (xf, tlt):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / (name + '.mdoc')).write_text(mdoc_text(tilts, list(range(len(tilts)))))
    write_mrc(tmp_path / (name + '.mrc'), (8, 8, len(tilts)), 1.35)
    if len(tlt.read_text().split('\n', 1)[0].split()) > 1:
        # Another program added a column of doses; eTomo's have one.
        with pytest.raises(SourceError, match='TS_03.tlt, line 1: 2 columns, expected 1'):
            read(tmp_path)
        (tmp_path / tlt.name).write_text(''.join('%g\n' % tilt for tilt in tilts))
    if xf.with_name('tilt.com').exists():
        (tmp_path / 'tilt.com').write_text(xf.with_name('tilt.com').read_text())
    record = read(tmp_path)
    images = record.images
    assert len(images) == len(tilts) == len(rows) and images['aligned'].all()
    assert images['tilt'].tolist() == tilts.tolist() and images['rot'].median() == pytest.approx(axis, abs=0.3)
    # The point that the alignment puts into the middle: M (shift) + D = 0.
    shifts = images[['x_shift_px', 'y_shift_px']].to_numpy()
    np.testing.assert_allclose(np.einsum('nij,nj->ni', rows[:, :4].reshape(-1, 2, 2), shifts), -rows[:, 4:], atol=1e-6)
    assert len(record.warnings) == (name == 'tilt_1')
