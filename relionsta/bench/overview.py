"""A long classification of many particles, and how long its convergence board takes to open."""
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..figures.convergence import convergence_figure
from ..jobs import files
from ..results.follow import Follower

ITERATIONS, CLASSES, PARTICLES = 25, 9, 10 ** 5
FOLDER = 'overview'
_ROW = ('TS_%02d/%d TS_%02d %11.6f %11.6f %11.6f %d 1 Subtomograms/TS_%02d/%d_stack2d.mrcs 100.0 200.0 300.0 [' +
        ','.join('1' * 41) + '] 1e6 0.8 3')
_COLUMNS = ('TomoParticleName', 'TomoName', 'AngleRot', 'AngleTilt', 'AnglePsi', 'ClassNumber', 'OpticsGroup', 'ImageName',
            'CenteredCoordinateXAngst', 'CenteredCoordinateYAngst', 'CenteredCoordinateZAngst', 'TomoVisibleFrames',
            'LogLikeliContribution', 'MaxValueProbDistribution', 'NrOfSignificantSamples')


def write_run(folder: Path) -> Path:
    """A job folder of that size as RELION leaves it, made once; every iteration has the same particles."""
    from ..tests.unit.relion_job_folder import data_star, loop_block, write_iteration
    job = folder / FOLDER
    done = job / 'whole'
    if done.exists():
        return job
    numbers = np.random.default_rng(0)
    angles, classes = numbers.uniform(-180, 180, (PARTICLES, 3)), numbers.integers(1, CLASSES + 1, PARTICLES)
    head = data_star().split('\n# version 50001\n\ndata_particles')[0]
    rows = [(_ROW % (n // 2000, n, n // 2000, *angles[n], classes[n], n // 2000, n),) for n in range(PARTICLES)]
    text = head + loop_block('particles', _COLUMNS, rows)
    for iteration in range(ITERATIONS + 1):
        write_iteration(job, files.CLASS3D, iteration, CLASSES)
        (job / files.iteration_files(files.CLASS3D, files.RUN, iteration, nr_classes=CLASSES)['data']).write_text(text)
    done.touch()
    return job


def open_board(job: Path) -> int:
    """What Analyze Results does until the board is on the screen, but for the screen; returns the iterations shown."""
    follower = Follower(os.fspath(job), files.CLASS3D)
    follower.changed()
    figure: Any = convergence_figure(follower.course(), title='Convergence')
    figure.savefig(os.devnull, format='png')
    return len([number for number in follower.iterations if number])
