"""Maps of finished runs whose files have become those of another box."""
import contextlib
from pathlib import Path

import mrcfile
import numpy as np
from pwem.objects import Volume

from relionsta.protocols.maps import mapFile
from relionsta.report.ladder import rungsOf
from relionsta.report.page import Table
from relionsta.report.runs import sectionOf
from relionsta.tests.protocols.case import StaCase


@contextlib.contextmanager
def another_box(path):
    """Meanwhile there is a whole map of another box in the place of a map."""
    before = path.read_bytes()
    with mrcfile.open(str(path)) as mrc:
        voxel = float(mrc.voxel_size.x)
    with mrcfile.new(str(path), np.ones((12, 12, 12), np.float32), overwrite=True) as mrc:
        mrc.voxel_size = voxel
    try:
        yield
    finally:
        path.write_bytes(before)


class TestStaMadeMaps(StaCase):
    """Scipion says of a map what its file says, and a file may be copied over, or torn."""

    _until = 'postprocess'

    def test_a_map_of_another_box_is_not_told_for_the_result(self):
        """Where a file was copied over, or a disk failed, summary and report would describe another map as the result, and
        the resolution of the run would stand beside it."""
        jobs = {'reconstruct': 'average', 'mask': 'solventMask', 'refine3d': 'refinedVolume',
                'postprocess': 'sharpenedVolume'}
        for job, name in jobs.items():
            with self.part(job=job):
                run = self.proj.getProtocol(self.done[job].getObjId())
                self.assertIsInstance(getattr(run, name), Volume)
                path = Path(mapFile(getattr(run, name)))
                whole = self._told(run)
                self.assertNotIn('cannot be read', '\n'.join(whole[0]) + ' '.join(whole[1].values()))
                with another_box(path):
                    summary, outputs = self._told(self.proj.getProtocol(run.getObjId()))
                    self.assertRegex(summary[0], 'The results cannot be read: .*%s has 12 x 12 x 12 voxels' % path.name)
                    self.assertRegex(outputs[name], r'cannot be read \(.*%s has 12 x 12 x 12 voxels' % path.name)
                    said = []
                    rungsOf([self.proj.getProtocol(run.getObjId())], said.append)
                    self.assertEqual([path.name in line for line in said],
                                     [True] if job in ('refine3d', 'postprocess') else [])
                self.assertEqual(self._told(self.proj.getProtocol(run.getObjId())), whole)

    def test_an_input_that_has_become_another_is_told_as_that(self):
        """The report says of an input what it was made of; another map is not that."""
        path = Path(mapFile(self.done['refine3d'].refinedVolume))
        with another_box(path):
            rows = self._table(self.proj.getProtocol(self.done['postprocess'].getObjId()), 'Inputs')
        self.assertTrue(any('cannot be read' in cells[1] and path.name in cells[1] for cells in rows), rows)

    def _told(self, run):
        """The summary, and {output: what the report says of it}."""
        return run.summary(), {cells[0]: cells[1] for cells in self._table(run, 'Outputs')}

    def _table(self, run, caption):
        section = sectionOf(run, self.proj, say=lambda _: None)
        return next(part.rows for part in section.parts if isinstance(part, Table) and part.caption == caption)
