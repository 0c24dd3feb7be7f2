"""What operators do from the command line; each file says what for. Services don't know it.

A command's file is called like it, as `resume.py` for `presswork resume`. The calls of the API that do the same are
`services/ingest/api/ops*.py`; what both share is in `services/ingest` (`dead_letters`, `all_uploads`, ...).
"""
