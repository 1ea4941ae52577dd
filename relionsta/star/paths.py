"""The files that a STAR file names, and copies of it that name them elsewhere."""
import re
from pathlib import Path
from typing import Callable, Dict, FrozenSet, Iterable, List, Union

from relionsta.star.cells import cells_of_text, read_text
from relionsta.star.writer import write_whole

PathLike = Union[str, Path]


def _labels(names: str) -> FrozenSet[str]:
    return frozenset('rln' + name for name in names.split())


#: Labels of RELION 5.1 whose values are names of files (or what they begin with).
PATH_LABELS = _labels("""
    BodyMaskName BodyReferenceName BodyStarFile CtfImage CtfPowerSpectrum EtomoDirectiveFile ExperimentalDataStarFile
    FourierMask GradMoment1 GradMoment2 ImageName ImageOriginalName LocalSymmetryFile MaskName MicrographGainName
    MicrographMetadata MicrographMovieName MicrographName MicrographNameEven MicrographNameNoDW MicrographNameOdd
    ModelStarFile ModelStarFile2 MtfFileName OpticsStarFile OrientSamplingStarFile OutputRootName PostprocessedMap
    PostprocessedMapMasked ReconstructImageName ReferenceImage SolventMask2Name SolventMaskName TauSpectrumName
    TomoDenoisedTomogram TomoFiducialsStarFile TomoImportCtfFindFile TomoImportCtfPlotterFile TomoImportCulledFile
    TomoImportImodDir TomoImportOrderList TomoImportParticleFile TomoManifoldsFile TomoParticlesFile
    TomoReconstructedTomogram TomoReconstructedTomogramHalf1 TomoReconstructedTomogramHalf2 TomoReferenceFscFile
    TomoReferenceMap1File TomoReferenceMap2File TomoReferenceMaskFile TomoTiltMovieFile TomoTiltSeriesName
    TomoTiltSeriesStarFile TomoTomogramsFile TomoTrajectoriesFile TomogramHProjectionalf2 TomogramProjection
    TomogramProjectionHalf1 UnfilteredMapHalf1 UnfilteredMapHalf2
""")
_NOTHING = frozenset(('', 'None'))
# 12@folder/stack.mrc:mrcs
_IMAGE = re.compile(r'(?P<number>\d+@)?(?P<path>.+?)(?P<form>:mrcs?)?\Z')
_TOKEN = re.compile(r'[^\s"\']+')
_TOKEN_WITH_SLASH = re.compile(r'[^\s"\'/]*/[^\s"\']*')


def copy_star(source: PathLike, target: PathLike, new_name: Callable[[str], str]) -> None:
    """Copy a STAR file with other names of files: all else keeps its spelling.

    new_name: called once with each name of a file in a column or line of PATH_LABELS, without the number of an image
    (12@) and the form of a stack (:mrcs), which stay; returns the new one. Raises StarError for what is no STAR file.
    """
    text = read_text(Path(source))
    new: Dict[str, str] = {}
    known: Dict[str, str] = {}
    # Files without such a label, as the trajectories of a million particles, are not even read.
    if any('_' + label in text for label in PATH_LABELS):
        for block in cells_of_text(text, source).values():
            for cell in _cells(block.columns[label] for label in block.columns if label in PATH_LABELS):
                found = _IMAGE.match(cell)
                if cell in new or cell in _NOTHING or found is None:
                    continue
                path = found.group('path')
                if path not in known:
                    known[path] = new_name(path)
                new[cell] = (found.group('number') or '') + known[path] + (found.group('form') or '')
    changed = {old: name for old, name in new.items() if old != name}
    if changed:
        token_like = _TOKEN_WITH_SLASH if all('/' in old for old in changed) else _TOKEN
        text = token_like.sub(lambda token: changed.get(token.group(), token.group()), text)
    write_whole(target, [text.encode('utf-8')])


def _cells(columns: Iterable[Iterable[str]]) -> List[str]:
    return [cell for column in columns for cell in column]
