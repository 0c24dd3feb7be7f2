"""What operators do from the command line; each file says what for. Services don't know it.

A command's file is called like it, as `resume.py` for `presswork resume`. The calls of the API that do the same are
`services/ingest/api/ops*.py`; what both share is in `services/ingest` (`dead_letters`, `all_uploads`, ...).
What the commands need, by what it is about:

every command    place (which system it works on), settings, uploads (which upload is meant), showing
presswork dead   filters (which letters), changing, replay, direct (without the database), obstacles (does the broker
                 take it?), dead_lines (letters as they are printed)
the broker       queues and policies (what must be there), broker and management (what is there), survey (the two
                 compared), applying (made the same), inspection (compared before a service consumes)
the NAS          stranger (is it another one than before?), nas_scan, strays (designs without an upload)
the blob store   spent (which blobs nobody needs any more)
mockups          mockup_names, importing, previewing, print_sizes, origins
"""
