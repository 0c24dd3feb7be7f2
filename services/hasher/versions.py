"""What results are named after: something here changes when the same file would give another result."""

ALGORITHM = "canonical512-grey128/phash16+dhash16/1"
GREY_ART_ALGORITHM = "canonical512-white255/phash16+dhash16/1"
"""For art as light as the grey it is laid on, which would vanish there; it is compared with its like only."""

CANONICAL = "rgba256/5"
"""Of the kept picture, which dedup looks at (`services/dedup/pixels/picture.py`), and of the size of its artwork.

3: it tells its proportions, for whoever reviews it.
4: it holds the same picture at twice its size.
5: large pictures are halved before they are reduced. Hashes still compare with those from before, so their names stay:
most are the same to the bit. Those of symmetric art hang on rounding, and pixels tell such copies."""

PRINT = "print/2"
"""Changes when the same picture and print spec would give other pixels."""
