"""Posts and what readers say about them."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import models
from django.urls import reverse


class Post(models.Model):
    """A post, which only the staff sees until it is published."""

    title: models.CharField[str, str] = models.CharField(max_length=120)
    slug: models.SlugField[str, str] = models.SlugField(unique=True)
    text: models.TextField[str, str] = models.TextField()
    author: models.ForeignKey[User, User] = models.ForeignKey(User, on_delete=models.PROTECT)
    is_published: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    created: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created", "-pk"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return the path of the post's page."""
        return reverse("blog:post", kwargs={"slug": self.slug})


class Comment(models.Model):
    """What a reader says about a post, or another site, where `source` is the page that mentions it."""

    post: models.ForeignKey[Post, Post] = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="comments")
    author: models.ForeignKey[User | None, User | None] = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, blank=True
    )
    source: models.URLField[str, str] = models.URLField(blank=True)
    text: models.TextField[str, str] = models.TextField(max_length=2000)
    created: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created", "pk"]

    def __str__(self) -> str:
        return f"{self.author or self.source}: {self.text}"
