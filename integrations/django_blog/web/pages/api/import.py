from typing import TypedDict

from blog.api import allow, checked, editor, fields
from blog.forms import PostForm
from nextapi import HTTPError, NextApiRequest, NextApiResponse


class Imported(TypedDict):
    imported: int


def handler(req: NextApiRequest, res: NextApiResponse[Imported]) -> None:
    allow(req, "POST")
    author = editor(req)
    if not isinstance(req.body, list):
        raise HTTPError(422, "Send a list of posts")
    for data in req.body:
        # A wrong one is a 422, and ATOMIC_REQUESTS takes back those before it.
        post = checked(PostForm(fields(data)))
        post.author = author
        post.save()
    res.status(201).json({"imported": len(req.body)})
