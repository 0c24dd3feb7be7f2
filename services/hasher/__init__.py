"""Listens to BatchSubmitted, PictureFound.

Emits ImageHashed, ImageRejected, ImageFailed, PictureHashed. Owns nothing.
"""
