from typing import TypedDict

from django.core.paginator import Paginator
from django.urls import reverse

from blog.api import PostData, allow, checked, editor, fields, post_data, read_number, readable_posts
from blog.forms import PostForm
from nextapi import NextApiRequest, NextApiResponse


class PostPage(TypedDict):
    posts: list[PostData]
    page: int
    pages: int


def handler(req: NextApiRequest, res: NextApiResponse[PostPage | PostData]) -> None:
    allow(req, "GET", "HEAD", "POST")
    if req.method == "POST":
        author = editor(req)
        post = checked(PostForm(fields(req.body)))
        post.author = author
        post.save()
        res.set_header("Location", reverse("nextapi:posts/[slug]", kwargs={"slug": post.slug}))
        res.status(201).json(post_data(post))
    else:
        pages = Paginator(readable_posts(req), read_number(req, "per_page", 10, most=100))
        number = read_number(req, "page", 1, most=10**6)
        # Beyond the last page there is nothing, which is no error: posts may have gone since the client counted.
        posts = pages.page(number) if number <= pages.num_pages else []
        res.json({"posts": [post_data(post) for post in posts], "page": number, "pages": pages.num_pages})
