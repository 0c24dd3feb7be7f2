"""What two canonical pictures are to each other by their pixels: the second look's figures and limits. All pure.

Read likeness first: where the line lies between a copy, a variant and another design. What it asks, in this order:
aligning (the one laid on the other), differences (what still sets them apart, in a few figures), and both once more
close up, where what seems a copy may be none. Below them: picture (a canonical picture, and the ways to see it),
background (the ground that it is laid on, and where it stands out from it).
"""
