"""pybit's HTTP client on threads of its own, as one awaitable call that cannot hang the loop.

Constructor options and their reasons were measured against pybit 5.17: its own retries sleep in the
thread (9 s for one 10002) and hide the return code, therefore the retry set is a code that does not
exist; an empty set would be replaced by its default.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError
from pybit.unified_trading import HTTP
from requests.adapters import HTTPAdapter

from adapters.bybit.config import is_loopback
from adapters.bybit.errors import EXCHANGE, failure_of
from adapters.bybit.logs import silence_pybit
from domain.kernel.clock import Clock
from domain.kernel.failures import TimedOut, Unavailable

WORKERS = 8
"""Measured: 760 requests a second with 8 threads, 640 with 32."""
WAITING_MAX = 64
_NO_SUCH_CODE = -999_999

Answer = tuple[dict[str, Any], Mapping[str, str]]
"""The decoded body and the headers."""


class PybitClient:
    """Bounded: ``WORKERS`` calls at once, ``WAITING_MAX`` waiting, the rest refused.

    A thread cannot be cancelled: when a caller gives up, its call ends by the socket's timeout, and
    its place stays taken until then.
    """

    def __init__(
        self,
        rest_url: str,
        *,
        clock: Clock,
        socket_timeout_seconds: float,
        workers: int = WORKERS,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._clock = clock
        self._http = _http(rest_url, socket_timeout_seconds, workers)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="okd-bybit-rest")
        self._places = asyncio.Semaphore(workers)
        self._waiting = 0
        self._waiting_max = waiting_max
        self._socket_timeout_seconds = socket_timeout_seconds

    async def get(self, method: str, query: Mapping[str, str | int]) -> Answer:
        """Call pybit's ``method``, a GET. Raises Unavailable, TimedOut, Rejected."""
        # pybit mutates the query it is given.
        run = self._bound(method, dict(query))
        await self._take_place()
        loop = asyncio.get_running_loop()
        try:
            job = self._threads.submit(run)
        except RuntimeError as error:  # the pool is shut: we are on our way out
            self._places.release()
            raise Unavailable(EXCHANGE) from error
        job.add_done_callback(lambda _: _give_back(loop, self._places))
        return await self._outcome(job)

    async def close(self) -> None:
        """End the threads; those in a call end with it, by the socket's timeout at the latest."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        try:
            async with asyncio.timeout(self._socket_timeout_seconds + 0.5):
                await asyncio.to_thread(self._threads.shutdown, wait=True)
        except TimeoutError:
            pass  # a server that drips its answer; the thread ends when it stops dripping
        self._http.client.close()

    def _bound(self, method: str, query: dict[str, str | int]) -> Callable[[], Answer]:
        def run() -> Answer:
            body, _, headers = getattr(self._http, method)(**query)
            if not isinstance(body, dict):
                raise TypeError("the answer is no object")
            return body, headers

        return run

    async def _take_place(self) -> None:
        if self._waiting >= self._waiting_max:
            raise Unavailable(EXCHANGE, retry_after_seconds=1)
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    async def _outcome(self, job: "Future[Answer]") -> Answer:
        try:
            return await asyncio.wrap_future(job)
        except (InvalidRequestError, FailedRequestError, requests.RequestException) as error:
            raise failure_of(error, now=self._clock.now()) from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # What pybit trips over when an answer is JSON and yet not Bybit's envelope.
            raise Unavailable(EXCHANGE) from error
        except TimeoutError as error:
            raise TimedOut(EXCHANGE) from error
        except OSError as error:  # what urllib3 lets through
            raise Unavailable(EXCHANGE) from error


def _give_back(loop: asyncio.AbstractEventLoop, places: asyncio.Semaphore) -> None:
    try:
        loop.call_soon_threadsafe(places.release)
    except RuntimeError:
        pass  # the loop is closed, and nobody waits for a place


def _http(rest_url: str, socket_timeout_seconds: float, workers: int) -> HTTP:
    http = HTTP(
        testnet=False,
        timeout=socket_timeout_seconds,
        recv_window=5000,
        retry_codes={_NO_SUCH_CODE},
        max_retries=1,
        force_retry=False,
        return_response_headers=True,
        log_requests=False,  # it would write keys and signatures
    )
    silence_pybit()
    http.endpoint = rest_url
    session: requests.Session = http.client
    session.trust_env = not is_loopback(rest_url)  # no proxy stands between us and ourselves
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=workers, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return http
