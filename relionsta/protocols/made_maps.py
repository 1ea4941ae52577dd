"""Maps among the outputs of a run: whether their files are still of the size that the run made."""
import json

from pwem.objects import Volume
from pyworkflow.object import String

from ..convert.volumes import check_header
from . import maps


class MadeMapsMixin:
    """Before the base class of a protocol. Scipion itself says of a map what its file says, whatever has become of that."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        #: JSON: name of an output -> edge of its map in voxels
        self._madeBoxes = String()

    def _defineOutputs(self, **outputs):
        super()._defineOutputs(**outputs)
        made = {name: maps.boxSize(output) for name, output in outputs.items() if isinstance(output, Volume)}
        if made:
            self._madeBoxes.set(json.dumps(dict(self._getMadeBoxes(), **made)))
            self._store(self._madeBoxes)

    def _getMadeBoxes(self):
        return json.loads(self._madeBoxes.get() or '{}')

    def checkMade(self, *names):
        """Raise ConvertError for a map among these outputs (default: all) that has another size than the run made, or a
        half map that has."""
        for name, box in self._getMadeBoxes().items():
            output = getattr(self, name, None)
            if output is not None and (name in names or not names):
                for path in [maps.mapFile(output), *maps.halfMaps(output)]:
                    check_header(path, box)
