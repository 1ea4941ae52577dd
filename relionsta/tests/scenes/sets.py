"""A scene as Scipion holds it: sets filled with Scipion's own methods and other plugins' formulas, never with ours."""
from typing import Any

import mrcfile
import numpy as np
from pwem.convert.transformations import euler_matrix
from pwem.objects import Transform
from pyworkflow.object import Float
from tomo.constants import BOTTOM_LEFT_CORNER
from tomo.objects import (
    Coordinate3D,
    CTFTomo,
    CTFTomoSeries,
    SetOfCoordinates3D,
    SetOfCTFTomoSeries,
    SetOfSubTomograms,
    SetOfTiltSeries,
    SetOfTomograms,
    SubTomogram,
    TiltImage,
    TiltSeries,
    TomoAcquisition,
    Tomogram,
)

from relionsta import geometry
from relionsta.constants import X_TILT

from .scene import THICKNESS, Scene
from .truth import Truth


def _acquisition(scene: Scene, voltage: float, axis: float) -> TomoAcquisition:
    return TomoAcquisition(voltage=voltage, sphericalAberration=2.7, amplitudeContrast=scene.amplitude_contrast,
                           magnification=50000, tiltAxisAngle=axis, angleMin=-55, angleMax=55, step=11)


def aligning_matrix(z_rot: float, x_shift: float, y_shift: float, pixel: float) -> np.ndarray:
    """The matrix of an .xf file (3, 3): raw = R(z_rot) aligned + shift, turned round; shifts in Å."""
    cosine, sine = np.cos(np.radians(z_rot)), np.sin(np.radians(z_rot))
    raw_of_aligned = np.array([[cosine, -sine, x_shift / pixel], [sine, cosine, y_shift / pixel], [0, 0, 1]])
    return np.asarray(np.linalg.inv(raw_of_aligned))


def make_tilt_series(truth: Truth) -> Any:
    """SetOfTiltSeries and SetOfCTFTomoSeries of all images: dark ones disabled with the identity as transform."""
    scene = truth.scene
    tilt_series = SetOfTiltSeries(filename='tiltseries.sqlite')
    tilt_series.setSamplingRate(scene.pixel)
    tilt_series.setAcquisition(_acquisition(scene, scene.voltages[0], scene.axis))
    ctfs = SetOfCTFTomoSeries(filename='ctfs.sqlite')
    ctfs.setSetOfTiltSeries(tilt_series)
    for (name, images), voltage in zip(truth.tilt_series.items(), scene.voltages):
        series = TiltSeries(tsId=name)
        series.setSamplingRate(scene.pixel)
        series.setAcquisition(_acquisition(scene, voltage, scene.axis))
        tilt_series.append(series)
        ctf_series = CTFTomoSeries(tsId=name)
        ctf_series.setTiltSeries(series)
        ctfs.append(ctf_series)
        order = images['rlnMicrographPreExposure'].rank().astype(int)
        for number, row in images.iterrows():
            series.append(_tilt_image(scene, name, number, int(order[number]), row, voltage))
            ctf_series.append(_ctf(scene, number, int(order[number]), row))
        tilt_series.update(series)
        ctfs.update(ctf_series)
    for items in (tilt_series, ctfs):
        items.write()
    return tilt_series, ctfs


def _tilt_image(scene: Scene, name: str, number: int, order: int, row: Any, voltage: float) -> TiltImage:
    image = TiltImage(location=(number + 1, name + '.mrc'), tiltAngle=row['rlnTomoYTilt'], acquisitionOrder=order)
    image.setSamplingRate(scene.pixel)
    transform = Transform(np.eye(3) if number in scene.dark else aligning_matrix(
        row['rlnTomoZRot'], row['rlnTomoXShiftAngst'], row['rlnTomoYShiftAngst'], scene.pixel))
    if scene.x_tilt or scene.x_tilt_spread:
        setattr(transform, X_TILT, Float(row['rlnTomoXTilt']))
    image.setTransform(transform)
    acquisition = _acquisition(scene, voltage, row['rlnTomoZRot'])
    acquisition.setDoseInitial(row['rlnMicrographPreExposure'])
    acquisition.setDosePerFrame(scene.dose)
    acquisition.setAccumDose(row['rlnMicrographPreExposure'] + scene.dose)
    image.setAcquisition(acquisition)
    image.setEnabled(number not in scene.dark + scene.excluded)
    return image


