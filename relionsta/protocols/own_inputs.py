"""The files that we write for RELION. Continue skips the step that wrote them, so a power cut may have torn them since."""
import json
import os

import pyworkflow.utils as pwutils

from ..jobs.asked import digest
from ..whole import whole

#: Beside the folder of the files: their digests as they were written.
WRITTEN = 'inputs.json'


def writeOwnInputs(protocol):
    """Write the files of a run into an empty folder, and note what is in them."""
    pwutils.cleanPath(protocol._getInputPath())
    pwutils.makePath(protocol._getInputPath())
    protocol._writeInputs()
    with whole(protocol._getExtraPath(WRITTEN)) as partial:
        partial.write_text(json.dumps(_digests(protocol._getInputPath()), indent=1))


def mendOwnInputs(protocol):
    """Write them again unless they are as they were written; nothing where that was not noted (runs of earlier versions)."""
    path = protocol._getExtraPath(WRITTEN)
    if not os.path.exists(path):
        return
    try:
        with open(path) as file:
            written = dict(json.load(file))
    except (OSError, ValueError, TypeError):
        written = {WRITTEN: 'torn'}
    found = _digests(protocol._getInputPath())
    changed = sorted(name for name, before in written.items() if found.get(name) != before)
    if changed:
        protocol.info('The files for RELION are written again, since some are not as they were written: %s.'
                      % ', '.join(changed))
        writeOwnInputs(protocol)


def _digests(folder):
    """Name -> digest, of the files in a folder and below; links are those of other runs."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if not os.path.islink(path):
                found[os.path.relpath(path, folder)] = digest(path)
    return found
