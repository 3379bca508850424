from base64 import b64encode

from nextapi import NextApiRequest, NextApiResponse, PageConfig

from ....lib.echo import type_name

config: PageConfig = {"api": {"bodyParser": False}}


async def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    chunks = []
    while chunk := req.stream.read(65536):
        chunks.append(chunk)
    b = b"".join(chunks)
    res.json(
        {
            # Without a parser the body is JavaScript's undefined; nextapi's word for that is None.
            "bodyType": "undefined" if req.body is None else type_name(req.body),
            "length": len(b),
            "base64": None if len(b) > 200 else b64encode(b).decode(),
            "type": req.headers.get("content-type"),
        }
    )
