"""Figures of real runs: what is drawn is what RELION wrote, read here from its files once more."""
import mrcfile
import numpy as np
from pyworkflow.viewer import DESKTOP_TKINTER

from relionsta.report.figures import figuresOf
from relionsta.star import read_star
from relionsta.tests.figure_rules import faults
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SETTINGS

JOBS = ('extract', 'reconstruct', 'class3d', 'classify', 'select', 'mask', 'refine3d', 'postprocess')


def panels(figure):
    """Axes by title."""
    return {axes.get_title(loc='left'): axes for axes in figure.axes if axes.get_title(loc='left')}


def lines(axes):
    """Curves by label."""
    return {line.get_label(): line for line in axes.lines}


class TestStaRealFigures(StaCase):
    """The road's runs, without a display."""

    _until = 'postprocess'

    def figure(self, job, line, **chosen):
        """The figure that a line of Analyze Results opens."""
        viewer = self.proj.getDomain().findViewers(self.done[job], DESKTOP_TKINTER)[0](project=self.proj)
        viewer.setProtocol(self.done[job])
        viewer.windows = None
        for name, value in chosen.items():
            getattr(viewer, name).set(value)
        return viewer._getViews(line)[0].figure

    def star(self, job, name, block):
        return read_star(self.done[job]._getJobPath(name))[block]

    def general(self, job, kind, label, half=''):
        """A number of each iteration's file of a kind."""
        names = ['run_it%03d_%s%s.star' % (number, half, kind) for number in self.done[job].getCompleteIterations()]
        return [float(self.star(job, name, kind + '_general')[label].iloc[0]) for name in names]

    def test_all_can_be_read(self):
        """Axes without units, curves without names and pictures without a word are guessed at."""
        for job in JOBS:
            figures = figuresOf(self.done[job], self.proj, say=str)
            self.assertTrue(figures, job)
            for title, figure in figures:
                with self.part(figure=title):
                    self.assertEqual(faults(figure), [])

    def test_convergence_of_a_classification(self):
        """The board of whom it says to stop must be of this run's numbers."""
        found = panels(self.figure('classify', 'showConvergence'))
        iterations = self.done['classify'].getCompleteIterations()
        resolution = lines(found['Resolution (thin: of each class)'])
        np.testing.assert_allclose(resolution['of the run'].get_xdata(), iterations)
        np.testing.assert_allclose(resolution['of the run'].get_ydata(),
                                   self.general('classify', 'model', 'rlnCurrentResolution'), rtol=1e-5)
        self.assertIn('Nyquist %.4g Å' % (2 * SETTINGS.pixel), resolution)
        shares = lines(found['Share of each class'])
        wanted = np.array([self.star('classify', 'run_it%03d_model.star' % number, 'model_classes')['rlnClassDistribution']
                           for number in iterations], dtype=float)
        self.assertEqual(list(shares), ['class 1', 'class 2'])
        np.testing.assert_allclose([line.get_ydata() for line in shares.values()], 100 * wanted.T, rtol=1e-5)
        changed = lines(found['Changes of class'])['changed class']
        np.testing.assert_allclose(changed.get_ydata(), 100 * np.array(
            self.general('classify', 'optimiser', 'rlnChangesOptimalClasses')), rtol=1e-5)
        pmax = found['Certainty of pose and class'].lines[0]
        np.testing.assert_allclose(pmax.get_ydata(), self.general('classify', 'model', 'rlnAveragePmax'), rtol=1e-5)

    def test_convergence_and_fsc_of_a_refinement(self):
        """The same for an auto-refine, whose resolution is that of its half maps."""
        found = panels(self.figure('refine3d', 'showConvergence'))
        resolution = lines(found['Resolution'])
        np.testing.assert_allclose(resolution['of the run'].get_ydata(),
                                   self.general('refine3d', 'model', 'rlnCurrentResolution', half='half1_'), rtol=1e-5)
        final = float(self.star('refine3d', 'run_model.star', 'model_general')['rlnCurrentResolution'].iloc[0])
        self.assertIn('final %.4g Å' % final, resolution)
        turned = lines(found['Rotations'])['mean change']
        np.testing.assert_allclose(turned.get_ydata(),
                                   self.general('refine3d', 'optimiser', 'rlnChangesOptimalOrientations'), rtol=1e-5)
        axes = self.figure('refine3d', 'showFsc').axes[-1]
        table = self.star('refine3d', 'run_model.star', 'model_class_1')
        curve = axes.lines[0]
        self.assertTrue(curve.get_label().startswith('Final: %.2f Å' % final), curve.get_label())
        np.testing.assert_allclose(curve.get_xdata(), table['rlnResolution'].astype(float), atol=1e-6)
        np.testing.assert_allclose(curve.get_ydata(), table['rlnGoldStandardFsc'].astype(float))
        self.assertEqual((axes.get_xlabel(), axes.get_ylabel()), ('Spatial frequency (1/Å)', 'Fourier shell correlation'))

    def test_curves_of_post_processing(self):
        """Four curves of the FSC and those of the Guinier plot, each from its own column."""
        table = self.star('postprocess', 'postprocess.star', 'fsc')
        drawn = lines(self.figure('postprocess', 'showFsc').axes[-1])
        drawn = {label.split(':')[0]: line for label, line in drawn.items()}
        for name, column in (('Corrected', 'rlnFourierShellCorrelationCorrected'),
                             ('Masked', 'rlnFourierShellCorrelationMaskedMaps'),
                             ('Unmasked', 'rlnFourierShellCorrelationUnmaskedMaps'),
                             ('Phase-randomised', 'rlnCorrectedFourierShellCorrelationPhaseRandomizedMaskedMaps')):
            np.testing.assert_allclose(drawn[name].get_ydata(), table[column].astype(float), atol=1e-6, err_msg=name)
            # RELION writes 1/999 for the first shell, the mean of the map
            np.testing.assert_allclose(drawn[name].get_xdata()[1:], table['rlnResolution'].astype(float)[1:], atol=1e-6)
        compared = lines(self.figure('postprocess', 'showCompare').axes[-1])
        own = next(line for label, line in compared.items() if label.startswith(self.done['postprocess'].getRunName()))
        np.testing.assert_allclose(own.get_ydata(), drawn['Corrected'].get_ydata())
        guinier = self.star('postprocess', 'postprocess.star', 'guinier')
        axes = self.figure('postprocess', 'showGuinier').axes[0]
        np.testing.assert_allclose(lines(axes)['Original'].get_ydata(),
                                   guinier['rlnLogAmplitudesOriginal'].astype(float)[1:])
        self.assertEqual((axes.get_xlabel(), axes.get_ylabel()), ('Squared spatial frequency (1/Å²)', 'ln(amplitude)'))

    def test_flow_counts_the_particles_of_both_iterations(self):
        """By name: who was where."""
        numbers = self.done['classify'].getCompleteIterations()[-2:]
        first, last = (self.star('classify', 'run_it%03d_data.star' % number, 'particles').set_index(
            'rlnTomoParticleName')['rlnClassNumber'].astype(int) for number in numbers)
        counts = np.zeros((2, 2), dtype=int)
        for name, number in first.items():
            counts[number - 1, last[name] - 1] += 1
        axes = self.figure('classify', 'showFlow').axes[0]
        self.assertEqual({int(text.get_text()) for text in axes.texts}, set(counts[counts > 0]))
        self.assertEqual(axes.get_title(loc='left'), '%.1f %% of %d particles changed class' % (
            100 * (1 - np.trace(counts) / counts.sum()), counts.sum()))
        self.assertEqual([text.get_text() for text in axes.get_yticklabels()],
                         ['%d (%d)' % (number, counts[number - 1].sum()) for number in (1, 2)])

    def test_signal_to_noise_and_maps_of_the_classes(self):
        """A curve or slice of another class keeps the junk."""
        axes = self.figure('classify', 'showSsnr').axes[0]
        last = self.done['classify'].getCompleteIterations()[-1]
        for number, line in enumerate(list(lines(axes).values())[:2], start=1):
            table = self.star('classify', 'run_it%03d_model.star' % last, 'model_class_%d' % number)['rlnSsnrMap']
            wanted, drawn = table.to_numpy(dtype=float), np.asarray(line.get_ydata(), dtype=float)
            np.testing.assert_allclose(drawn[~np.isnan(drawn)], wanted[~np.isnan(drawn)])
        images = [axes.images[0] for axes in self.figure('classify', 'showSlices').axes]
        self.assertEqual(len(images), 6)
        for number in (1, 2):
            with mrcfile.open(self.done['classify']._getJobPath('run_it%03d_class%03d.mrc' % (last, number))) as mrc:
                middle = len(mrc.data) // 2
                np.testing.assert_array_equal(images[3 * number - 3].get_array(), mrc.data[middle])
                np.testing.assert_array_equal(images[3 * number - 1].get_array(), mrc.data[:, :, middle])
            np.testing.assert_allclose(images[3 * number - 3].get_extent(), [0, SETTINGS.box_angst] * 2, rtol=1e-5)

    def test_mask_and_its_threshold(self):
        """The outline is the mask's, the line the threshold's of the command."""
        figure = self.figure('mask', 'showMask')
        threshold = SETTINGS.mask['inimask_threshold']
        line = figure.axes[3].lines[0]
        self.assertEqual(list(line.get_xdata()), [threshold] * 2)
        with mrcfile.open(self.done['mask'].solventMask.getFileName()) as mrc:
            inside = mrc.data[len(mrc.data) // 2] >= 0.5
        vertices = np.concatenate([path.vertices for path in figure.axes[0].collections[0].get_paths()])
        rows, columns = np.nonzero(inside)
        for place, indices in ((vertices[:, 0], columns), (vertices[:, 1], rows)):
            self.assertAlmostEqual(place.min() / SETTINGS.pixel, indices.min() + 0.5, delta=1)
            self.assertAlmostEqual(place.max() / SETTINGS.pixel, indices.max() + 0.5, delta=1)

    def test_particles_of_an_extraction_in_colours_of_their_score(self):
        """A scale of colours of other particles would throw away the good picks."""
        figure = self.figure('extract', 'showInTomogram', colorBy=3)
        axes, bar = figure.axes
        self.assertEqual(bar.get_ylabel(), 'Score of the pick')
        marks = axes.collections[-1]
        table = self.rows(self.done['extract'].outputParticles.getParticlesStars()[0])
        scores = table['rlnAutopickFigureOfMerit'].to_numpy(dtype=float)
        self.assertTrue(len(marks.get_offsets()))
        for value in marks.get_array():
            self.assertLess(np.abs(scores - value).min(), 1e-6)

    def test_ladder_of_the_project(self):
        """Every post-processing of the project stands on it with its resolution."""
        figure = self.figure('postprocess', 'showLadder')
        shown = [text.get_text() for text in figure.axes[0].texts]
        self.assertIn('%.2f Å' % self.done['postprocess'].getResult().resolution, shown)
        self.assertEqual(figure.axes[0].get_ylabel(), 'Resolution (Å)')
