"""Motion of particles: RELION must project each where its trajectory says."""
import dataclasses

import numpy as np

from relionsta.geometry import project, tilt_series_projections, voxel_from_centered
from relionsta.simulate.motion import motion
from relionsta.simulate.parameters import SceneParameters
from relionsta.simulate.project import alignment_columns, project_series
from relionsta.simulate.scene import COORDINATES, PARTICLE, make_scene
from relionsta.tests.find import relion_home

MOVING = SceneParameters(series=1, particles=2, tilts=9, tilt_step=10.0, image_size=(320, 288), thickness=64, spacing=450.0,
                         motion=1.2, motion_length=10.0)
NAME, WINDOW = 'TS_01', 40


def test_particles_are_projected_where_they_have_moved(tmp_path):
    """A trajectory that RELION passed over, or took with another sign or in another order of the images, would put other
    errors into the images than the truth has."""
    images = {}
    for label, parameters in (('moving', MOVING), ('still', dataclasses.replace(MOVING, motion=0.0))):
        (tmp_path / label).mkdir()
        images[label] = project_series(make_scene(parameters), NAME, relion_home() / 'bin', tmp_path / label)[PARTICLE]
    scene = make_scene(MOVING)
    table = alignment_columns(scene.tilt_series[NAME], 'stack.mrc', MOVING.pixel)
    views = tilt_series_projections(table, MOVING.pixel, MOVING.image_size, MOVING.tomogram_size)
    places = project(views, voxel_from_centered(scene.particles[COORDINATES], MOVING.tomogram_size, MOVING.pixel))
    wanted = np.einsum('tij,ptj->tpi', views[:, :2, :3], motion(scene, NAME)) / MOVING.pixel
    assert np.abs(wanted).max() > 2
    found = np.array([[_shift(images['still'][image], images['moving'][image], place[:2]) for place in places[image]]
                      for image in range(len(table))])
    np.testing.assert_allclose(found, wanted, atol=0.2)


def _shift(before, after, place):
    """By how many pixels (x, y) the density around `place` moves from one image to the other."""
    x, y = (slice(int(round(middle)) - WINDOW, int(round(middle)) + WINDOW) for middle in place)
    one, other = (np.fft.fft2(image[y, x]) for image in (before, after))
    peaks = np.fft.fftshift(np.fft.ifft2(other * one.conj()).real)
    row, column = np.unravel_index(np.argmax(peaks), peaks.shape)
    return [column - peaks.shape[1] // 2 + _vertex(peaks[row, column - 1:column + 2]),
            row - peaks.shape[0] // 2 + _vertex(peaks[row - 1:row + 2, column])]


def _vertex(values):
    """Where the parabola through three values at -1, 0, 1 is highest."""
    low, middle, high = values
    return (low - high) / (2 * (low - 2 * middle + high))
