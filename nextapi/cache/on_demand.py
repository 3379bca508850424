"""On-demand revalidation, as pages and routes ask for it while they answer (Next's `res.revalidate`, `next/cache`)."""

from __future__ import annotations

from functools import partial
from time import monotonic, sleep
from urllib.parse import quote

from nextapi.cache.asked import Asked
from nextapi.cache.background import CleanThread
from nextapi.cache.expiry import Expiry
from nextapi.cache.host import CacheHost
from nextapi.cache.making import Maker
from nextapi.cache.outage import Outage
from nextapi.cache.pages import Key, Lease, Pages
from nextapi.cache.rendering import Renderer
from nextapi.cache.targets import Target, check_tag, target_of
from nextapi.cache.visit import Visit
from nextapi.errors import RevalidateError, StoreError

__all__ = ["OnDemand"]


class OnDemand:
    """Revalidates pages on demand (`nextapi.cache.visit.Revalidator`). To make one takes `timeout` seconds at most."""

    def __init__(
        self,
        renderer: Renderer,
        maker: Maker,
        pages: Pages,
        expiry: Expiry,
        host: CacheHost,
        timeout: float,
        outage: Outage,
    ) -> None:
        self._renderer = renderer
        self._maker = maker
        self._pages = pages
        self._expiry = expiry
        self._host = host
        self._timeout = timeout
        self._outage = outage

    def expire_path(self, path: str, prefix: str) -> None:
        """Make all pages of a path void, once the caller's transaction has committed."""
        target = target_of(path, prefix, "revalidate_path")
        self._host.when_committed(partial(self._expiry.expire, [target.path]))

    def expire_tag(self, tag: str) -> None:
        """Make all pages with a tag void, once the caller's transaction has committed."""
        self._host.when_committed(partial(self._expiry.expire, (), [check_tag(tag)]))

    def remake(self, path: str, visit: Visit, only_generated: bool) -> bool:
        """Make a page anew for the visit's host, and all others of its path void, once the caller's transaction has
        committed; say whether it is made and kept, which is False before that.

        Raises `RevalidateError` where it cannot be made, or is made already for this call's sake, and `StoreError`
        while the store is gone.
        """
        target = target_of(path, visit.prefix)
        if target.path.rstrip("/") in (made.rstrip("/") for made in visit.chain):
            chain = " -> ".join(quote(made, encoding="latin-1") for made in (*visit.chain, target.path))
            raise _failure(target, f"it is asked for by the making of itself, {chain}")
        kept: list[bool] = []
        self._host.when_committed(lambda: kept.append(self._remake_or_remember(target, visit, only_generated)))
        return any(kept)

    def _remake_or_remember(self, target: Target, visit: Visit, only_generated: bool) -> bool:
        try:
            return self._remake(target, visit, only_generated)
        except StoreError as error:
            self._expiry.remember([target.path])
            self._outage.note(error)
            raise

    def _remake(self, target: Target, visit: Visit, only_generated: bool) -> bool:
        if visit.origin is None:  # nothing is kept for this host
            self._pages.expire([target.path])
            return False
        sent_path, _, query = target.sent.partition("?")
        asked = Asked(Key(*visit.origin, sent_path, query, target.path, visit.prefix), {})
        lease = self._wait_for_lease(target)
        try:
            found = self._pages.find(asked.key, {}, is_sure=not only_generated)
            if only_generated and not found.is_known:
                return False
            work = partial(self._renderer.render_mended, asked, found, self, visit.chain)
            try:
                rendered = CleanThread(work, self._host.leave_thread).result(self._timeout)
            except TimeoutError:
                raise _failure(target, f"no answer within {self._timeout:g} s") from None
            except Exception as error:
                self._maker.keep_on(found)
                if isinstance(error, RevalidateError):
                    raise
                raise _failure(target, "Invalid response 500") from error
            self._maker.keep_rendered(rendered, found, is_remade=True)
            return self._pages.find(rendered.key, rendered.environ).entry is not None
        finally:
            self._maker.end(lease)

    def _wait_for_lease(self, target: Target) -> Lease:
        """Return the right to make a path's page, when whoever has it is done."""
        deadline, pause = monotonic() + self._timeout, 0.01
        while (lease := self._pages.lease_path(target.path, 2 * self._timeout)) is None:
            if monotonic() > deadline:
                raise _failure(target, f"another has been at it for {self._timeout:g} s")
            sleep(pause)
            pause = min(pause * 1.5, 0.1)
        return lease


def _failure(target: Target, reason: str) -> RevalidateError:
    return RevalidateError(f"Failed to revalidate {target.given}: {reason}")
