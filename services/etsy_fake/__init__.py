"""A stand-in for Etsy's Open API v3: it keeps state and can be made to fail. For newcomers and tests, no service."""
