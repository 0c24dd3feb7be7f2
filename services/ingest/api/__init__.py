"""What ingest says over HTTP: one module per group of calls, thin around the stores."""
