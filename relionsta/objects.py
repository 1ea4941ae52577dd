"""The Scipion objects that subtomogram averaging in RELION adds to those of scipion-em-tomo."""
from typing import Any, List, Optional, Tuple

from pyworkflow.object import CsvList, Float, Integer, Pointer, String
from tomo.objects import AverageSubTomogram, ClassSubTomogram, SetOfClassesSubTomograms, SetOfSubTomograms, SubTomogram

STACKS_2D = '2D stacks'
PSEUDO_SUBTOMOS = '3D pseudo-subtomos'
REAL_SUBTOMOS = '3D subtomos'
NO_IMAGES = 'none'
KINDS = (STACKS_2D, PSEUDO_SUBTOMOS, REAL_SUBTOMOS, NO_IMAGES)


class StaParticle(SubTomogram):
    """A particle of RELION: its image (if extracted), its pose, its place in a tomogram, its class and half set.

    The transform is the full pose, without shift: the coordinate is the refined position (centre of the reference).
    The class is Scipion's own (getClassId), the score that of the coordinate.
    """
    PARTICLE_NAME_ATTR = '_particleName'
    PARTICLES_STAR_ATTR = '_particlesStar'
    TOMOGRAMS_STAR_ATTR = '_tomogramsStar'
    TRAJECTORIES_STAR_ATTR = '_trajectoriesStar'
    RANDOM_SUBSET_ATTR = '_randomSubset'
    OUTDATED_ATTR = '_outdatedBy'

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._particleName = String()
        # Each particle knows its files: Scipion's own join of two sets keeps only what the first says of itself.
        self._particlesStar = String()
        self._tomogramsStar = String()
        self._trajectoriesStar = String()
        self._randomSubset = Integer(0)
        # Here too, so that particles with such images are found in any join.
        self._outdatedBy = String()

    def getParticleName(self) -> Optional[str]:
        """rlnTomoParticleName, the key of every join."""
        return self._particleName.get()

    def setParticleName(self, name: str) -> None:
        self._particleName.set(name)

    def getParticlesStar(self) -> Optional[str]:
        """The STAR file that has this particle's row, with every column that Scipion has no place for."""
        return self._particlesStar.get()

    def setParticlesStar(self, path: str) -> None:
        self._particlesStar.set(path)

    def getTomogramsStar(self) -> Optional[str]:
        """The tomograms.star with this particle's tilt series; None: that of the set."""
        return self._tomogramsStar.get()

    def setTomogramsStar(self, path: Optional[str]) -> None:
        self._tomogramsStar.set(path)

    def getTrajectoriesStar(self) -> Optional[str]:
        """The motion.star with this particle's trajectory, or None."""
        return self._trajectoriesStar.get()

    def setTrajectoriesStar(self, path: Optional[str]) -> None:
        self._trajectoriesStar.set(path)

    def getOutdatedBy(self) -> Optional[str]:
        """The job that changed the tilt series after the image of this particle was cut out, or None."""
        return self._outdatedBy.get()

    def setOutdatedBy(self, job: Optional[str]) -> None:
        self._outdatedBy.set(job)

    def getRandomSubset(self) -> int:
        """Half set: 1 or 2, or 0 where the particles have not been split."""
        return self._randomSubset.get()

    def setRandomSubset(self, subset: int) -> None:
        if subset not in (0, 1, 2):
            raise ValueError('the half set of a particle must be 0 (none), 1 or 2, not %r' % subset)
        self._randomSubset.set(subset)


