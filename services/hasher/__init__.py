"""Listens to BatchSubmitted, PictureFound.

Emits ImageHashed, ImageRejected, ImageFailed, PictureHashed. Owns nothing.

What is in it, from the top down; all but the first line runs in a child process (`services/decoding`):

handlers, results   a batch in, an answer for each file out; what was made before (made: what that is)
making, preparing   a file of the blob store into a print and hashes; the same from bytes to bytes
decoding            bytes into pixels: sniffing (what it is), pixels (fast codecs), colour and, in `services/decoding`,
                    png_colours (into sRGB), limits
hashing, page       the canonical picture and its hashes; art that lies on an opaque page
printing, png       the picture laid out at print size; its file
raster, shrinking   what all of these do with pixels
rejection           the ways to say no; versions: what results are named after
"""
