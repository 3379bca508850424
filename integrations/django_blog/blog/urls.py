"""The paths of the blog's pages."""

from django.urls import path

from blog import views

app_name = "blog"

urlpatterns = [
    path("", views.post_list, name="list"),
    path("posts/<slug:slug>/", views.post, name="post"),
    path("posts/<slug:slug>/comment/", views.comment, name="comment"),
    path("account/", views.account, name="account"),
]
