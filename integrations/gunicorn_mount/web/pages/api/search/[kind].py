from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.json(
        {
            "query": req.query,
            "params": req.params,
            "tags": req.search_params.get_all("tag"),
            "page": req.search_params.get("page", "1"),
        }
    )
