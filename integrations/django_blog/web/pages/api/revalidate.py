import hmac
from typing import TypedDict

from django.conf import settings
from django.urls import reverse

from blog.api import find_post
from nextapi import NextApiRequest, NextApiResponse
from nextapi.errors import RevalidateError


class Done(TypedDict):
    revalidated: bool


class Refused(TypedDict):
    message: str
