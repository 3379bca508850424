from wsgiref.simple_server import demo_app
from wsgiref.types import WSGIApplication

from nextapi import NextApiRequest, NextApiResponse, PageConfig

config: PageConfig = {"api": {"bodyParser": False, "externalResolver": True}}


def handler(req: NextApiRequest, res: NextApiResponse) -> WSGIApplication:
    # A WSGI application that is returned answers the request, here the one of Python's own.
    return demo_app
