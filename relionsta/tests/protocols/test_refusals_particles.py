"""Refusals of particles, coordinates, tilt series and numbers of the jobs on them."""
import os

from relionsta.runtime.build import find_build
from relionsta.star import read_star, write_star
from relionsta.tests.protocols.scene import SCENE, SETTINGS
from relionsta.tests.protocols.test_refusals import BOX, PIXEL, Refusal, RefusalCase

ON_PARTICLES = ('ProtStaReconstruct', 'ProtStaClass3D', 'ProtStaRefine3D')


def _other_tomograms(test):
    """Particles whose tomograms.star has other names."""
    path = test.shelf.path('other_tomograms.star')
    table = read_star(test.particles.getTomogramsStar())['global']
    table['rlnTomoName'] = ['OTHER_%d' % number for number in range(len(table))]
    write_star(path, {'global': table})
    return test.shelf.changed(test.particles, 'other', lambda item: item.setTomogramsStar(path))


def _without_file(test):
    """Particles whose STAR file is gone."""
    return test.shelf.changed(test.particles, 'gone', lambda item: item.setParticlesStar('Runs/gone/particles.star'))


def _joined(test):
    """Particles joined from two extractions, of 2D stacks and of 3D."""
    path = test.shelf.path('second.star')
    blocks = read_star(test.particles.getFirstItem().getParticlesStar())
    blocks['general']['rlnTomoSubTomosAre2DStacks'] = 0
    write_star(path, blocks)
    return test.shelf.changed(test.particles, 'joined', lambda item: item.getObjId() % 2 and item.setParticlesStar(path))


def _twice(test):
    """Particles of which two have the same name."""
    name = test.particles.getFirstItem().getParticleName()
    return test.shelf.changed(test.particles, 'twice', lambda item: item.getObjId() == 3 and item.setParticleName(name))


def _halves(test, half_of):
    """Particles with the half sets that half_of tells for their ids."""
    return test.shelf.changed(test.particles, 'halves%d%d' % (half_of(1), half_of(2)),
                              lambda item: item.setRandomSubset(half_of(item.getObjId())))


def _empty(test):
    return test.shelf.changed(test.particles, 'empty', keep=lambda item: False)


class TestStaParticleRefusals(RefusalCase):
    """Jobs on particles."""

    def test_particles(self):
        """RELION ends with a crash on some of these, and runs to a wrong map on others."""
        made = {'of other tomograms': (_other_tomograms(self), ('TS_01', 'OTHER_0')),
                'STAR file gone': (_without_file(self), ('Runs/gone/particles.star', 'does not exist')),
                'joined from two kinds': (_joined(self), ('rlnTomoSubTomosAre2DStacks', 'second.star')),
                'one twice': (_twice(self), ('is in the set twice', 'Join particles')),
                'half sets of some': (_halves(self, lambda number: number % 2), ('half set',)),
                'no particles': (_empty(self), ('no particles',))}
        self.check([Refusal(protocol, what, ('*Particles*',) + words, lambda test, items=items: dict(inputParticles=items))
                    for protocol in ON_PARTICLES for what, (items, words) in made.items()])
        self.check([Refusal('ProtStaRefine3D', 'one half set', ('*Particles*', 'half set 1', 'other one is empty'),
                            lambda test: dict(inputParticles=_halves(test, lambda number: 1)))])

    def test_numbers_of_refinements(self):
        """Slips that cost a night of computing, or its result."""
        refusals = []
        for protocol in ('ProtStaClass3D', 'ProtStaRefine3D'):
            refusals += [
                Refusal(protocol, 'mask diameter', ('*Mask diameter (A)*', '500', '%g' % SETTINGS.box_angst),
                        lambda test: dict(particle_diameter=500.0)),
                Refusal(protocol, 'symmetry', ('*Symmetry*', 'X9'), lambda test: dict(sym_name='X9')),
                Refusal(protocol, 'empty number', ('*Number of pooled particles*', 'empty', '3'),
                        lambda test: dict(nr_pool=None))]
            if not find_build().has_gpu:
                refusals.append(Refusal(protocol, 'no GPU', ('*Use GPU acceleration?*', 'Yes', 'without GPU support'),
                                        lambda test: dict(useGpu=True)))
        refusals += [Refusal('ProtStaRefine3D', '%d ranks' % ranks, ('*MPI', str(ranks), 'odd number', fix),
                             lambda test, ranks=ranks: dict(numberOfMpi=ranks))
                     for ranks, fix in ((1, 'Choose 3'), (2, 'Choose 3'), (4, 'Choose 3 or 5'))]
        refusals += [
            Refusal('ProtStaRefine3D', 'solvent FSC without mask', ('*Use solvent-flattened FSCs?*', 'Yes', 'mask'),
                    lambda test: dict(solventMask=None)),
            Refusal('ProtStaClass3D', 'iteration', ('*Iteration to use*', '9', 'iterations 1 to 2'),
                    lambda test: dict(outputIteration=9)),
            Refusal('ProtStaClass3D', 'no iteration', ('*Number of iterations*', '0', '1 or more'),
                    lambda test: dict(nr_iter=0))]
        self.check(refusals)

    def test_sizes_of_a_reconstruction(self):
        """RELION makes half a voxel of shift of an odd box, and nothing of a box beyond the images."""
        self.check([
            Refusal('ProtStaReconstruct', 'odd box', ('*Box size (binned pix)*', '25', '24 or 26'),
                    lambda test: dict(binning=2.0, box_size=25)),
            Refusal('ProtStaReconstruct', 'box beyond the images', ('*Box size (binned pix)*', '5120 Å', '960'),
                    lambda test: dict(binning=4.0, box_size=256)),
            Refusal('ProtStaReconstruct', 'empty number', ('*Cropped box size (binned pix)*', 'empty'),
                    lambda test: dict(crop_size=None))])


