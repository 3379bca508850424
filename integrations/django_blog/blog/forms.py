"""What a post and a comment have to be."""

from __future__ import annotations

from django.forms import Textarea, modelform_factory

from blog.models import Comment, Post

PostForm = modelform_factory(Post, fields=["title", "slug", "text", "is_published"])

CommentForm = modelform_factory(
    Comment, fields=["text"], labels={"text": "Your comment"}, widgets={"text": Textarea({"rows": 3})}
)
