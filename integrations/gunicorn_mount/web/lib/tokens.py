from nextapi import HTTPError, NextApiRequest


def token_of(req: NextApiRequest) -> str:
    """Return the bearer token of a request; answer 401 where there is none."""
    scheme, _, token = req.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HTTPError(401, "Send a bearer token", {"WWW-Authenticate": "Bearer"})
    return token
