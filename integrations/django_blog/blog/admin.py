"""Posts and comments in the admin."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import admin
from django.urls import reverse

from blog.models import Comment, Post


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):
    """The posts, which can be seen on the site before they are published: in draft mode."""

    list_display = ["title", "author", "is_published", "created"]
    prepopulated_fields = {"slug": ["title"]}

    @staticmethod
    def view_on_site(obj: Post) -> str:
        """Return where "View on site" leads."""
        return f"{reverse('nextapi:draft')}?{urlencode({'slug': obj.slug})}"


admin.site.register(Comment, list_display=["post", "author", "source", "created"])
