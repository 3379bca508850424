from typing import TypedDict

from blog.api import has_secret
from nextapi import NextApiError, NextApiRequest, NextApiResponse


class Done(TypedDict):
    revalidated: bool


class Refused(TypedDict):
    message: str


def handler(req: NextApiRequest, res: NextApiResponse[Done | Refused]) -> None:
    """Make the page of a path anew: for who writes to the database without Django, and has the secret."""
    if not has_secret(req):
        res.status(401).json({"message": "Invalid token"})
        return
    try:
        res.revalidate(req.search_params.get("path", ""))
    except NextApiError:
        # Readers go on seeing the last page that could be made.
        res.status(500).send("Error revalidating")
    else:
        res.json({"revalidated": True})
