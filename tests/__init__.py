"""Folders with this file are packages to pytest: what a fixture shares in one ends with its last test."""
