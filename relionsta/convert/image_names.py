"""Names of the images of tilt series in RELION's files."""
import os
from typing import Dict, Iterable, List

import numpy as np

from .errors import ConvertError

# RELION takes these for MRC stacks under the suffix :mrcs; every other file must first be converted.
_MRC_EXTENSIONS = ('.mrc', '.mrcs', '.st', '.ali', '.preali', '.rec', '.map', '.ccp4')


def image_names(ts_id: str, index: np.ndarray, files: Iterable[str]) -> List[str]:
    """`n@stack:mrcs`, n from 1; a file with one image (index 0) has its plain name.

    index (n,), files: of the images of a tilt series. Raises ConvertError for a file that RELION does not take for MRC.
    """
    names = []
    for number, path in zip(index, files):
        plain = without_suffix(path)
        if os.path.splitext(plain)[1].lower() not in _MRC_EXTENSIONS:
            raise ConvertError('tilt series %s: RELION cannot read images from %s; convert the stack to MRC (.mrc, '
                               '.mrcs or .st)' % (ts_id, plain))
        names.append('%d@%s:mrcs' % (number, plain) if number else plain)
    return names


def without_suffix(path: str) -> str:
    """The name of a file on disk, without the kind of image that Scipion and RELION may put behind it."""
    return path[:path.rindex(':')] if path.endswith((':mrc', ':mrcs')) else path


def half_names(ts_id: str, kept: Dict[str, np.ndarray]) -> Dict[str, List[str]]:
    """rlnMicrographNameEven and -Odd where every image has them; Scipion keeps them as `odd,even`. kept: attribute path ->
    values (n,) of the images."""
    pairs = [text.split(',') for text in kept.get('_oddEvenFileNames', ()) if text]
    if not pairs or len(pairs) < len(kept['_index']) or any(len(pair) != 2 for pair in pairs):
        return {}
    odd, even = ([path.split('@')[-1] for path in half] for half in zip(*pairs))
    return {'rlnMicrographNameEven': image_names(ts_id, kept['_index'], even),
            'rlnMicrographNameOdd': image_names(ts_id, kept['_index'], odd)}
