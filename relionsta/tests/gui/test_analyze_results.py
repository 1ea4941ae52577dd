"""Analyze Results of every kind of node, in Scipion's own window: each line opens, with figures that can be read."""
import os

from relionsta.convert.bulk import read_columns
from relionsta.jobs.cycle import ALWAYS, RULES
from relionsta.protocols.select_particles import SPLIT
from relionsta.tests.gui.analyze import AnalyzeMixin
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.pseudo import CLASS3D, REFINE3D, PseudoCase, body_masks
from relionsta.tests.protocols.scene import SEED, SETTINGS, scratch
from relionsta.tests.protocols.series_scene import BOX, SeriesCase, refined
from relionsta.tests.protocols.shelf import Shelf
from relionsta.tests.protocols.subsets import add_inputs, by_hand

PARTICLES = {'showOrientations', 'showCoverage', 'showTomograms', 'showInTomogram'}


class TestStaAnalyzeRoad(AnalyzeMixin, StaCase):
    """The road from import to post-processing."""

    _until = 'postprocess'

    def test_every_line_of_every_viewer_opens(self):
        """A line that fails on a real result is found by a user in the night before a deadline."""
        iterations = {'showConvergence', 'showSlices', 'showWalk'}
        self.check({job: (self.done[job], lines) for job, lines in {
            'extract': PARTICLES,
            'reconstruct': PARTICLES | {'showSlices', 'showWalk'},
            'class3d': PARTICLES | iterations | {'showGallery', 'showSsnr'},
            'classify': PARTICLES | iterations | {'showGallery', 'showSsnr', 'showFlow'},
            'select': PARTICLES | {'showSlices'},
            'mask': {'showMask', 'showWalk'},
            'refine3d': PARTICLES | iterations | {'showFsc', 'showCompare'},
            'postprocess': {'showFsc', 'showCompare', 'showGuinier', 'showSlices', 'showWalk'}}.items()})

    def test_protocols_that_choose_and_bring(self):
        """Sets that were chosen, joined, expanded or brought from elsewhere are looked at as often as refined ones."""
        particles = self.output('extract', 'outputParticles')
        folder = scratch() / 'analyze'
        if not folder.exists():
            folder.mkdir()
            os.symlink(os.path.join(self.proj.path, 'Runs'), str(folder / 'Runs'))
        parts, expanded, imported, tomograms = self.road.together(
            self.new('ProtStaSelectParticles', inputParticles=particles, operation=SPLIT),
            self.new('ProtStaSymmetryExpand', sym_name='C2', inputParticles=particles),
            self.new('ProtStaImportRelion', filesPath=str(folder / self.done['classify']._getJobPath(''))),
            self.new('ProtStaReconstructTomograms', zdim=80, binned_angpix=20.0, do_fourier=False,
                     inputTiltSeries=self.output('import_aretomo3', 'tiltSeries'),
                     inputCtfs=self.output('import_aretomo3', 'ctfs')))
        join = self.new('ProtStaJoin')
        add_inputs(join, [self.output(parts, name) for name, _ in parts.iterOutputAttributes()])
        self.check({'parts': (parts, PARTICLES), 'join': (self.road.launch(join), PARTICLES),
                    'expand': (expanded, PARTICLES), 'import': (imported, PARTICLES | {'showSlices'}),
                    'tomograms': (tomograms, {'showSlices'})})

    def test_scan_and_initial_reference(self):
        """What is looked at before anything else is known of the particles."""
        few = by_hand(self, self.output('extract', 'outputParticles').get(),
                      read_columns(self.output('extract', 'outputParticles').get(), [])['id'][:3])
        initial = self.new('ProtStaInitialModel', inputParticles=few, particle_diameter=SETTINGS.diameter, nr_iter=2,
                           nr_classes=2, other_args=SEED)
        run = self.new('ProtStaClass3D', inputParticles=self.output('extract', 'outputParticles'),
                       referenceVolume=self.output('reconstruct', 'average'), particle_diameter=SETTINGS.diameter,
                       **dict(SETTINGS.class3d, nr_iter=1))
        self.proj.saveProtocol(run)
        scan = self.new('ProtStaScan', scannedRun=run, scanText='tau_fudge = 1, 4', numberOfThreads=2)
        self.road.together(initial, scan)
        self.check({'initial': (initial, PARTICLES | {'showConvergence', 'showInitial', 'showGallery', 'showSsnr'}),
                    'scan': (scan, {'showRanking', 'showMaps'})})


class TestStaAnalyzePseudo(AnalyzeMixin, PseudoCase):
    """What takes 3D pseudo-subtomograms."""

    _pseudoUntil = REFINE3D

    def test_bodies_subtraction_and_local_resolution(self):
        """The last looks at a map before it is published."""
        masks = body_masks(Shelf(self.proj, self.new('ProtStaMask')), self.done['mask'])
        bodies, subtract, local = self.road.together(
            self.multiBody(masks, nr_movies=1),
            self.new('ProtStaSubtract', inputRun=self.done[CLASS3D], keepMask=masks[0]),
            self.new('ProtStaLocalResolution', inputVolume=self.output('reconstruct', 'average'),
                     solventMask=self.output('mask', 'solventMask'), other_args=SEED))
        self.check({'bodies': (bodies, {'showConvergence', 'showFsc', 'showSlices', 'showFlexibility', 'showMotions'}),
                    'subtract': (subtract, PARTICLES),
                    'local': (local, {'showHistogram', 'showResolution', 'showSlices'})})


class TestStaAnalyzeSeries(AnalyzeMixin, SeriesCase):
    """Refinements of tilt series."""

    def test_refined_series(self):
        """Whoever cannot see what a refinement of tilt series did keeps the series that it spoilt."""
        lines = PARTICLES | {'showChanges', 'showSeries', 'showMoved'}
        few = self.shelf.changed(self.halved, 'few', keep=lambda particle: particle.getObjId() % 4 < 2)
        polish, cycle = self.road.together(
            self.new('ProtStaPolish', inputParticles=few, referenceVolume=self.output(self.average, 'average'), box_size=BOX,
                     do_motion=True, max_error=10),
            self.new('ProtStaRefinementCycle', inputParticles=self.halved, doPolish=False, keepWhen=RULES.index(ALWAYS),
                     do_auto_bfac=False, estimationBox=BOX, referenceBox=BOX, lowpass_filter=20.0, extend_inimask=2,
                     width_mask_edge=4))
        self.check({'ctf': (refined(self.road)['ctf'], lines), 'polish': (polish, lines | {'showTrajectories'}),
                    'cycle': (cycle, {'showLadder', 'showFscs', 'showSlices'})})
