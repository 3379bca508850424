"""The blog as an app of Django's."""

from django.apps import AppConfig


class BlogConfig(AppConfig):
    """The blog, whose pages are made anew when what they show has changed."""

    name = "blog"

    def ready(self) -> None:
        """Connect the signals."""
        from blog import signals  # noqa: F401
