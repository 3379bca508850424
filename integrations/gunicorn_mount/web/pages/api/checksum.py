from hashlib import sha256

from nextapi import NextApiRequest, NextApiResponse, PageConfig

config: PageConfig = {"api": {"bodyParser": False}}


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    digest, size = sha256(), 0
    while piece := req.stream.read(65536):
        digest.update(piece)
        size += len(piece)
    res.json({"size": size, "sha256": digest.hexdigest()})
