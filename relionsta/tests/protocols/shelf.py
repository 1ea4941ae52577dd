"""Inputs as Scipion has them, whole or damaged, without running what would make them."""
import os

import mrcfile
import numpy as np
from pwem.objects import Volume

from relionsta.tests.protocols.scene import SETTINGS


class Shelf:
    """A saved protocol that was never run, with outputs that a test puts there for other protocols to take."""

    def __init__(self, project, protocol):
        self._protocol = protocol
        project.saveProtocol(protocol)
        protocol.makePathsAndClean()
        self._number = 0

    def put(self, item):
        """Make an object an output; returns it."""
        self._number += 1
        self._protocol._defineOutputs(**{'item%d' % self._number: item})
        self._protocol.mapper.commit()  # or nobody else could write to the project
        return item

    def path(self, name):
        """The path, from the project's folder, of a file of the shelf."""
        return self._protocol._getExtraPath(name)

    def file(self, name, size=(SETTINGS.box,) * 3, pixel=SETTINGS.pixel, values=(0.0, 1.0)):
        """Write a map with a box of zeros and a ball of ones (or other values); returns its path. pixel: header, Å."""
        path = self.path(name)
        z, y, x = (np.arange(n) - n // 2 for n in reversed(size))
        radius = min(size) / 4
        inside = z[:, None, None] ** 2 + y[:, None] ** 2 + x ** 2 < radius ** 2
        with mrcfile.new(path, np.where(inside, values[1], values[0]).astype(np.float32), overwrite=True) as mrc:
            mrc.voxel_size = pixel
        return path

    def map(self, name, scipion=None, kind=Volume, halves=(), **made):
        """A volume with its file. scipion: pixel size (Å) that Scipion believes, default: the header's."""
        volume = kind()
        volume.setFileName(self.file(name, **made))
        volume.setSamplingRate(scipion or made.get('pixel', SETTINGS.pixel))
        if halves:
            volume.setHalfMaps(list(halves))
        return self.put(volume)

    def gone(self, volume):
        """The same volume, its file deleted."""
        os.remove(volume.getFileName())
        return volume

    def changed(self, items, name, change=None, of_set=None, keep=None):
        """A copy of a set. change: called with each item (of a set of sets: with those inside); of_set: called with the
        copy; keep: says which items stay."""
        # A set that is there would be opened: the shelf may be shared by tests
        copy = type(items)(filename=self.path('%s%d.sqlite' % (name, self._number)))
        copy.copyInfo(items)
        if of_set is not None:
            of_set(copy)
        for item in items.iterItems():
            if keep is None or keep(item):
                self._append(copy, item, change)
        copy.write()
        return self.put(copy)

    @staticmethod
    def _append(copy, item, change):
        new = item.clone()
        if hasattr(item, 'iterItems'):  # a set of sets: tilt series, CTFs
            new.copyInfo(item)
            copy.append(new)
            for one in item.iterItems():
                one = one.clone()
                if change is not None:
                    change(one)
                new.append(one)
            copy.update(new)
            return
        if change is not None:
            change(new)
        copy.append(new)