class SetOfStaParticles(SetOfSubTomograms):
    """Particles of RELION, with the files that RELION needs to go on with them.

    The set is the truth for membership, order, pose, class and half set; the particles STAR that its items name is the
    truth for every other column. All paths are relative to the project.
    """
    ITEM_TYPE = StaParticle
    # Dimensions are left out: two 2D stacks differ in their number of images.
    _compatibilityDict = {'sampling rates': 'getSamplingRate',
                          'box sizes': 'getBoxSize',
                          'kinds of particle': 'getKind',
                          'tilt-series pixel sizes': 'getTiltSeriesPixelSize',
                          'pixel sizes of the coordinates': 'getCoordinatesPixelSize'}
    _STA_ATTRIBUTES = ('_tomogramsStar', '_trajectoriesStar', '_binning', '_boxSize', '_kind',
                       '_tiltSeriesPixelSize', '_coordinatesPixelSize', '_tiltSeriesPointer', '_ctfsPointer',
                       '_outdatedBy')

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # For particles that do not name theirs.
        self._tomogramsStar = CsvList()
        self._trajectoriesStar = CsvList()
        self._binning = Float()
        self._boxSize = Integer()
        self._kind = String(NO_IMAGES)
        self._tiltSeriesPixelSize = Float()
        self._coordinatesPixelSize = Float()
        self._tiltSeriesPointer = Pointer()
        self._ctfsPointer = Pointer()
        self._outdatedBy = String()
        # Of this set's own particles.
        self._digest = String()
        self._digestFile = String()

    def copyInfo(self, other: Any) -> None:
        super().copyInfo(other)
        if isinstance(other, SetOfStaParticles):
            self.copyAttributes(other, *self._STA_ATTRIBUTES)
        self.setDigest(None, None)

    def getParticlesStars(self) -> List[str]:
        """The particles STAR files that have the rows of this set's particles; [] for an empty set."""
        return self._textsOfItems(StaParticle.PARTICLES_STAR_ATTR)

    def getDigest(self) -> Optional[str]:
        """What the particles were when they came from getDigestFile() (convert/untouched.py); None for other sets."""
        return self._digest.get()

    def getDigestFile(self) -> Optional[str]:
        """The STAR file that getDigest() tells of."""
        return self._digestFile.get()

    def setDigest(self, digest: Optional[str], path: Optional[str]) -> None:
        self._digest.set(digest)
        self._digestFile.set(path)

    def getTomogramsStars(self) -> List[str]:
        """The tomograms.star files of the particles: usually one, several where sets were joined.

        Those that the particles name themselves; the set's own where they name none.
        """
        return self._textsOfItems(StaParticle.TOMOGRAMS_STAR_ATTR) or list(self._tomogramsStar)

    def getTomogramsStar(self) -> Optional[str]:
        """The (first) tomograms.star, or None. A job on the particles takes what convert.job_inputs says."""
        return next(iter(self.getTomogramsStars()), None)

    def setTomogramsStar(self, *paths: str) -> None:
        """For particles that do not name theirs."""
        self._tomogramsStar.set(list(paths))

    def getTrajectoriesStars(self) -> List[str]:
        """The trajectories files of the particles; [] where none has a trajectory."""
        return self._textsOfItems(StaParticle.TRAJECTORIES_STAR_ATTR) or list(self._trajectoriesStar)

    def getTrajectoriesStar(self) -> Optional[str]:
        """The (first) trajectories file, motion.star of Bayesian polishing, or None."""
        return next(iter(self.getTrajectoriesStars()), None)

    def setTrajectoriesStar(self, *paths: str) -> None:
        """For particles that do not name theirs."""
        self._trajectoriesStar.set(list(paths))

    def getDefaultFiles(self) -> Tuple[Optional[str], Optional[str]]:
        """The tomograms.star and the trajectories file of particles that do not name theirs."""
        return next(iter(self._tomogramsStar), None), next(iter(self._trajectoriesStar), None)

    def _textsOfItems(self, attribute: str) -> List[str]:
        if self.isEmpty():
            return []
        return sorted(path for path in self.getUniqueValues(attribute) if path)

    def getTiltSeries(self, asPointer: bool = False) -> Any:
        """The SetOfTiltSeries that the particles' tomograms.star stands for, or None where that is not known."""
        return self._tiltSeriesPointer if asPointer else self._tiltSeriesPointer.get()

    def setCoordinates3D(self, coordinates: Any) -> None:
        _point(self._coordsPointer, coordinates)

    def setTiltSeries(self, tiltSeries: Pointer) -> None:
        self._tiltSeriesPointer.copy(tiltSeries, copyId=False)

    def getCtfs(self, asPointer: bool = False) -> Any:
        """The SetOfCTFTomoSeries that the particles' tomograms.star stands for, or None where that is not known."""
        return self._ctfsPointer if asPointer else self._ctfsPointer.get()

    def setCtfs(self, ctfs: Pointer) -> None:
        self._ctfsPointer.copy(ctfs, copyId=False)

    def getOutdatedBy(self) -> Optional[str]:
        """The job that changed the tilt series after the images were cut out; None where the images are right."""
        jobs = self._textsOfItems(StaParticle.OUTDATED_ATTR)
        return jobs[0] if jobs else self._outdatedBy.get() or None

    def setOutdatedBy(self, job: Optional[str]) -> None:
        """What the set says of itself; its particles have to be told as well."""
        self._outdatedBy.set(job)

    def getKind(self) -> str:
        """What the images of the particles are: one of KINDS."""
        return self._kind.get()

    def setKind(self, kind: str) -> None:
        if kind not in KINDS:
            raise ValueError('the kind of particles must be one of %s, not %r' % (', '.join(KINDS), kind))
        self._kind.set(kind)

    def is2D(self) -> bool:
        """True for 2D stacks, one image per tilt."""
        return self.getKind() == STACKS_2D

    def getBoxSize(self) -> Optional[int]:
        """Edge of the box in pixels of this set, or None if nothing was extracted."""
        return self._boxSize.get()

    def setBoxSize(self, pixels: int) -> None:
        self._boxSize.set(pixels)

    def getParticleBinning(self) -> Optional[float]:
        """Pixel size of the particles / pixel size of the tilt series; may be fractional."""
        return self._binning.get()

    def setParticleBinning(self, binning: float) -> None:
        self._binning.set(binning)

    def getTiltSeriesPixelSize(self) -> float:
        """Å per pixel of the tilt images that RELION reads."""
        return self._tiltSeriesPixelSize.get()

    def setTiltSeriesPixelSize(self, pixel: float) -> None:
        self._tiltSeriesPixelSize.set(pixel)

    def getCoordinatesPixelSize(self) -> float:
        """Å per unit of the particles' Coordinate3D (pixels of the tomograms that they were picked in)."""
        return self._coordinatesPixelSize.get()

    def setCoordinatesPixelSize(self, pixel: float) -> None:
        self._coordinatesPixelSize.set(pixel)

    def getTSIds(self) -> List[str]:
        """Names of the tilt series that the particles come from."""
        if self.isEmpty():
            return []
        field = StaParticle.COORD_VOL_NAME_FIELD
        return sorted(row[field] for row in self.aggregate(['count'], field, [field]))

    def getDimensions(self) -> Optional[Tuple[int, int, int]]:
        """(x, y, z) in pixels; z is 1 for 2D stacks. Read from no image: stacks differ in their number of images."""
        return self.getDim()

    def _setFirstDim(self, image: Any) -> None:
        box = self.getBoxSize()
        if box:
            self._firstDim.set([box, box, 1 if self.is2D() else box])

    def _dimStr(self) -> str:
        box = self.getBoxSize()
        return 'box %d px' % box if box else 'no images'

    def __str__(self) -> str:
        parts = ['%d items' % self.getSize(), self._dimStr(), self._samplingRateStr()]
        binning = self.getParticleBinning()
        if binning is not None:
            parts.append('bin %g' % round(binning, 3))
        if self.getKind() != NO_IMAGES:
            parts.append(self.getKind())
        if self._outdatedBy.get():
            parts.append('extract again')
        return '%s (%s%s)' % (self.getClassNameStr(), ', '.join(parts), self._appendStreamState())


