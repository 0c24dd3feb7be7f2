"""Product photographs that were never taken: each scene is drawn by code, the same for the same seed."""
