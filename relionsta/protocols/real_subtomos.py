"""Real-space subtomograms: RELION cuts them out of the reconstructed tomograms, at the pixel size that these have."""
import pandas as pd

from ..convert.tilt_series import tomogram_tables
from ..jobs.extract import REAL_3D
from ..star import read_star
from .extract_form import BY_ANGSTROM
from .maps import checkFile, samePixel

LABEL = 'Subtomogram format'
VOLUME, BINNING = 'rlnTomoReconstructedTomogram', 'rlnTomoTomogramBinning'
HALVES = [VOLUME + 'Half1', VOLUME + 'Half2']
#: missing volumes that are named
MOST_MISSING = 3


def checkRealSubtomos(protocol):
    """Messages where real subtomograms are asked for and cannot be had; RELION ignores sizes that do not fit, and fails
    on tomograms that it does not know after the first work is done."""
    if protocol.getEnumText('subtomo_format') != REAL_3D or not protocol.evalParamCondition('subtomo_format'):
        return []
    tomograms = _tomograms(protocol)
    volumes = [name for name in (VOLUME, *HALVES) if name in tomograms]
    if VOLUME not in volumes and len(volumes) < len(HALVES):
        return ['*%s*: %s, which are cut out of reconstructed tomograms, and not every tilt series has one here (in the '
                'set that the coordinates were picked in, and centred on the specimen). Choose another format, or '
                'coordinates that belong to such tomograms.' % (LABEL, REAL_3D)]
    missing = [text for name in (volumes[:1] if VOLUME in volumes else HALVES) for path in tomograms[name]
               for text in checkFile(LABEL, path)]
    return missing[:MOST_MISSING] or _checkBinning(protocol, tomograms)


def _tomograms(protocol):
    """The table of the tomograms that RELION will get."""
    source, series = protocol.inputCoordinates.get(), protocol.inputTiltSeries.get()
    if series is None:
        tables = [read_star(path, ['global'])['global'] for path in source.getTomogramsStars()]
        return pd.concat(tables).query('rlnTomoName in @names', local_dict={'names': list(source.getTSIds())}).dropna(axis=1)
    coordinates = protocol.getCoordinates()
    precedents = coordinates.get().getPrecedents() if coordinates is not None else None
    return tomogram_tables(series, protocol.inputCtfs.get(), precedents, ts_ids=source.getTSIds()).tomograms


def _checkBinning(protocol, tomograms):
    """All tomograms must have one binning, and it is that of the particles."""
    known = sorted(set(tomograms[BINNING])) if BINNING in tomograms else []
    if not known or not samePixel(known[0], known[-1]):
        return ['*%s*: %s, and the tomograms have %s. RELION needs tomograms of one binning: choose another format, or '
                'reconstruct all tomograms at one pixel size.'
                % (LABEL, REAL_3D, 'binnings of %s' % ', '.join('%.4g' % one for one in known) if known
                   else 'no binning (%s)' % BINNING)]
    binning, box = protocol.getBinning(), protocol.getBox()
    if not binning or samePixel(binning, known[0]):
        return []
    label = 'Box size (A)' if protocol.sizesBy.get() == BY_ANGSTROM else 'Binning'
    pixel = known[0] * protocol.getTiltSeriesPixelSize()
    return ['*%s*: the sizes come to a binning of %.4g, and %s have that of their tomograms, %.4g (%.4g Å per pixel). '
            'Choose %s.' % (label, binning, REAL_3D, known[0], pixel,
                            'a binning of %.4g' % known[0] if label == 'Binning' else
                            '%.6g Å for %d pixels' % (box * pixel, box))]
