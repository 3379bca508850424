"""What the API routes share: who may ask, what is asked for, and how it is shown."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any, TypedDict, TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.forms import ModelForm

from blog.models import Comment, Post
from blog.views import published_posts
from nextapi import HTTPError, NextApiRequest

M = TypeVar("M", bound=Model)


class PostData(TypedDict):
    """A post."""

    title: str
    slug: str
    text: str
    author: str
    is_published: bool
    created: datetime


class CommentData(TypedDict):
    """A comment; that of another site has a source, and no author."""

    author: str | None
    source: str
    text: str


def post_data(post: Post) -> PostData:
    """Return a post as it is shown."""
    return {
        "title": post.title,
        "slug": post.slug,
        "text": post.text,
        "author": post.author.get_username(),
        "is_published": post.is_published,
        "created": post.created,
    }


def comment_data(comment: Comment) -> CommentData:
    """Return a comment as it is shown."""
    author = comment.author.get_username() if comment.author else None
    return {"author": author, "source": comment.source, "text": comment.text}


def allow(req: NextApiRequest, *methods: str) -> None:
    """Answer 405 to a method that is none of these."""
    if req.method not in methods:
        raise HTTPError(405, "Method Not Allowed", {"Allow": ", ".join(methods)})


def reader(req: NextApiRequest) -> User:
    """Return who has logged in; answer 401 to anybody else."""
    if not isinstance(req.raw.user, User):
        raise HTTPError(401, "Log in first")
    return req.raw.user


def editor(req: NextApiRequest) -> User:
    """Return who has logged in and is staff; answer 401 or 403 to anybody else."""
    user = reader(req)
    if not user.is_staff:
        raise HTTPError(403, "This is for the staff")
    return user


def has_secret(req: NextApiRequest) -> bool:
    """Say whether a program that asks has the secret of the settings; nobody has an empty one."""
    given, secret = req.search_params.get("secret", ""), settings.REVALIDATE_SECRET
    return bool(secret) and hmac.compare_digest(given.encode(), secret.encode())


def readable_posts(req: NextApiRequest) -> QuerySet[Post]:
    """Return the posts that who asks may read: the staff reads drafts, too."""
    user = req.raw.user
    is_staff = isinstance(user, User) and user.is_staff
    return Post.objects.select_related("author") if is_staff else published_posts()


def find_post(req: NextApiRequest) -> Post:
    """Return the post that the path names; answer 404 where there is none that the user may read."""
    post = readable_posts(req).filter(slug=req.params["slug"]).first()
    if post is None:
        raise HTTPError(404, "There is no such post")
    return post


def read_number(req: NextApiRequest, name: str, default: int, most: int) -> int:
    """Return a number of the query, from 1 to `most`; answer 400 to what is none."""
    text = req.search_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise HTTPError(400, f"{name} is a number from 1 to {most}")
    return int(text)


def fields(body: object) -> dict[str, Any]:
    """Return a body that is an object; answer 422 to any other."""
    if not isinstance(body, dict):
        raise HTTPError(422, "Send a JSON object")
    return body


def checked(form: ModelForm[M]) -> M:
    """Return what a form makes of its data, not saved yet; answer 422 with all that is wrong with it."""
    if not form.is_valid():
        wrong = [f"{name}: {' '.join(map(str, messages))}" for name, messages in form.errors.items()]
        raise HTTPError(422, "; ".join(wrong))
    made: M = form.save(commit=False)
    return made
