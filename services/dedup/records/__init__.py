"""The rows of dedup, but for the short hashes; each function is called inside a transaction that others began.

Of our uploads: verdicts (what was decided, and because of what) and claims (the row that later copies find). Of people:
judged_pairs (keep this near duplicate, or skip it). Of what was there without us: scanned_files (what a scan of the NAS
found, or missed) and old_designs (those of the old system, which take over what a scan finds at their paths).
"""