def _ctf(scene: Scene, number: int, order: int, row: Any) -> CTFTomo:
    ctf = CTFTomo(index=number + 1, acqOrder=order)
    ctf.setStandardDefocus(row['rlnDefocusU'], row['rlnDefocusV'], row['rlnDefocusAngle'])
    ctf.setPhaseShift(row['rlnPhaseShift'])
    ctf.setEnabled(number not in scene.without_ctf)
    return ctf


def make_tomograms(truth: Truth) -> SetOfTomograms:
    """A tomogram per tilt series, of the aligned images' size; empty, since its voxels do not matter here."""
    scene = truth.scene
    width, height = scene.image
    if abs(np.sin(np.radians(scene.axis))) > 0.707:
        width, height = height, width
    voxel = scene.pixel * scene.binning
    size = [int(round(n / scene.binning)) for n in (width, height, THICKNESS)]
    size = [n + (n % 2 != scene.odd_volume) for n in size]
    tomograms = SetOfTomograms(filename='tomograms.sqlite')
    tomograms.setSamplingRate(voxel)
    for name in truth.tilt_series:
        with mrcfile.new_mmap(name + '_rec.mrc', tuple(size[::-1]), mrc_mode=0, overwrite=True) as file:
            file.voxel_size = voxel
        tomogram = Tomogram(tsId=name)
        tomogram.setFileName(name + '_rec.mrc')
        tomogram.setSamplingRate(voxel)
        origin = Transform()
        origin.setShifts(*((shift - n / 2) * voxel for shift, n in zip(scene.origin, size)))
        tomogram.setOrigin(origin)
        tomograms.append(tomogram)
    tomograms.write()
    return tomograms


def make_coordinates(truth: Truth, tomograms: SetOfTomograms, moved: Any = 0.0) -> SetOfCoordinates3D:
    """The particles where a picker would have found them: voxels of the tomograms, with orientations.

    moved: (n, 3) Å that the coordinates lie beside the particles.
    """
    scene = truth.scene
    voxel = scene.pixel * scene.binning
    coordinates_pixel = scene.pixel * (scene.coordinates_binning or scene.binning)
    coordinates = SetOfCoordinates3D(filename='coordinates.sqlite')
    coordinates.setSamplingRate(coordinates_pixel)
    coordinates.setBoxSize(20)
    coordinates.setPrecedents(tomograms)
    volumes = {tomogram.getTsId(): tomogram.clone() for tomogram in tomograms.iterItems()}
    angles = np.radians(geometry.matrix_to_euler(truth.A))
    for name, position, angle in zip(truth.particles['rlnTomoName'], truth.positions + moved, angles):
        volume = volumes[name]
        index = (position / voxel - scene.origin) + np.array(volume.getDim()) / 2
        coordinate = Coordinate3D()
        coordinate.setVolume(volume)
        coordinate.setPosition(*index, BOTTOM_LEFT_CORNER)
        coordinate.scale(voxel / coordinates_pixel)
        coordinate.setMatrix(euler_matrix(*angle, axes='rzyz'))
        coordinates.append(coordinate)
    coordinates.write()
    return coordinates


def make_subtomograms(truth: Truth, tomograms: SetOfTomograms) -> SetOfSubTomograms:
    """Aligned subtomograms of another plugin: the picks are off, and the transforms say by how much.

    The matrix is that of scipion-em-reliontomo: the inverse of [A | -origin].
    """
    scene = truth.scene
    shifts = np.random.default_rng(5).uniform(-2.5, 2.5, truth.positions.shape) * scene.pixel
    coordinates = make_coordinates(truth, tomograms, shifts)
    subtomograms = SetOfSubTomograms(filename='subtomograms.sqlite')
    subtomograms.setSamplingRate(scene.pixel)
    subtomograms.setCoordinates3D(coordinates)
    angles = np.radians(geometry.matrix_to_euler(truth.A))
    for coordinate, (rot, tilt, psi), shift in zip(coordinates.iterItems(), angles, shifts):
        item = SubTomogram()
        item.setFileName('none.mrc')
        item.setSamplingRate(scene.pixel)
        matrix = euler_matrix(-rot, -tilt, -psi, axes='szyz')
        matrix[:3, 3] = -shift / scene.pixel
        item.setTransform(Transform(np.linalg.inv(matrix)))
        item.setCoordinate3D(coordinate.clone())
        subtomograms.append(item)
    subtomograms.write()
    return subtomograms
