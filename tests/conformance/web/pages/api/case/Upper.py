from nextapi import NextApiRequest, NextApiResponse

from ....lib.echo import entries


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.json({"route": "/api/case/Upper", "method": req.method, "url": req.url, "query": entries(req.query)})
