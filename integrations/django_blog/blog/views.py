"""The pages of the blog."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from blog.forms import CommentForm
from blog.models import Comment, Post
from nextapi import draft_mode, static_page


def published_posts() -> QuerySet[Post]:
    """Return the posts that everybody may read."""
    return Post.objects.filter(is_published=True).select_related("author")


def shown_posts() -> QuerySet[Post]:
    """Return the posts for pages that read neither `request.user` nor the session, as they are for everybody."""
    return Post.objects.select_related("author") if draft_mode().is_enabled else published_posts()


@require_safe
@static_page(revalidate=60, tags=["posts"])
def post_list(request: HttpRequest) -> HttpResponse:
    """List the posts, ten on a page."""
    page = Paginator(shown_posts(), 10).get_page(request.GET.get("page"))
    return render(request, "blog/list.html", {"page": page})


@require_safe
@static_page(revalidate=60, tags=["posts"])
def post(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a post with its comments."""
    return render(request, "blog/post.html", {"post": get_object_or_404(shown_posts(), slug=slug)})


@require_http_methods(["GET", "HEAD", "POST"])
def comment(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a comment from who has logged in."""
    if not isinstance(request.user, User):
        return redirect_to_login(request.path)
    post = get_object_or_404(published_posts(), slug=slug)
    form = CommentForm(request.POST or None, instance=Comment(post=post, author=request.user))
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect(post)
    return render(request, "blog/comment.html", {"post": post, "form": form})


@require_safe
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Show who has logged in."""
    return render(request, "blog/account.html")
