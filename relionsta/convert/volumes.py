"""Maps of RELION -> Scipion volumes."""
import os
from typing import Optional, Sequence, Type, TypeVar

from pwem.objects import Volume

from relionsta.results.maps import MapError, check_values, read_header

from .errors import ConvertError

#: Headers hold 32-bit numbers, and people round to three digits.
PIXEL_TOLERANCE = 0.002
AnyVolume = TypeVar('AnyVolume', bound=Volume)


def make_volume(path: str, pixel: float, half_maps: Sequence[str] = (), box: Optional[int] = None,
                kind: Type[AnyVolume] = Volume, in_header: bool = True, statistics: bool = True) -> AnyVolume:
    """A volume of class `kind` (Volume, VolumeMask, AverageSubTomogram...), with its two half maps if given.

    pixel: Å per voxel; in_header: the headers must say the same, if anything. box: the edge in voxels that the maps must
    have. statistics: see results.maps.check_values. Paths relative to the project. Raises
    ConvertError for a file that is no map, not there or not whole (see results.maps.check_values), for another size, for a
    single half map or one of another size, and for a pixel size that is not above 0.
    """
    if len(half_maps) not in (0, 2):
        raise ConvertError('%s has %d half map(s): %s; both or none are needed'
                           % (path, len(half_maps), ', '.join(half_maps)))
    if not pixel or not pixel > 0:
        raise ConvertError('the map %s has a pixel size of %s Å; it must be above 0' % (path, pixel))
    for name in (path, *half_maps):
        check_map(name, box, pixel if in_header else None, statistics)
    size = read_header(path).size
    for half in half_maps:
        if read_header(half).size != size:
            raise ConvertError('the half map %s has %s voxels, and the map %s has %s' % (
                half, _spoken(read_header(half).size), path, _spoken(size)))
    volume = kind()
    volume.setFileName(path)
    volume.setSamplingRate(pixel)
    if half_maps:
        volume.setHalfMaps(list(half_maps))
    return volume


def _spoken(size: Sequence[int]) -> str:
    return ' x '.join(map(str, size))


def check_map(path: str, box: Optional[int], pixel: Optional[float], statistics: bool = True) -> None:
    """Raise ConvertError unless the file is a whole map of this box and pixel size (Å); None: of any. statistics: see
    results.maps.check_values."""
    check_header(path, box, pixel)
    try:
        check_values(path, statistics)
    except MapError as error:
        raise ConvertError(str(error)) from error


def check_header(path: str, box: Optional[int], pixel: Optional[float] = None) -> None:
    """Raise ConvertError unless the header of a file is that of a map of this box and pixel size (Å); None: of any."""
    if not os.path.isfile(path):
        raise ConvertError('the map %s is not there' % path)
    try:
        header = read_header(path)
    except MapError as error:
        raise ConvertError(str(error)) from error
    size, voxel = header.size, header.voxel[0]
    if box is not None and size != (box, box, box):
        raise ConvertError('the map %s has %s voxels, and %s were expected'
                           % (path, _spoken(size), _spoken((box, box, box))))
    if pixel is not None and voxel > 0 and abs(voxel / pixel - 1) > PIXEL_TOLERANCE:
        raise ConvertError('the header of the map %s says %.4g Å per voxel, and %.4g were expected'
                           % (path, voxel, pixel))
