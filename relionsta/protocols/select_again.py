"""The selection of tomograms that a person has marked, ready to run."""
from .select_particles import DROP, KEEP, TOMOGRAMS, ProtStaSelectParticles


def newTomogramSelection(project, particles, tomograms, keep=True):
    """A Select particles, neither saved nor run, that keeps (or drops) the particles of these tomograms.

    particles: pointer to the set, as outputs and inputs of protocols have it. tomograms: names. Raises ValueError where
    there are none.
    """
    names = [str(name) for name in tomograms]
    if not names:
        raise ValueError('no tomogram is marked; mark those to keep or to drop first')
    protocol = project.newProtocol(ProtStaSelectParticles)
    protocol.setObjLabel('%s %d tomogram%s' % ('Keep' if keep else 'Drop', len(names), 's' if len(names) > 1 else ''))
    protocol.inputParticles.copy(particles)
    protocol.operation.set(TOMOGRAMS)
    protocol.keepOrDrop.set(KEEP if keep else DROP)
    protocol.tomograms.set(' '.join(names))
    return protocol
