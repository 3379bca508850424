"""Settings of the blog of `integrations`, with a cache of Django's in files, which all processes of a machine share."""

import os

from blog_site.settings import *  # noqa: F403

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": os.environ["BENCHMARKS_DJANGO_CACHE"],
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
