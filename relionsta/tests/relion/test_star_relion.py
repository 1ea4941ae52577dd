"""RELION reads the STAR files that we write, and we what it makes of them."""
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd

from relionsta.star.tables import LIST_BLOCK, read_star, write_star
from relionsta.tests.find import relion_home


def test_relion_keeps_what_we_write(tmp_path: Path) -> None:
    """Prevents quotes, empty values, small numbers or names such as 007 that only we can read.

    RELION selects particles by a column and writes them again; it gives numbers six decimals or digits.
    """
    random = np.random.default_rng(2)
    count = 20
    particles = pd.DataFrame({
        'rlnTomoName': ['007', 'TS 02', 'None', "TS'4", 'TS_05'] * 4, 'rlnOpticsGroup': 1,
        'rlnTomoParticleName': [f'TS/{row}' for row in range(count)],
        'rlnImageName': ['a.mrc', ''] + [f'a b/{row}.mrc' for row in range(2, count)],
        'rlnTomoVisibleFrames': '[1,0,1]', 'rlnClassNumber': np.arange(count) % 4,
        'rlnAngleRot': random.uniform(-180, 180, count), 'rlnOriginXAngst': random.normal(0, 1e-5, count),
        'rlnLogLikeliContribution': random.normal(0, 1e7, count), 'myNumber': random.normal(0, 1, count),
        'myText': 'some text'})
    optics = pd.DataFrame({'rlnOpticsGroup': [1], 'rlnOpticsGroupName': ['optics 1'], 'rlnImagePixelSize': [2.7],
                           'rlnImageSize': [64], 'rlnImageDimensionality': [2], 'rlnVoltage': [300.0],
                           'rlnSphericalAberration': [2.7], 'rlnAmplitudeContrast': [0.1],
                           'rlnTomoTiltSeriesPixelSize': [1.35], 'rlnCtfDataAreCtfPremultiplied': [True]})
    write_star(tmp_path / 'in.star', {'general': {'rlnTomoSubTomosAre2DStacks': True}, 'optics': optics,
                                      'particles': particles})
    done = subprocess.run([str(relion_home() / 'bin' / 'relion_star_handler'), '--i', 'in.star', '--o', 'out.star',
                           '--select', 'rlnClassNumber', '--minval', '1', '--maxval', '2'], cwd=str(tmp_path),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, timeout=60)
    assert done.returncode == 0, done.stdout
    out = read_star(tmp_path / 'out.star', complete=True)
    found, kept = out['particles'], particles[particles['rlnClassNumber'].isin([1, 2])]
    assert list(found.columns) == list(particles.columns)
    for label in map(str, kept):
        if kept[label].dtype == np.float64:
            np.testing.assert_allclose(found[label].to_numpy(), kept[label].to_numpy(), rtol=1e-5, err_msg=label)
        else:
            assert found[label].tolist() == kept[label].tolist(), label
    assert out['general'].attrs.get(LIST_BLOCK) and out['general']['rlnTomoSubTomosAre2DStacks'].tolist() == [1]
    assert out['optics']['rlnOpticsGroupName'].tolist() == ['optics 1']
