from flask import session

from nextapi import NextApiRequest, NextApiResponse

from ...lib.requests import allow


def handler(req: NextApiRequest, res: NextApiResponse[None]) -> None:
    allow(req, "POST")
    session.clear()
    res.status(204).end()
