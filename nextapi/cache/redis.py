"""Pages in Redis or Valkey, which all processes of all machines share.

Each operation is one command, or one script that runs in the server as a whole. The names of all keys have the same
hash tag, so that Redis Cluster keeps them in one place and runs the scripts.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from nextapi.cache.limits import OVERHEAD, Limits
from nextapi.errors import ExtraError, OptionError, StoreError
from nextapi.http.sizes import Size

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["SCHEMES", "RedisClient", "RedisStore"]

SCHEMES = {"redis": "redis", "rediss": "rediss", "unix": "unix", "valkey": "redis", "valkeys": "rediss"}
"""The schemes of URLs that are a server's, and what redis-py calls them."""

_SECONDS_TO_CONNECT = 0.5
_SECONDS_TO_WAIT = 1.0
_SECONDS_BETWEEN_USES = 600
"""How often a process notes that an entry is used: so that reads stay reads."""
_MOST_NOTED = 20_000
_LONGEST = 10 * 365 * 86400

# The keys are: a hash of sizes, with their sum; a sorted set of when keys were used, and one of when they end; then
# those that are asked for. Redis drops keys of its own accord when its memory is full, these three among them.
_BOOKS = """
local sizes, uses, ends = KEYS[1], KEYS[2], KEYS[3]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function forget(key)
    local size = redis.call('HGET', sizes, key)
    if size then
        redis.call('HDEL', sizes, key)
        redis.call('HINCRBY', sizes, 'sum', -size)
    end
    redis.call('ZREM', uses, key)
    redis.call('ZREM', ends, key)
end

local function note(key, size, milliseconds)
    local before = redis.call('HGET', sizes, key) or 0
    redis.call('HSET', sizes, key, size)
    redis.call('HINCRBY', sizes, 'sum', size - before)
    redis.call('ZADD', uses, now, key)
    redis.call('ZADD', ends, now + milliseconds, key)
end

local function make_room(most)
    for _, key in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 100)) do
        forget(key)
    end
    local is_over = tonumber(redis.call('HGET', sizes, 'sum') or 0) > most
    if is_over and redis.call('ZCARD', uses) < redis.call('HLEN', sizes) - 1 then
        for _, key in ipairs(redis.call('HKEYS', sizes)) do
            if key ~= 'sum' then
                redis.call('ZADD', uses, 'NX', 0, key)
            end
        end
    end
    while tonumber(redis.call('HGET', sizes, 'sum') or 0) > most do
        local oldest = redis.call('ZPOPMIN', uses)[1]
        if not oldest then
            redis.call('DEL', sizes, ends)
            return
        end
        redis.call('UNLINK', oldest)
        forget(oldest)
    end
end
"""
_GET = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local names = {}
for i = 4, #KEYS do
    names[i - 3] = KEYS[i]
    redis.pcall('ZADD', KEYS[2], 'XX', now, KEYS[i])
end
return redis.call('MGET', unpack(names))
"""
_SET = (
    _BOOKS
    + """
