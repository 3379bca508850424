from django.forms import model_to_dict

from blog.api import PostData, allow, checked, editor, fields, find_post, post_data
from blog.forms import PostForm
from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse[PostData]) -> None:
    allow(req, "GET", "HEAD", "PATCH", "DELETE")
    if req.method in ("PATCH", "DELETE"):
        editor(req)
    post = find_post(req)
    if req.method == "DELETE":
        post.delete()
        res.status(204).end()
        return
    if req.method == "PATCH":
        known = model_to_dict(post, fields=list(PostForm.base_fields))
        post = checked(PostForm({**known, **fields(req.body)}, instance=post))
        post.save()
    res.json(post_data(post))
