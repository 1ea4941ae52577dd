"""Names that more than one room of the plugin needs to agree on."""

#: Attribute of a SetOfCTFTomoSeries and of its CTFTomoSeries that remembers rlnTomoHand, the side of the tilted specimen
#: that is more out of focus.
DEFOCUS_HAND = '_defocusHand'

#: Attribute of a tilt image's Transform that holds rlnTomoXTilt (degrees). It lies there, and not in the image, so that it
#: goes wherever the alignment is copied, and is gone where another program puts an alignment of its own in its place.
X_TILT = '_xTilt'

#: Attribute of a CTFTomoSeries with rlnCtfScalefactor of its images, by order of acquisition. It lies there, and not in the
#: CTF of each image, because Scipion's own subsets copy only known attributes of those.
CTF_SCALE = '_ctfScale'

#: Attribute of a tilt image's Transform with RELION's deformation of that image; see X_TILT.
DEFORMATION = '_deformation'
