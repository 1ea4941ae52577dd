"""The form of Import RELION results."""
from pyworkflow.protocol import params

FILES = 'STAR file or job folder'
#: parameter, RELION's column, label and help of what the files may lack
OPTICS = (
    ('pixelSize', 'rlnTomoTiltSeriesPixelSize', 'Pixel size (Å)', 'Of the unbinned tilt images.'),
    ('voltage', 'rlnVoltage', 'Voltage (kV)', 'Acceleration voltage.'),
    ('sphericalAberration', 'rlnSphericalAberration', 'Spherical aberration (mm)', 'Cs of the microscope.'),
    ('amplitudeContrast', 'rlnAmplitudeContrast', 'Amplitude contrast', 'As a fraction, 0.07 to 0.1.'))


def defineImportRelion(form):
    """Add all parameters to a form."""
    form.addSection(label='Import')
    form.addParam('filesPath', params.PathParam, important=True, label=FILES,
                  help='The folder of a RELION job, such as /data/project/Refine3D/job034, or one STAR file: '
                       'particles.star, run_data.star, tomograms.star, optimisation_set.star. Of a job with iterations the '
                       'last one is taken; for another one give its run_itNNN_data.star or run_itNNN_optimisation_set.star.')
    group = form.addGroup('Import')
    for name, label, text in (
            ('importParticles', 'Particles or picks?', 'With poses, classes, half sets and all other columns.'),
            ('importSeries', 'Tilt series and CTFs?', 'With the alignment as it is in RELION now.'),
            ('importTomograms', 'Tomograms?', 'Reconstructed ones that tomograms.star names.'),
            ('importMaps', 'Maps, classes, mask and FSC?', 'Those that the job made or was given.')):
        group.addParam(name, params.BooleanParam, default=True, label=label, help=text)
    group = form.addGroup('What the files do not tell')
    for name, _, label, text in OPTICS:
        group.addParam(name, params.FloatParam, allowsNull=True, default=None, label=label,
                       help='%s Only for STAR files that lack it; empty: as the files say.' % text)
    _defineAdvanced(form)


def _defineAdvanced(form):
    form.addParam('projectFolder', params.PathParam, allowsNull=True, expertLevel=params.LEVEL_ADVANCED,
                  label="RELION's project folder",
                  help='The folder that RELION was started in: paths in its files count from there. Empty: found from the '
                       'files.')
    form.addParam('tomogramsFile', params.PathParam, allowsNull=True, expertLevel=params.LEVEL_ADVANCED,
                  label='Tomograms (tomograms.star)',
                  help='For particles or picks whose tomograms.star is not known or gone; or to take another one.')
    form.addParam('tomogramPixel', params.FloatParam, allowsNull=True, default=None, expertLevel=params.LEVEL_ADVANCED,
                  label='Pixel size of the tomograms (Å)',
                  help='For picks in tomograms whose pixel size the files do not tell.')
    form.addParam('tomogramSize', params.StringParam, default='', expertLevel=params.LEVEL_ADVANCED,
                  label='Size of the tomograms (voxels)',
                  help='X Y Z, for example 960 928 464: for picks without any tomograms.star, with their pixel size.')
    form.addParam('boxSize', params.FloatParam, default=200, expertLevel=params.LEVEL_ADVANCED,
                  label='Particle size (Å)', help='Only for showing picks as boxes in viewers.')
