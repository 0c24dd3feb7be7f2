"""What operators do from the command line; each file says what for. Services don't know it.

A command's file is called like it, as `resume.py` for `presswork resume`; what belongs to a group of commands begins
with the group's name, as `dead_replay.py` for `presswork dead replay`. The calls of the API that do the same are
`services/ingest/api/ops*.py`; what both share is in `services/ingest` (`dead_letters`, `all_uploads`, ...).
What the commands need, by what it is about:

every command    place (which system it works on), settings, uploads (which upload is meant), showing
presswork dead   dead_filters (which letters), dead_changing, dead_replay, dead_direct (without the database),
                 dead_lines (letters as they are printed), obstacles (does the broker take what is replayed?)
the broker       queues and policies (what must be there), broker and management (what is there), survey (the two
                 compared), applying (made the same), inspection (compared before a service consumes)
the NAS          nas_identity (is it the one that it was?), nas_scan, strays (designs without an upload)
the blob store   spent (which blobs nobody needs any more)
mockups          mockup_names (which group is meant), mockup_importing, _previewing, _print_sizes, _origins
"""
