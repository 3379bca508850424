from nextapi import HTTPError, NextApiRequest, NextApiResponse


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    file = req.files.get("file")
    if file is None or isinstance(file, list):
        raise HTTPError(422, "Send one file: curl -F file=@notes.txt -F title=Notes ...")
    res.json({"name": file.filename, "size": len(file.read()), "title": req.body.get("title")})
