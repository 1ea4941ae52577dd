"""What all protocols of the plugin are, those that run RELION and those that do not."""
from pwem.protocols import EMProtocol
from tomo.protocols import ProtTomoBase

from .ended import EndedMixin
from .full_disk import FullDiskMixin
from .made_maps import MadeMapsMixin
from .place import PlaceMixin
from .typed import TypedMixin


class StaProtocol(PlaceMixin, TypedMixin, EndedMixin, FullDiskMixin, MadeMapsMixin, EMProtocol, ProtTomoBase):
    """A protocol of Scipion that looks at its place and at what was typed before it runs, says why it has failed, and knows
    its maps again."""
