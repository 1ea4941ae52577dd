"""Names that more than one room of the plugin needs to agree on."""

#: Attribute of a SetOfCTFTomoSeries and of its CTFTomoSeries that remembers rlnTomoHand, the side of the tilted specimen
#: that is more out of focus.
DEFOCUS_HAND = '_defocusHand'

#: Attribute of a tilt image's Transform that holds rlnTomoXTilt (degrees). It lies there, and not in the image, so that it
#: goes wherever the alignment is copied, and is gone where another program puts an alignment of its own in its place.
X_TILT = '_xTilt'

#: Attribute of a TiltSeries and of a CTFTomoSeries with the columns of RELION's tilt-series table that Scipion has no place
#: for, by order of acquisition. It lies there, and not in each image, because Scipion's own subsets copy only known
#: attributes of images and their CTFs. Columns of the CTF are with the CTFs, so that they go where new ones are estimated.
RELION_COLUMNS = '_relionColumns'

#: Attribute of a TiltSeries with the columns of its row of tomograms.star that Scipion has no place for.
RELION_TOMOGRAM = '_relionTomogram'

#: Attribute of a tilt image's Transform with RELION's deformation of that image; see X_TILT.
DEFORMATION = '_deformation'
