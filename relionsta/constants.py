"""Names that more than one room of the plugin needs to agree on."""

#: Attribute of a CTFTomoSeries that remembers rlnTomoHand, the side of the tilted specimen that is more out of focus.
DEFOCUS_HAND = '_defocusHand'
