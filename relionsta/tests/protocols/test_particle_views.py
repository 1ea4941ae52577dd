"""Analyze Results for particles: orientations, coverage, tomograms, and the way to a selection of tomograms."""
import mrcfile
import numpy as np

from relionsta.protocols.select_again import newTomogramSelection
from relionsta.results.scene_files import copy_matrices
from relionsta.tests.protocols.case import StaCase
from relionsta.viewers import ProtStaClass3DViewer, ProtStaReconstructViewer
from relionsta.viewers.particle_lines import ALL, BY_CLASS, BY_HALF, BY_TOMOGRAM
from relionsta.viewers.particle_source import particlesPointer
from relionsta.viewers.tomogram_list import TomogramListView


class TestStaParticleViews(StaCase):
    """The classification without alignment of the road, and the average before it."""

    _until = 'classify'

    def _viewer(self, job, kind=ProtStaClass3DViewer):
        viewer = kind(project=self.proj)
        viewer.setProtocol(self.done[job])
        return viewer

    def test_orientations_of_all_and_of_parts(self):
        """Every choice of the form must open a figure, or say why it cannot."""
        viewer = self._viewer('classify')
        particles = self.done['classify'].outputParticles
        parts = {ALL: 1, BY_CLASS: len({item.getClassId() for item in particles}), BY_TOMOGRAM: len(particles.getTSIds())}
        for by, number in parts.items():
            with self.part(by=by):
                viewer.orientationsBy.set(by)
                self.assertEqual(len(viewer._getViews('showOrientations')[0].figure.axes), 2 * number + 1)
        viewer.orientationsBy.set(BY_HALF)
        self.assertIn('no half set', viewer._getViews('showOrientations')[0]._msg)

    def test_coverage_counts_the_images_of_the_particles(self):
        """Images that a particle does not have would fill a wedge that is there."""
        table = self.rows(self.done['classify'].outputParticles.getParticlesStars()[0])
        images = int(table['rlnTomoVisibleFrames'].str.count('1').sum())
        text = self._viewer('classify')._getViews('showCoverage')[0].figure.axes[0].get_title(loc='left')
        self.assertIn('(%d tilt images' % images, text.replace('\n', ' '))

    def test_particles_lie_on_their_density(self):
        """The road's true particles must show on the tomogram where Scipion's set says that it is: darker than ice."""
        source = self._viewer('classify')._particleSource()
        found = source.inTomogram(source.largest())
        with mrcfile.open(found.file) as mrc:
            data = np.array(mrc.data, dtype=np.float64)
        index = np.round(found.places).astype(int)
        inside = ((index >= 1) & (index < np.array(data.shape[::-1]) - 1)).all(axis=1)
        around = [data[z - 1:z + 2, y - 1:y + 2, x - 1:x + 2].mean() for x, y, z in index[inside]]
        self.assertGreater(inside.sum(), 5)
        self.assertLess(np.median(around), data.mean() - 2 * data.std())
        figure = self._viewer('classify')._getViews('showInTomogram')[0].figure
        self.assertIn('of %d particles' % len(found.places), figure.axes[0].get_title(loc='left'))

    def test_files_for_other_programs(self):
        """Where ChimeraX is not installed the files are there all the same, with one copy of the map per particle."""
        viewer = self._viewer('reconstruct', ProtStaReconstructViewer)
        source = viewer._particleSource()
        name, found = source.largest(), source.inTomogram(source.largest())
        view = viewer._getViews('showScene')[0]
        script = self.done['reconstruct']._getExtraPath('in_tomograms', name + '.cxc')
        with open(script, encoding='utf-8') as file:
            lines = [line.split(',') for line in file if line.startswith('view matrix')]
        self.assertEqual(len(lines), len(found.places))
        expected = copy_matrices(found.places * found.voxel, found.A).reshape(-1, 12)
        np.testing.assert_allclose(np.array([line[1:] for line in lines], dtype=float), expected, atol=1e-4)
        if hasattr(view, '_msg'):
            self.assertIn(name + '.cxc', view._msg)

    def test_tomograms_are_kept_and_dropped(self):
        """What is marked in the table must be what the node keeps, or the good tomogram is lost."""
        run = self.done['classify']
        view = self._viewer('classify')._getViews('showTomograms')[0]
        self.assertIsInstance(view, TomogramListView)
        table = self.rows(run.outputParticles.getParticlesStars()[0])
        counts = table['rlnTomoName'].value_counts()
        self.assertEqual(view.table['particles'].to_dict(), counts.to_dict())
        np.testing.assert_allclose(view.table['pmax'], table.groupby('rlnTomoName')['rlnMaxValueProbDistribution'].median())
        self.assertTrue((view.table['defocus'].between(5000, 80000)).all())
        first = sorted(counts.index)[0]
        kept = newTomogramSelection(self.proj, particlesPointer(run), [first], True)
        self.assertEqual((kept.getObjLabel(), kept.validate()), ('Keep 1 tomogram', []))
        dropped = self.road.launch(newTomogramSelection(self.proj, particlesPointer(run), [first], False))
        self.assertEqual(dropped.getObjLabel(), 'Drop 1 tomogram')
        self.assertEqual(dropped.outputParticles.getSize(), len(table) - counts[first])
        self.assertEqual(dropped.outputParticles.getTSIds(), sorted(counts.index)[1:])
        with self.assertRaisesRegex(ValueError, 'no tomogram is marked'):
            newTomogramSelection(self.proj, particlesPointer(run), [], True)
