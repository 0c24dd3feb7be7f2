"""Listens to BatchSubmitted, PictureFound. Emits ImageHashed, ImageRejected, PictureHashed. Owns nothing."""
