from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from blog.api import allow, fields
from blog.models import Comment, Post
from nextapi import HTTPError, NextApiRequest, NextApiResponse, PageConfig

# Other sites are meant to send this form. Django's own check still protects who is logged in here.
config: PageConfig = {"api": {"sameOrigin": False}}


def handler(req: NextApiRequest, res: NextApiResponse[None]) -> None:
    allow(req, "POST")
    form = fields(req.body)
    slug = urlsplit(str(form.get("target", ""))).path.removeprefix("/posts/").strip("/")
    post = Post.objects.filter(is_published=True, slug=slug).first()
    if post is None:
        raise HTTPError(400, "target is no post of this blog")
    # A comment of a reader's has no source. This one has to have one.
    comment = Comment(post=post, source=form.get("source") or "none", text="mentions this post")
    try:
        comment.full_clean()
    except ValidationError as error:
        raise HTTPError(400, "source is no URL") from error
    comment.save()
    res.status(202).end()
