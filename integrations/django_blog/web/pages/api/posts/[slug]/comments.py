from blog.api import CommentData, allow, checked, comment_data, fields, find_post, reader
from blog.forms import CommentForm
from blog.models import Comment
from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse[list[CommentData] | CommentData]) -> None:
    allow(req, "GET", "HEAD", "POST")
    post = find_post(req)
    if req.method == "POST":
        author = reader(req)
        comment = checked(CommentForm(fields(req.body)))
        comment.post, comment.author = post, author
        comment.save()
        res.status(201).json(comment_data(comment))
    else:
        comments = Comment.objects.filter(post=post).select_related("author")
        res.json([comment_data(comment) for comment in comments])
