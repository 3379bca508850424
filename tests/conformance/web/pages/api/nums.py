from nextapi import NextApiRequest, NextApiResponse

# JavaScript's numbers are doubles: where it would round or print an exponent, a float stands here too.
NUMBERS = [
    0.1 + 0.2, 1e21, 1e20, 123456789012345680000.0, 1e-6, 1e-7, 5e-324, 1.7976931348623157e308, 100, -1.5, 0.000001234,
    0.0000001234, 1234567.891, 2.0**53, 1 / 3, 1e300, -1e-10, 4.35, 1e5, 15000000000, 1.5e300, -0.0, 9.5e-7,
    999999999999999900000.0, 1e22, 2.0**64, 0.5, 1e16, 123456789.12345678,
]  # fmt: skip


def handler(req: NextApiRequest, res: NextApiResponse) -> None:
    res.json(NUMBERS)
