"""A scene's tilt series as eTomo leaves them in a folder, and as they come from there into Scipion."""
from pathlib import Path
from typing import Any

import numpy as np
from tomo.objects import SetOfTiltSeries

from relionsta.convert.series import append_record
from relionsta.sources.imod import find_etomo_series, read_etomo_series

from .sets import aligning_matrix, make_tilt_series
from .truth import Truth


def write_etomo(truth: Truth, folder: Path) -> None:
    """<folder>/<name>: .xf, .tlt, .rawtlt, .mrc.mdoc, tilt.com and a link to the stack in the working directory."""
    scene = truth.scene
    for name, images in truth.tilt_series.items():
        place = folder / name
        place.mkdir(parents=True)
        (place / (name + '.mrc')).symlink_to((Path.cwd() / (name + '.mrc')).resolve())
        xf, mdoc = [], ['Voltage = %g' % scene.voltages[0]]
        for number, row in images.iterrows():
            m = np.eye(3) if number in scene.dark else aligning_matrix(
                row['rlnTomoZRot'], row['rlnTomoXShiftAngst'], row['rlnTomoYShiftAngst'], scene.pixel)
            xf.append('%12.7f%12.7f%12.7f%12.7f%12.3f%12.3f\n' % (*m[:2, :2].ravel(), *m[:2, 2]))
            mdoc += ['[ZValue = %d]' % number, 'TiltAngle = %.2f' % row['rlnTomoNominalStageTiltAngle'],
                     'ExposureDose = %g' % scene.dose, 'PriorRecordDose = %g' % row['rlnMicrographPreExposure']]
        (place / (name + '.xf')).write_text(''.join(xf))
        (place / (name + '.tlt')).write_text(''.join('%8.2f\n' % tilt for tilt in images['rlnTomoYTilt']))
        (place / (name + '.rawtlt')).write_text(''.join('%.2f\n' % t for t in images['rlnTomoNominalStageTiltAngle']))
        (place / (name + '.mrc.mdoc')).write_text('\n'.join(mdoc) + '\n')
        left_out = ','.join(str(number + 1) for number in scene.dark + scene.excluded)
        (place / 'tilt.com').write_text('$tilt -StandardInput\nTILTFILE %s.tlt\nTHICKNESS 160\nIMAGEBINNED 2\n'
                                        'OFFSET 3.0\nSHIFT 4.0 7.0\nXAXISTILT 2.5\n%s' % (
                                            name, 'EXCLUDELIST2 %s\n' % left_out if left_out else ''))


def make_etomo_series(truth: Truth) -> Any:
    """As make_tilt_series; the tilt series have gone through the folder, the CTFs have not."""
    _, ctfs = make_tilt_series(truth)
    write_etomo(truth, Path('etomo'))
    tilt_series = SetOfTiltSeries(filename='from_etomo.sqlite')
    for location in find_etomo_series('etomo'):
        append_record(read_etomo_series(location, cs=2.7, amplitude_contrast=truth.scene.amplitude_contrast), tilt_series)
    tilt_series.write()
    return tilt_series, ctfs
