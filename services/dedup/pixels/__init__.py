"""What two canonical pictures are to each other by their pixels: the second look's figures and limits. All pure.

Read likeness first: where the line lies between a copy, a variant and another design. What it asks, in this order:
aligning (the one laid on the other), tones (light that a copy may have lost), differences (what still sets them apart,
in a few figures), and close_up, where what seems a copy from afar may prove to be none. Below them: picture (a
canonical picture, and the ways to see it), background (the ground that it is laid on, and where it stands out from it).
"""
