def js_error(error: Exception) -> dict[str, str]:
    """Return an exception as JavaScript shows it: what is a ValueError here is mostly a RangeError there."""
    message = str(getattr(error, "message", error))
    if message.startswith(("Body is unusable", "Content-Type was not", "Failed to parse body")):
        return {"name": "TypeError", "message": message}
    names = {TypeError: "TypeError", ValueError: "RangeError"}
    return {
        "name": next((name for kind, name in names.items() if isinstance(error, kind)), "Error"),
        "message": message,
    }
