"""A broker and a database on this machine: named ones, ones that run already, or private ones that end with us."""
