"""What ingest says over HTTP: one module per group of calls, thin around the stores. `app.py` names them.

The other modules are what calls share:

resources, identity, errors         what they work with; who calls; errors as clients know them
bodies, receiving, filenames        how much a request may send; files read as they arrive; what these are called
upload_forms, choosing              the fields beside the files; what they name, looked up in the catalog
turns, nas_reading                  how many calls of one account, or of one shop's NAS, are at work at a time
slow, streams                       answers that take long, and those that go on while a session does
thumbnails                          small pictures in a design's own proportions
"""