class TestStaExtractRefusals(RefusalCase):
    """Extraction."""

    def test_sizes(self):
        """relion_tomo_subtomo takes any sizes, and writes broken images or none with exit code 0."""
        self.check([
            Refusal('ProtStaExtract', 'odd box', ('*Binning to box size (pixels)*', '25', '24 or 26'),
                    lambda test: dict(binned_size_pix=25)),
            Refusal('ProtStaExtract', 'box beyond the images', ('*Box size (A)*', '2000 Å', '960'),
                    lambda test: dict(box_size_angst=2000.0, binned_size_pix=64)),
            Refusal('ProtStaExtract', 'finer than the images', ('*Box size (A)*', '2 Å', '5 Å'),
                    lambda test: dict(box_size_angst=192.0, binned_size_pix=96)),
            Refusal('ProtStaExtract', 'binning below 1', ('*Binning*', '0.5'),
                    lambda test: dict(sizesBy='binning and pixels', boxBinning=0.5)),
            Refusal('ProtStaExtract', 'binning 0', ('*Binning*', '0'),
                    lambda test: dict(sizesBy='binning and pixels', boxBinning=0.0)),
            Refusal('ProtStaExtract', 'no pixels', ('*Binning to box size (pixels)*', '0'),
                    lambda test: dict(binned_size_pix=0)),
            Refusal('ProtStaExtract', 'pre-crop below the box', ('*Pre-cropping box size (A)*', '100', '192'),
                    lambda test: dict(precrop_size_angst=100.0)),
            Refusal('ProtStaExtract', 'empty number', ('*Binning to box size (pixels)*', 'empty', '64'),
                    lambda test: dict(binned_size_pix=None))])

    def test_inputs_that_do_not_belong_together(self):
        """Particles cut at the wrong places look like noise, and nothing says why."""
        def only_first(item):
            return item.getTsId() == SCENE.series_names[0]
        shelf = self.shelf
        ctfs = shelf.changed(self.ctfs, 'ctfs', keep=only_first)
        series = shelf.changed(self.series, 'series', keep=only_first)
        coarse = shelf.changed(self.coordinates, 'coarse', of_set=lambda copy: copy.setSamplingRate(4 * SCENE.voxel))
        coarse.setPrecedents(self.tomograms)
        none = shelf.changed(self.coordinates, 'none', keep=lambda item: False)
        self.check([
            Refusal('ProtStaExtract', 'CTFs of other series', ('*CTFs*', 'TS_02'), lambda test: dict(inputCtfs=ctfs)),
            Refusal('ProtStaExtract', 'particles of other series', ('*Coordinates or particles*', 'TS_02'),
                    lambda test: dict(inputTiltSeries=series)),
            Refusal('ProtStaExtract', 'coordinates of another pixel size',
                    ('*Coordinates or particles*', 'outside', '%g' % (4 * SCENE.voxel)),
                    lambda test: dict(inputCoordinates=coarse)),
            Refusal('ProtStaExtract', 'no coordinates', ('*Coordinates or particles*', 'empty'),
                    lambda test: dict(inputCoordinates=none)),
            Refusal('ProtStaExtract', 'no tilt series', ('*Tilt series*', 'empty'),
                    lambda test: dict(inputTiltSeries=None)),
            Refusal('ProtStaExtract', 'no CTFs', ('*CTFs*', 'empty'), lambda test: dict(inputCtfs=None)),
            Refusal('ProtStaExtract', 'particles of other tomograms', ('*Coordinates or particles*', 'OTHER_0'),
                    lambda test: dict(inputCoordinates=_other_tomograms(test), inputTiltSeries=None, inputCtfs=None)),
            Refusal('ProtStaExtract', 'STAR file gone', ('*Coordinates or particles*', 'Runs/gone/particles.star'),
                    lambda test: dict(inputCoordinates=_without_file(test), inputTiltSeries=None, inputCtfs=None))])

    def test_tilt_series_that_relion_cannot_use(self):
        """Interpolated or unaligned tilt series have no geometry for RELION; deleted ones have no images."""
        interpolated = self.shelf.changed(self.series, 'interpolated')
        for one in interpolated.iterItems():
            one.setInterpolated(True)
            interpolated.update(one)
        self.check([Refusal('ProtStaExtract', 'interpolated', ('*Tilt series*', 'TS_01', 'interpolated'),
                            lambda test: dict(inputTiltSeries=interpolated))])
        stack = self.series.getFirstItem().getFirstItem().getFileName()
        os.rename(stack, stack + '.away')
        try:
            self.check([Refusal('ProtStaExtract', 'images gone', ('*Tilt series*', stack, 'does not exist'),
                                lambda test: {})])
            self.check([Refusal('ProtStaReconstruct', 'images gone', ('*Particles*', stack, 'does not exist'),
                                lambda test: {})])
        finally:
            os.rename(stack + '.away', stack)


