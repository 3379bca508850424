from nextapi import NextApiRequest, NextApiResponse

ROWS = [("id", "name"), ("1", "Ada"), ("2", "Grace")]


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.set_header("Content-Type", "text/csv; charset=utf-8")
    res.set_header("Content-Disposition", 'attachment; filename="report.csv"')
    for row in ROWS:
        res.write(",".join(row) + "\r\n")
    res.end()
