"""A scene whose data set states wrong defocus and alignment, and the steps up to their refinement."""
import functools

from relionsta.simulate.parameters import SceneParameters
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import scene_folder
from relionsta.tests.protocols.shelf import Shelf

PIXEL, BOX = 3.0, 64
#: The defocus is wrong by more than 1000 Å, the alignment by 5 Å; the picks are right but for the voxels of the tomogram.
WRONG = SceneParameters(
    series=2, particles=24, tilts=11, tilt_step=6.0, image_size=(320, 288), thickness=96, pixel=PIXEL, tomogram_binning=2,
    diameter=120.0, spacing=125.0, tilt_shift_rms=20.0, snr=0.3, pick_angle_error=0.0, pick_shift_error=0.0,
    defocus_error=(1500.0, -1200.0), tilt_shift_error=5.0)


class SeriesCase(StaCase):
    """A test with particles of that scene, their half sets and a reference at the pixel size of the tilt series."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, value in made(cls.road).items():
            setattr(cls, name, value)


@functools.lru_cache(maxsize=1)
def made(road):
    """The runs that all tests of this scene share, by name; run once in a process."""
    case = type('SeriesMaker', (StaCase,), {'road': road, 'proj': road.project, 'done': road.done})
    scene = scene_folder(WRONG)
    imported = case.run_new('ProtStaImportAreTomo3', filesPath=str(scene / 'aretomo3'))
    picks = case.run_new('ProtStaImportPicks', filesPath=str(scene / 'picks' / 'all_particles.star'),
                         inputTomograms=case.output(imported, 'tomograms'))
    extracted = case.run_new(
        'ProtStaExtract', inputCoordinates=case.output(picks, 'outputCoordinates'),
        inputTiltSeries=case.output(imported, 'tiltSeries'), inputCtfs=case.output(imported, 'ctfs'),
        sizesBy=1, boxBinning=2.0, binned_size_pix=BOX // 2, numberOfThreads=2)
    shelf = Shelf(case.proj, case.new('ProtStaExtract'))
    halved = shelf.changed(extracted.outputParticles, 'halved',
                           change=lambda particle: particle.setRandomSubset(particle.getObjId() % 2 + 1))
    average = reconstruct(case, halved)
    return dict(imported=imported, picks=picks, extracted=extracted, shelf=shelf, halved=halved, average=average)


@functools.lru_cache(maxsize=1)
def refined(road):
    """CTF refinement and polishing of that scene with what they take: postprocess, ctf, polish; run once in a process."""
    case = type('SeriesRefiner', (StaCase,), {'road': road, 'proj': road.project, 'done': road.done})
    scene = made(road)
    reference = case.output(scene['average'], 'average')
    mask = case.run_new('ProtStaMask', inputVolume=reference, lowpass_filter=20.0, extend_inimask=2, width_mask_edge=4)
    postprocess = case.run_new('ProtStaPostProcess', inputVolume=reference, do_auto_bfac=False,
                               solventMask=case.output(mask, 'solventMask'))
    common = dict(referenceVolume=reference, solventMask=case.output(mask, 'solventMask'), inputPostprocess=postprocess,
                  box_size=BOX, numberOfThreads=2)
    ctf = case.run_new('ProtStaCtfRefine', inputParticles=scene['halved'], **common)
    polish = case.run_new('ProtStaPolish', inputParticles=case.output(ctf, 'outputParticles'), max_error=10, **common)
    return dict(postprocess=postprocess, ctf=ctf, polish=polish)


def reconstruct(case, particles):
    """The average at the pixel size of the tilt series, with half maps."""
    return case.run_new('ProtStaReconstruct', inputParticles=particles, binning=1.0, box_size=BOX,
                        numberOfThreads=2)