class TestStaImportRefusals(RefusalCase):
    """Imports."""

    def test_picks(self):
        """Picks tied to the wrong tomogram or pixel size are found out only after days, if at all."""
        def other_pixel(item):
            item.setSamplingRate(SCENE.voxel / 2)
            item.setOrigin()
        small = self.shelf.changed(self.tomograms, 'small', other_pixel, lambda copy: copy.setSamplingRate(SCENE.voxel / 2))
        others = self.shelf.changed(self.tomograms, 'others', lambda item: item.setTsId('OTHER_%d' % item.getObjId()))
        none = self.shelf.changed(self.tomograms, 'no_tomograms', keep=lambda item: False)
        broken = self.shelf.path('broken.star')
        write_star(broken, {'particles': read_star(self.good('ProtStaImportPicks')['filesPath'])[''].drop(
            columns='rlnCoordinateZ')})
        label = '*STAR file, folder or pattern*'
        self.check([
            Refusal('ProtStaImportPicks', 'other tomograms', ('*Tomograms*', 'TS_01', 'OTHER_1'),
                    lambda test: dict(inputTomograms=others)),
            Refusal('ProtStaImportPicks', 'other pixel size', ('*Tomograms*', 'outside', '%g' % (SCENE.voxel / 2)),
                    lambda test: dict(inputTomograms=small)),
            Refusal('ProtStaImportPicks', 'no tomograms', ('*Tomograms*', 'empty'), lambda test: dict(inputTomograms=none)),
            Refusal('ProtStaImportPicks', 'no file', (label, 'nothing.star'), lambda test: dict(filesPath='nothing.star')),
            Refusal('ProtStaImportPicks', 'no match', (label, 'no*.star'), lambda test: dict(filesPath='no*.star')),
            Refusal('ProtStaImportPicks', 'nothing', (label, 'empty'), lambda test: dict(filesPath='')),
            Refusal('ProtStaImportPicks', 'a column missing', (label, 'broken.star', 'rlnCoordinateZ'),
                    lambda test: dict(filesPath=broken)),
            Refusal('ProtStaImportPicks', 'no size', ('*Particle size (Å)*', 'empty'), lambda test: dict(boxSize=None)),
            Refusal('ProtStaImportPicks', 'size 0', ('*Particle size (Å)*', '0'), lambda test: dict(boxSize=0))])

    def test_aretomo3(self):
        """A wrong folder is a slip of the mouse."""
        label = '*Folder or pattern*'
        folder = self.shelf.path('')
        self.check([
            Refusal('ProtStaImportAreTomo3', 'no folder', (label, '/no/such'), lambda test: dict(filesPath='/no/such')),
            Refusal('ProtStaImportAreTomo3', 'no match', (label, '/no/*.aln'), lambda test: dict(filesPath='/no/*.aln')),
            Refusal('ProtStaImportAreTomo3', 'no series', (label, 'no tilt series'), lambda test: dict(filesPath=folder)),
            Refusal('ProtStaImportAreTomo3', 'nothing', (label, 'empty'), lambda test: dict(filesPath='')),
            Refusal('ProtStaImportAreTomo3', 'pixel size', ('*Pixel size (Å)*', '-1', 'above 0'),
                    lambda test: dict(pixelSize=-1.0))])
        self.assertAlmostEqual(PIXEL * BOX, SETTINGS.box_angst)
