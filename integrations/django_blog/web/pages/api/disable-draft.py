from django.urls import reverse

from nextapi import NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse[None]) -> None:
    """Lead out of draft mode."""
    res.set_draft_mode(enable=False).redirect(reverse("blog:list"))
