"""What REST refuses, filters and pages."""

import httpx
import pytest


async def ask(http: httpx.AsyncClient, path: str, **params: str) -> tuple[int, str, object]:
    response = await http.get(path, params=params)
    assert response.status_code == 200
    body = response.json()
    assert list(body) == ["retCode", "retMsg", "result", "retExtInfo", "time"]
    return body["retCode"], body["retMsg"], body["result"]


INFO, TICKERS = "/v5/market/instruments-info", "/v5/market/tickers"


@pytest.mark.parametrize(
    ("path", "params", "answer"),
    [
        (INFO, {}, (10001, "params error: Category is invalid", {})),
        (TICKERS, {"category": "futures"}, (10001, "params error: Category is invalid", {})),
        (
            INFO,
            {"category": "linear", "symbol": "NOPE"},
            (
                10001,
                "params error: symbol invalid",
                {"category": "", "list": [], "nextPageCursor": ""},
            ),
        ),
        (INFO, {"category": "spot", "symbol": "NOPE"}, (0, "OK", {"category": "spot", "list": []})),
        (
            TICKERS,
            {"category": "linear", "symbol": "NOPE"},
            (10001, "params error: symbol invalid", {"category": "", "list": []}),
        ),
        (TICKERS, {"category": "spot", "symbol": "NOPE"}, (10001, "Not supported symbols", {})),
        (INFO, {"category": "linear", "limit": "0"}, (10001, "params error: limit invalid", {})),
        (INFO, {"category": "linear", "limit": "1001"}, (10001, "params error: limit invalid", {})),
        (INFO, {"category": "linear", "limit": "٣"}, (10001, "params error: limit invalid", {})),
        (INFO, {"category": "linear", "cursor": "x"}, (10001, "params error: cursor invalid", {})),
        (TICKERS, {"category": "inverse"}, (0, "OK", {"category": "inverse", "list": []})),
        ("/v5/market/nothing", {}, (10017, "Route not found.", {})),
        ("/nothing", {}, (10017, "Route not found.", {})),
    ],
)
async def test_refuses_in_the_venues_words(
    http: httpx.AsyncClient, path: str, params: dict[str, str], answer: tuple[int, str, object]
) -> None:
    assert await ask(http, path, **params) == answer


async def test_a_wrong_method_is_an_unknown_route(http: httpx.AsyncClient) -> None:
    response = await http.post("/v5/market/time")
    assert (response.status_code, response.json()["retCode"]) == (200, 10017)


async def test_pages_through_linear_and_never_through_spot(http: httpx.AsyncClient) -> None:
    seen, cursor = [], ""
    while True:
        params = {"category": "linear", "limit": "4", "cursor": cursor}
        result = (await http.get(INFO, params=params)).json()["result"]
        seen += [row["symbol"] for row in result["list"]]
        cursor = result["nextPageCursor"]
        if not cursor:
            break

    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) == 26
    spot = (await http.get(INFO, params={"category": "spot", "limit": "2"})).json()["result"]
    assert len(spot["list"]) == 26
    assert "nextPageCursor" not in spot


@pytest.mark.parametrize(
    ("path", "params", "symbols"),
    [
        (INFO, {"category": "spot", "baseCoin": "SOL"}, ["SOLUSDT"]),
        (INFO, {"category": "linear", "status": "PreLaunch", "limit": "1000"}, []),
        (TICKERS, {"category": "linear", "baseCoin": "XRP"}, ["XRPUSDT"]),
        (TICKERS, {"category": "spot", "symbol": "DOGEUSDT"}, ["DOGEUSDT"]),
    ],
)
async def test_filters(
    http: httpx.AsyncClient, path: str, params: dict[str, str], symbols: list[str]
) -> None:
    result = (await http.get(path, params=params)).json()["result"]
    assert [row["symbol"] for row in result["list"]] == symbols
