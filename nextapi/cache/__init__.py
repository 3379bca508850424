"""Pages that are kept for everybody, and made anew: a shared HTTP cache (RFC 9111, RFC 5861) before a WSGI app."""
