"""The form of Subset selection."""
from pyworkflow.protocol import params

from ..convert.coordinates import SCORE

LAST = -1
METHODS = ['class numbers', 'criteria', 'nothing (all classes)']
NUMBERS, CRITERIA, ALL = range(3)
#: (parameters, RELION's column, label, the same in a word, help)
VALUES = (
    ('score', SCORE, 'Score of the pick', 'score',
     'Figure of merit that template matching gave, or that the picks brought.'),
    ('pmax', 'rlnMaxValueProbDistribution', 'Pmax', 'Pmax',
     'Share of the most probable pose and class among all that RELION tried, 0 to 1. 1 is certain; without alignment it '
     'says how certain the class is.'),
    ('likelihood', 'rlnLogLikeliContribution', 'Log-likelihood', 'log-likelihood',
     'How well the particle fits its class, up to a constant: compare particles of one run only.'),
    ('samples', 'rlnNrOfSignificantSamples', 'Number of significant samples', 'number',
     'How many poses and classes were about as good as the best. Few are good.'),
)


def addClassOptions(form):
    """How classes are chosen: by number, by limits, or all."""
    section = form.addSection(label='Class options')
    section.addParam('selectBy', params.EnumParam, choices=METHODS, default=NUMBERS, label='Choose classes by',
                     display=params.EnumParam.DISPLAY_COMBO,
                     help='class numbers: those that you saw to be good. criteria: all classes within limits. '
                          'nothing: all classes, to choose particles by their values only, or where the input is a '
                          'subset of classes already.')
    section.addParam('classNumbers', params.StringParam, default='', condition='selectBy == %d' % NUMBERS,
                     label='Classes to keep',
                     help='For example 2 or 1,3-5. The wand lists the classes with size and resolution.')
    for name, label, text in (
            ('maxResolution', 'Resolution, Å or better',
             'Classes of false positives stay at a low resolution. A little more than the resolution of the best '
             'class is usual.'),
            ('minShare', 'Share of the particles, % or more', '5 to 20 % leaves out the small classes of junk.'),
            ('maxRotations', 'Accuracy of rotations, degrees or better',
             "RELION's estimate of how well particles of this class can be turned into place. 2 to 6 degrees is "
             'usual; classes of noise have more.'),
            ('maxTranslations', 'Accuracy of translations, Å or better', 'The same for shifts.')):
        section.addParam(name, params.FloatParam, default=None, allowsNull=True, label=label,
                         condition='selectBy == %d' % CRITERIA, help=text + ' Empty: no limit.')


def addValues(form):
    """Ranges of the particles' own values."""
    section = form.addSection(label='Particles')
    for name, column, label, word, text in VALUES:
        line = section.addLine(label, help=text)
        # Scipion's messages name a field by its label, so no two may have the same.
        for end, which in (('From', 'Lowest'), ('To', 'Highest')):
            line.addParam(name + end, params.FloatParam, default=None, allowsNull=True, label='%s %s' % (which, word),
                          help='%s (%s) Empty: no limit.' % (text, column))
