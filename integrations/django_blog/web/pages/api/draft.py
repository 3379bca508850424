from blog.api import allow, editor, has_secret
from blog.models import Post
from nextapi import HTTPError, NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse[None]) -> None:
    """Show a post, published or not, to the staff, and to who has the secret: from here on in draft mode."""
    allow(req, "GET")
    if not has_secret(req):
        editor(req)
    post = Post.objects.filter(slug=req.search_params.get("slug", "")).first()
    if post is None:
        raise HTTPError(404, "There is no such post")
    # The path is the post's own, not one of the query: that could lead to another site.
    res.set_draft_mode().redirect(post.get_absolute_url())
