"""Readers of other programs' files: tilt series of AreTomo3 and IMOD, picks of pytom-match-pick and RELION."""
from .aretomo3 import SeriesLocation, find_series, read_series
from .picks import CENTERED, UNBINNED, VOXEL, Picks, match_tomogram, read_picks
from .series import IMAGE_COLUMNS, TiltSeriesRecord
from .text import SourceError

__all__ = ['CENTERED', 'IMAGE_COLUMNS', 'Picks', 'SeriesLocation', 'SourceError', 'TiltSeriesRecord', 'UNBINNED',
           'VOXEL', 'find_series', 'match_tomogram', 'read_picks', 'read_series']
