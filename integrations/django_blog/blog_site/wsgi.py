"""The project as a WSGI application: `gunicorn blog_site.wsgi`."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from nextapi.adapters.wsgi import PageCache

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_site.settings")

application = PageCache(get_wsgi_application(), store=settings.PAGE_CACHE, debug=settings.DEBUG)
