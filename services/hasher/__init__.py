"""Listens to BatchSubmitted. Emits ImageHashed, ImageRejected. Owns nothing."""
