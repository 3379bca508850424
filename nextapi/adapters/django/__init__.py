"""nextapi in a Django project: `path("", include("nextapi.adapters.django.urls"))`, or with a tree named in the
URLconf, `path("", include(create_urlpatterns(BASE_DIR / "web")))`.
"""

from nextapi.adapters.django.mount import create_urlpatterns
from nextapi.adapters.django.store import DjangoStore

__all__ = ["DjangoStore", "create_urlpatterns"]
