"""Readers of other programs' files: tilt series of AreTomo3, picks of pytom-match-pick and RELION."""
from .aretomo3 import SeriesLocation, find_series, read_series
from .series import IMAGE_COLUMNS, TiltSeriesRecord
from .text import SourceError

__all__ = ['IMAGE_COLUMNS', 'SeriesLocation', 'SourceError', 'TiltSeriesRecord', 'find_series', 'read_series']
