"""Maps of RELION -> Scipion volumes."""
import os
from typing import Optional, Sequence, Type, TypeVar

from pwem.objects import Volume

from relionsta.results.maps import MapError, check_values, read_header

from .errors import ConvertError

AnyVolume = TypeVar('AnyVolume', bound=Volume)


def make_volume(path: str, pixel: float, half_maps: Sequence[str] = (), box: Optional[int] = None,
                kind: Type[AnyVolume] = Volume) -> AnyVolume:
    """A volume of class `kind` (Volume, VolumeMask, AverageSubTomogram...), with its two half maps if given.

    pixel: Å per voxel. box: the edge in voxels that the maps must have. Paths relative to the project. Raises
    ConvertError for a file that is no map, not there or not whole (see results.maps.check_values), for another size, for a
    single half map and for a pixel size that is not above 0.
    """
    if len(half_maps) not in (0, 2):
        raise ConvertError('%s has %d half map(s): %s; both or none are needed'
                           % (path, len(half_maps), ', '.join(half_maps)))
    if not pixel or not pixel > 0:
        raise ConvertError('the map %s has a pixel size of %s Å; it must be above 0' % (path, pixel))
    for name in (path, *half_maps):
        _check_map(name, box)
    volume = kind()
    volume.setFileName(path)
    volume.setSamplingRate(pixel)
    if half_maps:
        volume.setHalfMaps(list(half_maps))
    return volume


def _check_map(path: str, box: Optional[int]) -> None:
    if not os.path.isfile(path):
        raise ConvertError('the map %s is not there' % path)
    try:
        size = read_header(path).size
        if box is not None and size != (box, box, box):
            raise ConvertError('the map %s has %s voxels, and %s were expected'
                               % (path, ' x '.join(map(str, size)), ' x '.join([str(box)] * 3)))
        check_values(path)
    except MapError as error:
        raise ConvertError(str(error)) from error
