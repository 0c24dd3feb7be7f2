"""What users send: uploads, and the requests to list the designs that came of them.

An upload: admission (is there room?), then submitting (rows and first messages, once). Listings: listing_requests (each
once per design and mockup group), left_unlisted (designs of earlier uploads that are listed along with these),
print_files (brought back from the NAS when mockups need them), print_check (whether the NAS still has what is to be
sold), grace_period (ends the sessions for which nobody asks).
"""
