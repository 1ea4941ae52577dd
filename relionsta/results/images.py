"""The images of particles in the folder of an extraction."""
import os
from pathlib import Path
from typing import List, Union

from ..jobs import files
from .maps import is_whole_mrc

PathLike = Union[str, Path]


def torn_images(folder: PathLike) -> List[str]:
    """Paths of the images that an extraction which was cut off left half-written, or without the other of their pair.

    RELION's --only_do_unfinished looks only whether the first of a particle's files is there.
    """
    found = [os.path.join(place, name) for place, _, names in os.walk(Path(folder, files.SUBTOMOGRAMS)) for name in names]
    torn = {path for path in found if not is_whole_mrc(path)}
    whole = set(found) - torn
    for path in found:
        torn.update(path for one, other in files.IMAGE_PAIRS for this, that in ((one, other), (other, one))
                    if path.endswith(this) and path[:-len(this)] + that not in whole)
    return sorted(torn)
