import hmac

from nextapi import HTTPError, NextApiRequest, NextApiResponse

SECRET = b"a secret that the sender knows, too"


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    signature = hmac.new(SECRET, req.raw_body, "sha256").hexdigest()
    if not hmac.compare_digest(signature.encode(), req.headers.get("x-signature", "").encode()):
        raise HTTPError(401, "Wrong signature")
    res.json({"received": req.body})
