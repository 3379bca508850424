"""The pages of the blog."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from blog.forms import CommentForm
from blog.models import Post


def readable_posts(request: HttpRequest) -> QuerySet[Post]:
    """Return the posts that who asks may read."""
    posts = Post.objects.select_related("author")
    is_staff = isinstance(request.user, User) and request.user.is_staff
    return posts if is_staff else posts.filter(is_published=True)


@require_safe
def post_list(request: HttpRequest) -> HttpResponse:
    """List the posts, ten on a page."""
    page = Paginator(readable_posts(request), 10).get_page(request.GET.get("page"))
    return render(request, "blog/list.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def post(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a post with its comments, and take a new one from who has logged in."""
    shown = get_object_or_404(readable_posts(request), slug=slug)
    form = CommentForm(request.POST or None)
    if request.method == "POST":
        if not isinstance(request.user, User):
            return redirect_to_login(request.path)
        if form.is_valid():
            comment = form.save(commit=False)
            comment.post, comment.author = shown, request.user
            comment.save()
            return redirect(shown)
    return render(request, "blog/post.html", {"post": shown, "form": form})
