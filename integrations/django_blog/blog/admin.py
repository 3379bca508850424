"""Posts and comments in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse

from blog.models import Comment, Post


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):
    """The posts."""

    list_display = ["title", "author", "is_published", "created"]
    prepopulated_fields = {"slug": ["title"]}

    @staticmethod
    def view_on_site(obj: Post) -> str:
        """Return where "View on site" leads: to the post's page, in draft mode."""
        return f"{reverse('nextapi:draft')}?slug={obj.slug}"


admin.site.register(Comment, list_display=["post", "author", "source", "created"])
