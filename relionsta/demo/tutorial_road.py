"""The road of the tutorial: the demo's, then the refinement cycle, twice, with a refinement at a finer pixel between."""
from .road import Step, make_road, output

#: Job -> how it is called in a second round.
_AGAIN = '_again'


def make_tutorial(scene: str):
    """The steps for the simulated data set in folder `scene`; they take a TutorialSettings."""
    again = 'bin1' + _AGAIN
    return (make_road(scene, '2.67')
            + [_reference('bin1', 'refine3d', 'before the cycle'), _mask('mask_bin1', 'reconstruct_bin1', 'bin 1'),
               _measure('bin1', 'Bin 1')] + _cycle('', 'refine3d', 'bin1') + _fine()
            + [_reference(again, 'refine3d_fine', 'before the second cycle'), _measure(again, 'Bin 1, again')]
            + _cycle(_AGAIN, 'refine3d_fine', again))


def _cycle(again, particles, reference):
    """CTF refinement, then polishing, each measured under the mask of the first reference. particles: the job whose
    particles it begins with; reference: the end of the names of the jobs that made and measured their average."""
    ctf, polish, more = 'ctf' + again, 'polish' + again, ', again' if again else ''
    return [
        _refine_series('ctf_refine' + again, 'CTF refinement' + more, 'ProtStaCtfRefine', 'ctf_refine', particles,
                       reference),
        _reference(ctf, 'ctf_refine' + again, 'after CTF refinement' + more),
        _measure(ctf, 'CTF refinement' + more),
        _refine_series(polish, 'Bayesian polishing' + more, 'ProtStaPolish', 'polish', 'ctf_refine' + again, ctf),
        _reference(polish, polish, 'after polishing' + more),
        _measure(polish, 'Bayesian polishing' + more),
    ]


def _reference(name, particles, when):
    """The average at the pixel size of the tilt series."""
    def parameters(done, settings):
        return dict(inputParticles=output(done, particles, 'outputParticles'), binning=1.0,
                    box_size=settings.reference_box, numberOfThreads=2)

    return Step('reconstruct_' + name, 'Reconstruct particle, bin 1, ' + when, 'ProtStaReconstruct', parameters)


def _mask(job, average, what):
    def parameters(done, settings):
        return dict(inputVolume=output(done, average, 'average'), numberOfThreads=2, **settings.fine_mask)

    return Step(job, 'Mask creation, ' + what, 'ProtStaMask', parameters)


def _measure(name, rung):
    """Post-processing under one mask, so that resolutions can be compared."""
    def parameters(done, settings):
        return dict(inputVolume=output(done, 'reconstruct_' + name, 'average'),
                    solventMask=output(done, 'mask_bin1', 'solventMask'), **settings.postprocess)

    return Step('postprocess_' + name, 'Post-processing: ' + rung, 'ProtStaPostProcess', parameters, rung)


def _refine_series(job, label, protocol, options, particles, reference):
    def parameters(done, settings):
        return dict(inputParticles=output(done, particles, 'outputParticles'),
                    referenceVolume=output(done, 'reconstruct_' + reference, 'average'),
                    solventMask=output(done, 'mask_bin1', 'solventMask'),
                    inputPostprocess=done['postprocess_' + reference],
                    box_size=settings.reference_box, numberOfThreads=2, **getattr(settings, options))

    return Step(job, label, protocol, parameters)


def _fine():
    """Images of the polished particles at half the pixel size of the first ones, and their refinement."""
    def extract(done, settings):
        return dict(inputCoordinates=output(done, 'polish', 'outputParticles'), box_size_angst=settings.box_angst,
                    binned_size_pix=settings.fine_box, numberOfThreads=2)

    def reconstruct(done, _settings):
        return dict(inputParticles=output(done, 'extract_fine', 'outputParticles'), numberOfThreads=2)

    def refine3d(done, settings):
        return dict(inputParticles=output(done, 'extract_fine', 'outputParticles'),
                    referenceVolume=output(done, 'reconstruct_fine', 'average'),
                    solventMask=output(done, 'mask_fine', 'solventMask'),
                    particle_diameter=settings.diameter, numberOfMpi=3, **settings.fine_refine3d)

    def postprocess(done, settings):
        return dict(inputVolume=output(done, 'refine3d_fine', 'refinedVolume'),
                    solventMask=output(done, 'mask_fine', 'solventMask'), **settings.postprocess)

    return [
        Step('extract_fine', 'Extract subtomos again, bin 1.33', 'ProtStaExtract', extract),
        Step('reconstruct_fine', 'Reconstruct particle, bin 1.33', 'ProtStaReconstruct', reconstruct),
        _mask('mask_fine', 'reconstruct_fine', 'bin 1.33'),
        Step('refine3d_fine', '3D auto-refine, bin 1.33', 'ProtStaRefine3D', refine3d),
        Step('postprocess_fine', 'Post-processing: 3D auto-refine, bin 1.33', 'ProtStaPostProcess', postprocess,
             '3D auto-refine, bin 1.33'),
    ]
