"""The URLconf of the tree that the setting NEXTAPI names: `path("", include("nextapi.adapters.django.urls"))`."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from nextapi.adapters.django.mount import create_urlpatterns

__all__ = ["app_name", "urlpatterns"]

_setting = getattr(settings, "NEXTAPI", None)
if not isinstance(_setting, dict) or "ROOT" not in _setting:
    raise ImproperlyConfigured('set NEXTAPI = {"ROOT": BASE_DIR / "web"} to the folder that holds pages/ or app/')
_options = {name.lower(): value for name, value in _setting.items() if name != "ROOT"}
urlpatterns, app_name = create_urlpatterns(_setting["ROOT"], **_options)