class ClassSta3D(ClassSubTomogram, SetOfStaParticles):
    """The particles of one 3D class; its representative is the class average.

    What RELION says of the class: its share of the particles (0 to 1), its resolution (Å) and the accuracies of rotations
    (degrees) and translations (Å); None where RELION could not tell, as for an empty class. Scipion's viewers and its
    protocol for subsets know a class by its name, which must begin with Class.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._share = Float()
        self._resolution = Float()
        self._accuracyRotations = Float()
        self._accuracyTranslations = Float()

    def setQuality(self, share: float, resolution: Optional[float], rotations: Optional[float],
                   translations: Optional[float]) -> None:
        """What RELION says of the class, in the order and units of the class's description."""
        self._share.set(share)
        self._resolution.set(resolution)
        self._accuracyRotations.set(rotations)
        self._accuracyTranslations.set(translations)

    def getShare(self) -> Optional[float]:
        """Fraction of the particles, as RELION weighs them."""
        return self._share.get()

    def getResolution(self) -> Optional[float]:
        """Å."""
        return self._resolution.get()

    def getAccuracyRotations(self) -> Optional[float]:
        """Degrees."""
        return self._accuracyRotations.get()

    def getAccuracyTranslations(self) -> Optional[float]:
        """Å."""
        return self._accuracyTranslations.get()


class SetOfClassesSta3D(SetOfClassesSubTomograms):
    """Result of a 3D classification."""
    ITEM_TYPE = ClassSta3D
    REP_TYPE = AverageSubTomogram

    def setCoordinates3D(self, coordinates: Any) -> None:
        _point(self._coordsPointer, coordinates)


def _point(own: Pointer, coordinates: Any) -> None:
    """Make a set's own pointer point to coordinates, given as they are or by a pointer.

    Taking the pointer itself, as tomo does, would give one object two places in the project: Scipion then ends a run with
    an error (and without its time) when it stores the outputs.
    """
    if isinstance(coordinates, Pointer):
        own.copy(coordinates, copyId=False)
    else:
        own.set(coordinates)
