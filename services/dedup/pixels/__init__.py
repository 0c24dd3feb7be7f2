"""What two canonical pictures are to each other by their pixels: the second look's figures and limits. All pure.

Read likeness first: where the line lies between a copy, a variant and another design. What it does, in this order:

aligning      lays the other picture on the one: by those views of both that fit best
tones         brings the other's light and colour to the one's, as far as a copy may have lost its own
differences   tells what still sets them apart, in a few figures, which likeness holds against its limits
              (all three once more with the one laid on the other, where that side may tell something else)
close_up      looks at what is a copy so far at twice the size, where it may prove to be none
profile       what is in other colours so far: all of it once more, as if one had lost its colour profile

Below them: picture (a canonical picture, and the views of it), background (the ground that it is laid on, and where it
stands out from that), planes (its colours one by one). The words: a view is a picture on one ground, cut to one box; an
alignment is two views and the warp between them; a pair is two pictures so laid; a comparison is all that is known of
two from one side.
"""
