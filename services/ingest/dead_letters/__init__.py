"""Dead letters: kept, found, looked at, mended and replayed; for the operators' commands and their calls of the API.

Their tables are `services/ingest/dead_letter_tables.py`, which sessions may know, too. What is in it:

letters, fingerprint   a letter as a row, from its headers and body; what makes two failures the same
archive                takes letters in, and lets the files that they were about fail, in words
finding, exporting     which letters, by filters and in groups; all that is known of them, for a file
auditing               who did what with which letters, and what came of it
replaying, editing     one letter is sent again, or an edited copy of it
outcomes               how that ended, read from the rows
steps, jobs            letters one after the other, with a canary; a replay from its order to its end
shelving, purging      put aside and taken back; deleted
measuring              figures for Prometheus

To follow one letter, read `archive.on_dead_letter`, `replaying.Replays` and `outcomes.settle`.
"""