for i = 4, #KEYS do
    redis.call('SET', KEYS[i], ARGV[i], 'PX', ARGV[2])
    note(KEYS[i], #ARGV[i] + ARGV[3], ARGV[2])
end
make_room(tonumber(ARGV[1]))
"""
)
_ADD = (
    _BOOKS
    + """
if not redis.call('SET', KEYS[4], ARGV[4], 'NX', 'PX', ARGV[2]) then
    return 0
end
note(KEYS[4], #ARGV[4] + ARGV[3], ARGV[2])
make_room(tonumber(ARGV[1]))
return 1
"""
)
_REMOVE = (
    _BOOKS
    + """
if redis.call('GET', KEYS[4]) == ARGV[1] then
    redis.call('UNLINK', KEYS[4])
    forget(KEYS[4])
end
"""
)


@runtime_checkable
class RedisClient(Protocol):
    """A client of redis-py or valkey-py that returns bytes, for one server or a cluster."""

    def mget(self, keys: Any, *args: Any) -> Any: ...
    def register_script(self, script: Any) -> Any: ...


class RedisStore:
    """Keep pages in a Redis or Valkey server (5 or newer), for all processes of all machines.

    `server` is a URL, such as "redis://:password@host:6379/0" ("rediss:", "valkey:", "valkeys:" and "unix:", too), or a
    client of redis-py or valkey-py; `prefix` is what the keys' names begin with, another one for each app. `max_size`
    is how many bytes the entries may have in all, and what was used least recently (to about ten minutes) makes room;
    `max_entry_size` how many a value may have. Sizes are text, such as "256mb", or numbers of bytes.

    The sum of the sizes is the store's own, and written with the values in one script: the server's `maxmemory` is for
    all that is in it, and may be less; then it should have a policy that drops keys (`maxmemory-policy allkeys-lru`).
    A client that is made of a URL waits for half a second to connect and for a second for an answer, unless the URL
    says otherwise (`?socket_timeout=3`).

    Every method raises `StoreError` while the server cannot be reached, and asks it anew at the next call.
    `ExtraError` says that redis-py is not installed, where a URL is given.
    """

    serves_processes = True

    def __init__(
        self,
        server: str | RedisClient = "redis://localhost:6379/0",
        prefix: str = "nextapi",
        max_size: Size = "256mb",
        max_entry_size: Size = "2mb",
    ) -> None:
        if not isinstance(prefix, str) or not prefix or "{" in prefix or "}" in prefix:
            raise OptionError(f"option prefix is {prefix!r}: it is text without braces, such as 'nextapi'")
        self._limits = Limits(max_size, max_entry_size)
        self.max_entry_size = self._limits.entry_size
        client, self._place = _opened(server)
        self._prefix = f"{{{prefix}}}:"
        # No name is empty, or has this prefix twice.
        self._books = tuple(f"{{{prefix}}}{book}" for book in ("sizes", "uses", "ends"))
        self._mget = client.mget
        self._get, self._set, self._add, self._remove = map(client.register_script, (_GET, _SET, _ADD, _REMOVE))
        self._noted: dict[str, float] = {}

    def __str__(self) -> str:
        return self._place

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """Return the values of names, in their order; None for one that is not there."""
        if not names:
            return []
        prefix = self._prefix
        keys = [prefix + name for name in names]
        if self._note(names):
            return cast("list[bytes | None]", self._call(self._get, (*self._books, *keys)))
        return cast("list[bytes | None]", self._call(self._mget, keys))

    def set(self, values: Mapping[str, bytes], seconds: float) -> None:
        """Keep values for so many seconds, all of them or none."""
        self._limits.check(values.values())
        if values:
            keys = (*self._books, *(self._prefix + name for name in values))
            self._call(self._set, keys, (*self._settings(seconds), *values.values()))

    def add(self, name: str, value: bytes, seconds: float) -> bool:
        """Keep a value if there is none of the name, and say whether that was so."""
        self._limits.check((value,))
        keys = (*self._books, self._prefix + name)
        return bool(self._call(self._add, keys, (*self._settings(seconds), value)))

    def remove(self, name: str, value: bytes) -> None:
        """Remove a name, if it has this value."""
        self._call(self._remove, (*self._books, self._prefix + name), (value,))

    def _settings(self, seconds: float) -> tuple[int, int, int]:
        return self._limits.size, max(round(min(seconds, _LONGEST) * 1000), 1), OVERHEAD

    def _note(self, names: Sequence[str]) -> bool:
        """Say whether it is to be noted that names are used, as it was not for some time."""
        now = time.monotonic()
        noted = self._noted
        if all(noted.get(name, 0.0) > now for name in names):
            return False
        if len(noted) > _MOST_NOTED:
            noted.clear()
        noted.update(dict.fromkeys(names, now + _SECONDS_BETWEEN_USES))
        return True

    def _call(self, command: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return command(*arguments)
        except Exception as error:  # each library has classes of its own
            raise StoreError(f"{self._place}: {error}") from error


def _opened(server: object) -> tuple[RedisClient, str]:
    """Return a client of a server, and what may be said of where that is."""
    if isinstance(server, str):
        scheme, separator, rest = server.partition("://")
        if not separator or scheme not in SCHEMES:
            # It may hold a password.
            raise OptionError("the URL of a RedisStore is none of a server: write such as 'redis://localhost:6379/0'")
        client: Any = _connect(f"{SCHEMES[scheme]}://{rest}")
    else:
        client, scheme = server, "redis"
        if not isinstance(client, RedisClient) or inspect.iscoroutinefunction(getattr(client, "execute_command", None)):
            raise OptionError(
                f"the server of a RedisStore is {type(client).__name__!r}: it is a URL, such as "
                "'redis://localhost:6379/0', or a blocking client of redis-py or valkey-py"
            )
    if getattr(_ask(client, "get_encoder"), "decode_responses", False):
        raise OptionError("the client of a RedisStore has decode_responses=True: pages are bytes, leave it out")
    settings = getattr(getattr(client, "connection_pool", None), "connection_kwargs", {})
    if path := settings.get("path"):
        return client, f"unix://{path}?db={settings.get('db', 0)}"
    if not isinstance(server, str) and "host" not in settings:
        return client, f"{scheme} ({type(client).__name__})"
    host = str(settings.get("host", "localhost"))
    host = f"[{host}]" if ":" in host else host
    return client, f"{scheme}://{host}:{settings.get('port', 6379)}/{settings.get('db', 0)}"


def _ask(client: object, name: str) -> object:
    method = getattr(client, name, None)
    return method() if method else None


def _connect(url: str) -> Redis:
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError as NoConnectionError
        from redis.retry import Retry
    except ImportError as error:
        raise ExtraError("RedisStore needs a library: pip install 'nextapi-wsgi[redis]'") from error
    try:
        return Redis.from_url(
            url,
            socket_connect_timeout=_SECONDS_TO_CONNECT,
            socket_timeout=_SECONDS_TO_WAIT,
            # One more try, on a new connection: the server may have been started anew since the last call.
            retry=Retry(NoBackoff(), 1, (NoConnectionError,)),
        )
    except (TypeError, ValueError):
        raise OptionError(
            "the URL of a RedisStore cannot be read: write such as 'redis://:password@localhost:6379/0', with "
            "percent signs for special characters in the password (urllib.parse.quote)"
        ) from None
