from urllib.parse import quote

from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.redirect(308, "/api/docs/" + "/".join(quote(part, safe="") for part in req.query["path"]))
