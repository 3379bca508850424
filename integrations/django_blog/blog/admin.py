"""Posts and comments in the admin."""

from __future__ import annotations

from django.contrib import admin

from blog.models import Comment, Post

admin.site.register(
    Post, list_display=["title", "author", "is_published", "created"], prepopulated_fields={"slug": ["title"]}
)
admin.site.register(Comment, list_display=["post", "author", "source", "created"])
