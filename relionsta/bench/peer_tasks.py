"""The same conversions by scipion-em-reliontomo, timed in its own environment: python peer_tasks.py TASK FOLDER ...

Imports nothing of relionsta, which is not installed there. Prints what tasks.py prints.
"""
import argparse
import json
import os
import resource
import time


def new(set_class, path):
    if os.path.exists(path):
        os.remove(path)
    return set_class(filename=path)


def make_tomograms(folder, pixel):
    """The tomograms that the optimisation set names, with their blank volumes."""
    from emtable import Table
    from tomo.objects import SetOfTomograms, Tomogram
    optimisation = Table(fileName=os.path.join(folder, 'optimisation_set.star'))[0]
    tomograms = new(SetOfTomograms, os.path.join(folder, 'peer_tomograms.sqlite'))
    tomograms.setSamplingRate(pixel)
    for row in Table(fileName=optimisation.rlnTomoTomogramsFile, tableName='global'):
        tomogram = Tomogram(tsId=row.rlnTomoName)
        tomogram.setSamplingRate(pixel)
        tomogram.setFileName(os.path.join(os.path.dirname(optimisation.rlnTomoTomogramsFile), 'aretomo3',
                                          row.rlnTomoName + '_Vol.mrc'))
        tomogram.setOrigin()
        tomograms.append(tomogram)
    tomograms.write()
    return tomograms


def make_coordinates(folder, n, pixel):
    """A coordinate for every particle: the peer's reader takes them side by side with the rows."""
    from tomo.objects import Coordinate3D, SetOfCoordinates3D
    path = os.path.join(folder, 'peer_coordinates.sqlite')
    tomograms = make_tomograms(folder, pixel)
    if not os.path.exists(path):
        coordinates = new(SetOfCoordinates3D, path + '.part')
        coordinates.setSamplingRate(pixel)
        coordinates.setPrecedents(tomograms)
        for number in range(n):
            coordinate = Coordinate3D()
            coordinate._x.set(number % 100)
            coordinate._y.set(number % 90)
            coordinate._z.set(number % 30)
            coordinate.setTomoId('TS_01')
            coordinates.append(coordinate)
        coordinates.write()
        coordinates.close()
        os.replace(path + '.part', path)
    coordinates = SetOfCoordinates3D(filename=path)
    coordinates.loadAllProperties()
    coordinates.setPrecedents(tomograms)
    return coordinates


def new_particles(folder, path, args):
    from reliontomo.objects import RelionSetOfPseudoSubtomograms
    from tomo.objects import TomoAcquisition
    particles = new(RelionSetOfPseudoSubtomograms, path)
    particles.setAcquisition(TomoAcquisition(voltage=300.0, sphericalAberration=2.7, amplitudeContrast=0.1))
    particles.filesMaster = os.path.join(folder, 'optimisation_set.star')
    particles.setSamplingRate(args.pixel)
    particles.setCoordinates3D(make_coordinates(folder, args.n, args.pixel))
    return particles


def star_to_set(folder, path, args):
    """Timed from opening the STAR file to writing the set."""
    from reliontomo.convert import readSetOfPseudoSubtomograms
    particles = new_particles(folder, path, args)
    start = time.perf_counter()
    readSetOfPseudoSubtomograms(particles, isRelion5=True)
    particles.write()
    return time.perf_counter() - start, particles.getSize()


def set_to_star(folder, path, args):
    """Timed from the open set to the written STAR file."""
    from reliontomo.convert import convert50_tomo
    from reliontomo.objects import RelionSetOfPseudoSubtomograms
    if not os.path.exists(path):
        star_to_set(folder, path, args)
    particles = RelionSetOfPseudoSubtomograms(filename=path)
    particles.loadAllProperties()
    particles.setCoordinates3D(make_coordinates(folder, args.n, args.pixel))
    target = os.path.join(folder, 'peer')
    os.makedirs(target, exist_ok=True)
    start = time.perf_counter()
    convert50_tomo.Writer().pseudoSubtomograms2Star(particles, target, are2dParticles=True)
    return time.perf_counter() - start, particles.getSize()


TASKS = {'star_to_set': star_to_set, 'set_to_star': set_to_star}


def main():
    """Run the task that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('task', choices=sorted(TASKS))
    parser.add_argument('folder')
    parser.add_argument('-n', type=int, required=True, help='number of particles')
    parser.add_argument('--pixel', type=float, required=True, help='pixel size of the particles, Angstrom')
    args = parser.parse_args()
    folder = os.path.abspath(args.folder)
    seconds, n = TASKS[args.task](folder, os.path.join(folder, 'peer_%s.sqlite' % args.task), args)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({'seconds': seconds, 'n': n, 'rss_mb': rss}))


if __name__ == '__main__':
    main()
