"""A page is made anew when what it shows was written: by a page, the API, the admin or a command."""

from __future__ import annotations

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from blog.models import Comment, Post


@receiver([post_save, post_delete], sender=Post)
@receiver([post_save, post_delete], sender=Comment)
def expire_pages(**_: object) -> None:
    """Have all pages with posts made anew when they are next asked for, once the transaction has committed."""
    from blog_site.wsgi import application  # which needs all apps

    application.revalidate_tag("posts")
