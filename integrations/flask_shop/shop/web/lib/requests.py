from nextapi import HTTPError, NextApiRequest
from shop.accounts import get_user


def user_id() -> int:
    """Return the id of who is logged in; answer 401 to anybody else."""
    user = get_user()
    if user is None:
        raise HTTPError(401, "Log in first")
    number: int = user["id"]
    return number


def read_id(text: str) -> int:
    """Return an id of the path as a number; answer 404 to what is none."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise HTTPError(404, "There is nothing with this id")
    return int(text)


def allow(req: NextApiRequest, *methods: str) -> None:
    """Answer 405 to a method that is none of these."""
    if req.method not in methods:
        raise HTTPError(405, "Method Not Allowed", {"Allow": ", ".join(methods)})
