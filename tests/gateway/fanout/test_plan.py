"""Which subscriptions are one, which may never be."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import strawberry
from strawberry.extensions import SchemaExtension

from adapters.gateway.fanout.execution import Execution
from adapters.gateway.fanout.plan import Plan, Planner
from domain.kernel.policy import Audience, FieldPolicy, StreamRules
from tests.gateway.fanout.stage import SCHEMA, Stage

TICKER = 'subscription { ticker(category: LINEAR, symbol: "BTCUSDT") { lastPrice symbol } }'


def refs(*symbols: str) -> list[dict[str, str]]:
    return [{"category": "LINEAR", "symbol": symbol} for symbol in symbols]


async def keys(text: str, **variables: Any) -> list[Any]:
    plan = await Stage().plan(text, **variables)
    return [part.key for part in plan.parts]


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        (TICKER.replace(" ", "\n  ") + " # a comment", {}),
        (TICKER.replace("subscription", "subscription Named"), {}),
        (
            """subscription S($s: String!, $c: Category!)
            { ticker(symbol: $s, category: $c) { lastPrice symbol } }""",
            {"s": "BTCUSDT", "c": "LINEAR"},
        ),
        (TICKER.replace("symbol:", "stopAfter: null, symbol:"), {}),
    ],
)
async def test_spellings_of_one_subscription_share(text: str, variables: dict[str, Any]):
    found = await keys(text, **variables)

    assert found == await keys(TICKER)
    assert found != [None]


async def test_the_named_operation_of_a_document_is_planned():
    text = "query Q { systemStatus { state } } " + TICKER.replace("n {", "n T {", 1)

    plan = await Stage().planner.plan(text, None, "T", None)

    assert plan is not None
    assert [part.key for part in plan.parts] == await keys(TICKER)
    assert await Stage().planner.plan(text, None, "Q", None) is None


@pytest.mark.parametrize(
    "text",
    [
        TICKER.replace("lastPrice symbol", "symbol lastPrice"),  # the answer's order differs
        TICKER.replace("ticker(", "btc: ticker("),
        TICKER.replace("lastPrice", "price: lastPrice"),
        TICKER.replace("BTCUSDT", "ETHUSDT"),
        TICKER.replace("LINEAR", "SPOT"),
        TICKER.replace("lastPrice", "lastPrice instrument { symbol }"),
    ],
)
async def test_what_differs_in_any_answer_is_apart(text: str):
    assert await keys(text) != await keys(TICKER)
    assert await keys(text) != [None]


async def test_variables_below_the_field_count():
    text = """subscription ($q: Decimal!) { orderBook(instrument: {category: LINEAR, symbol: "X"})
      { costToTrade(side: BUY, quantity: $q) { filled } } }"""

    one, same, other = [await keys(text, q=q) for q in ("1", "1", "2")]

    assert one == same != other


async def test_rates_of_one_class_are_one_and_refused_ones_are_not():
    text = """subscription ($r: Int!) { orderBook(maxPerSecond: $r,
      instrument: {category: LINEAR, symbol: "X"}) { sequence } }"""

    found = {rate: await keys(text, r=rate) for rate in (0, 5, 7, 9, 10, 11)}

    assert found[5] == found[7] == found[9]
    assert len({tuple(found[rate]) for rate in (0, 5, 10, 11)}) == 4


async def test_a_count_of_ones_own_is_not_shared():
    assert await keys(TICKER.replace("symbol:", "stopAfter: 3, symbol:")) == [None]


WATCH = "subscription ($i: [InstrumentRef!]!) { tickers(instruments: $i) { symbol lastPrice } }"
LITERAL = """subscription { tickers(maxPerSecond: 10, instruments:
  [{category: LINEAR, symbol: "BTCUSDT"}, {symbol: "ETHUSDT", category: LINEAR}])
  { symbol lastPrice } }"""


async def test_watchlists_meet_in_one_part_per_instrument():
    one = await keys(WATCH, i=refs("BTCUSDT", "ETHUSDT", "BTCUSDT"))
    other = await keys(WATCH, i=refs("SOLUSDT", "BTCUSDT"))
    single = await keys(WATCH, i=refs("ETHUSDT")[0])  # GraphQL takes one for a list
    default = WATCH.replace("!]!", '!]! = [{category: LINEAR, symbol: "ETHUSDT"}]')

    assert len(one) == 2
    assert set(one) & set(other) == {one[0]}
    assert single == [one[1]] == await keys(default)
    assert await keys(LITERAL) == one


async def test_a_split_list_of_one_needs_no_question_about_the_whole():
    stage = Stage()

    assert not (await stage.plan(WATCH, i=refs("BTCUSDT"))).whole_first
    assert (await stage.plan(WATCH, i=refs("BTCUSDT", "BTCUSDT"))).whole_first
    assert (await stage.plan(WATCH, i=[])).whole_first
    assert (await stage.plan(WATCH, i=[])).parts == []


@pytest.mark.parametrize(
    "text",
    [
        "{ systemStatus { state } }",
        "subscription {",
        "subscription { nonsense }",
        "subscription { a: systemStatus { state } b: systemStatus { state } }",
        "subscription ($s: String!) { ticker(category: LINEAR, symbol: $s) { symbol } }",
        "subscription A { systemStatus { state } } subscription B { systemStatus { state } }",
        "query subscription { systemStatus { state } }",
        "subscription { __typename }",
        "subscription { systemStatus @include(if: true) { state } }",
    ],
)
async def test_everything_else_is_left_to_the_ordinary_way(text: str):
    assert await Stage().planner.plan(text, {}, None, None) is None


async def test_fragments_are_read_wherever_they_are():
    text = """subscription { ...Root } fragment Root on Subscription {
      ticker(category: LINEAR, symbol: "BTCUSDT") { ... { lastPrice } ...Rest } }
      fragment Rest on Ticker { symbol }"""

    assert await keys(text) != [None]


async def test_documents_are_forgotten_in_the_order_of_their_use(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("adapters.gateway.fanout.documents.DOCUMENTS_MAX", 3)
    planner = Stage().planner
    for name in ("A", "B", "C", "A", "D"):
        text = f"subscription {name} {{ systemStatus {{ state }} }}"
        await planner.plan(text, None, None, None)

    known = [text.split()[1] for text, _ in planner._documents._known]
    assert known == ["C", "A", "D"]


class Nobody:
    viewer = None


@strawberry.type
class Mine:
    plain: int = 1

    @strawberry.field
    def computed(self) -> int:
        return 2

    @strawberry.field(metadata={"policy": FieldPolicy(Audience.ANYONE, shared=True)})
    def for_all(self) -> int:
        return 3

    @strawberry.field(metadata={"policy": FieldPolicy(Audience.SIGNED_IN)})
    def private(self) -> int:
        return 4

    @strawberry.field(metadata={"policy": FieldPolicy(Audience.ANYONE, shared=True)})
    def deeper(self) -> "Mine":
        return Mine()


async def mine() -> AsyncGenerator[Mine, None]:
    yield Mine()


def schema_of(field: Any, extensions: Any = ()) -> strawberry.Schema:
    @strawberry.type
    class Query:
        nothing: int = 0

    @strawberry.type
    class Subscription:
        values: AsyncGenerator[Mine, None] = field

    return strawberry.Schema(Query, subscription=Subscription, extensions=list(extensions))


async def planned(selection: str, policy: FieldPolicy, **metadata: Any) -> Plan | None:
    field = strawberry.subscription(resolver=mine, metadata={"policy": policy, **metadata})
    planner = Planner(Execution(schema_of(field)))
    return await planner.plan(f"subscription {{ values {selection} }}", None, None, Nobody())


SHARED = FieldPolicy(Audience.ANYONE, shared=True)


@pytest.mark.parametrize(
    ("selection", "policy", "shares"),
    [
        ("{ plain __typename }", SHARED, True),
        ("{ plain forAll deeper { forAll } }", SHARED, True),
        ("{ plain }", FieldPolicy(Audience.ANYONE), False),
        ("{ plain }", FieldPolicy(Audience.SIGNED_IN), False),
        ("{ computed }", SHARED, False),
        ("{ plain deeper { deeper { private } } }", SHARED, False),
        ("{ ... on Mine { deeper { ... { computed } } } }", SHARED, False),
    ],
)
async def test_nothing_that_may_depend_on_the_viewer_is_shared(
    selection: str, policy: FieldPolicy, shares: bool
):
    plan = await planned(selection, policy)

    assert plan is not None
    assert (plan.parts[0].key is not None) is shares


async def test_what_nobody_declared_is_left_alone():
    field = strawberry.subscription(resolver=mine)
    planner = Planner(Execution(schema_of(field)))

    assert await planner.plan("subscription { values { plain } }", None, None, Nobody()) is None


async def test_rules_about_arguments_that_are_not_there_stop_the_start():
    with pytest.raises(ValueError, match=r"Subscription\.values has no argument gone"):
        await planned("{ plain }", SHARED, rules=StreamRules(split_by="gone"))


async def test_extensions_are_asked_about_every_document_and_every_time():
    asked: list[Any] = []

    class Admission(SchemaExtension):
        def on_parse(self) -> Any:
            asked.append(self.execution_context.variables)
            yield

    field = strawberry.subscription(resolver=mine, metadata={"policy": SHARED})
    planner = Planner(Execution(schema_of(field, [Admission])))
    text = "subscription { values { plain } }"

    for number in range(3):
        assert await planner.plan(text, {"n": number}, None, Nobody()) is not None

    assert asked == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_an_extension_that_reads_results_stops_the_start():
    class Reads(SchemaExtension):
        def get_results(self) -> dict[str, Any]:
            return {}

    field = strawberry.subscription(resolver=mine, metadata={"policy": SHARED})
    with pytest.raises(ValueError, match="Reads wants to see results"):
        Execution(schema_of(field, [Reads]))


async def test_a_known_document_is_planned_without_reading_it_again(monkeypatch: Any):
    planner = Planner(Execution(SCHEMA))
    await planner.plan(TICKER, None, None, Nobody())
    monkeypatch.setattr("strawberry.schema.schema.parse", None)
    monkeypatch.setattr("adapters.gateway.fanout.documents.read", None)

    assert await planner.plan(TICKER, None, None, Nobody()) is not None
