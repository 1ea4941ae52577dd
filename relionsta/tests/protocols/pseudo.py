"""3D pseudo-subtomograms of the road's particles, with a classification and a short refinement of them."""
import mrcfile
import numpy as np
from pwem.objects import VolumeMask

from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SEED, SETTINGS

EXTRACT, CLASS3D, REFINE3D = 'pseudo extract', 'pseudo class3d', 'pseudo refine3d'
#: Three iterations at low resolution: RELION ends there, not converged.
ITERATIONS = 3
SHORT = '%s --strict_highres_exp 48 --auto_iter_max %d' % (SEED, ITERATIONS)


class PseudoCase(StaCase):
    """A test on pseudo-subtomograms; what is made for it is made once for all such tests."""

    _until = 'mask'
    _pseudoUntil = CLASS3D

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for job, make in ((EXTRACT, cls._extract), (CLASS3D, cls._class3d), (REFINE3D, cls._refine3d)):
            if job not in cls.done:
                cls.done[job] = make()
            if job == cls._pseudoUntil:
                break

    @classmethod
    def _extract(cls):
        return cls.run_new('ProtStaExtract', inputCoordinates=cls.output('import_picks', 'outputCoordinates'),
                           inputTiltSeries=cls.output('import_aretomo3', 'tiltSeries'),
                           inputCtfs=cls.output('import_aretomo3', 'ctfs'), box_size_angst=SETTINGS.box_angst,
                           binned_size_pix=SETTINGS.box, subtomo_format='3D pseudo-subtomos')

    @classmethod
    def _class3d(cls):
        return cls.run_new('ProtStaClass3D', inputParticles=cls.output(EXTRACT, 'outputParticles'),
                           referenceVolume=cls.output('reconstruct', 'average'), particle_diameter=SETTINGS.diameter,
                           **SETTINGS.class3d)

    @classmethod
    def _refine3d(cls):
        return cls.run_new('ProtStaRefine3D', inputParticles=cls.output(CLASS3D, 'outputParticles'),
                           referenceVolume=cls.output(CLASS3D, 'outputAverages.1'), particle_diameter=SETTINGS.diameter,
                           solventMask=cls.output('mask', 'solventMask'), outputIteration=ITERATIONS, numberOfMpi=3,
                           **{**SETTINGS.refine3d, 'other_args': SHORT})

    @classmethod
    def multiBody(cls, masks, **values):
        """A multi-body refinement that goes on from the short one, not run."""
        protocol = cls.new('ProtStaMultiBody', **{'inputRun': cls.done[REFINE3D], 'sampling': '7.5 degrees',
                                                  'offset_range': 1.0, 'offset_step': 1.0, 'numberOfMpi': 3, **values})
        for mask in masks:
            protocol.bodyMasks.append(mask)
        return protocol


def body_masks(shelf, mask):
    """Masks of the larger, lower part of the mask of a run and of the upper part, which overlap softly."""
    whole = mrcfile.read(mask.solventMask.getFileName())
    lower = np.clip((SETTINGS.box // 2 + 3 - np.arange(SETTINGS.box)) / 4, 0, 1)[:, None, None] * np.ones_like(whole)
    masks = []
    for name, part in (('body1.mrc', lower), ('body2.mrc', 1 - lower)):
        made = shelf.map(name, kind=VolumeMask)
        with mrcfile.open(made.getFileName(), mode='r+') as mrc:
            mrc.set_data((whole * part).astype(np.float32))
        masks.append(made)
    return masks
