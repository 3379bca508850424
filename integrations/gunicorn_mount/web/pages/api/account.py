import hmac

from nextapi import HTTPError, NextApiRequest, NextApiResponse

from ...lib.tokens import token_of


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    # HTTPError answers from wherever it is raised; here it may be in token_of.
    if not hmac.compare_digest(token_of(req).encode(), b"swordfish"):
        raise HTTPError(403, "This token is not known")
    res.json({"name": "Ada"})
