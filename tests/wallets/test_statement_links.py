"""Links that open one file of one person for a while, and nothing else."""

from pathlib import Path

import pytest

from domain.kernel.ids import UserId, new_uuid7
from domain.wallets.papers import Download, LinkRefusal, LinkSigner, StatementId
from tests.wallets.conftest import Bank
from tests.wallets.press import Press


@pytest.fixture
def press(bank: Bank, tmp_path: Path) -> Press:
    return Press(bank, tmp_path)


async def opens(press: Press, url: str, **changes: str) -> LinkRefusal | None:
    found = await press.follow(url, **changes)
    if isinstance(found, Download):
        await found.chunks.aclose()
        return None
    return found


async def link_of(press: Press, owner: UserId) -> str:
    link = press.mine.link(await press.built(owner))
    assert link is not None
    return link.url


async def test_a_link_is_good_for_a_quarter_of_an_hour(press: Press):
    built = await press.built(await press.bank.person("1"))
    link = press.mine.link(built)
    assert link is not None
    assert link.url.startswith(f"/files/statements/{built.id}?expires=")
    assert (link.expires_at - press.bank.clock.now()).total_seconds() == 900

    press.bank.clock.move(seconds=899)
    assert await opens(press, link.url) is None
    press.bank.clock.move(seconds=1)
    assert await opens(press, link.url) is LinkRefusal.EXPIRED


async def test_no_link_is_good_for_longer_than_the_file(press: Press):
    built = await press.built(await press.bank.person("1"))
    press.bank.clock.move(days=7, minutes=-1)

    link = press.mine.link(built)

    assert link is not None
    assert link.expires_at == built.expires_at


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": ""},
        {"signature": "A" * 43},
        {"signature": "\u0430" * 43},
        {"expires": "99999999999"},
        {"expires": ""},
        {"expires": "-1"},
        {"expires": "1e9"},
        {"expires": "9" * 5000},
        {"expires": "\u0661"},
        {"statement_id": "x"},
        {"statement_id": str(new_uuid7())},
    ],
)
async def test_a_link_that_was_changed_opens_nothing(press: Press, changes: dict[str, str]):
    url = await link_of(press, await press.bank.person("1"))

    assert await opens(press, url, **changes) is LinkRefusal.FORGED


async def test_an_id_written_otherwise_is_not_the_link_that_was_made(press: Press):
    built = await press.built(await press.bank.person("1"))
    link = press.mine.link(built)
    assert link is not None

    assert await opens(press, link.url, statement_id=built.id.hex) is LinkRefusal.FORGED


async def test_a_link_opens_no_other_statement(press: Press):
    ann, bob = await press.bank.person("1"), await press.bank.person("1")
    url, other, again = (await link_of(press, ann), await press.built(bob), await press.built(ann))

    for foreign in (other, again):
        assert await opens(press, url, statement_id=str(foreign.id)) is LinkRefusal.FORGED


async def test_a_link_signed_with_another_key_opens_nothing(press: Press):
    built = await press.built(await press.bank.person("1"))
    forged = LinkSigner(b"x" * 32).link(built, now=press.bank.clock.now())
    assert forged is not None

    assert await opens(press, forged.url) is LinkRefusal.FORGED


def test_a_signature_is_for_one_statement_one_owner_and_one_moment():
    signer = LinkSigner(b"s" * 32)
    statement, owner = StatementId(new_uuid7()), UserId(new_uuid7())
    signature = signer.signature(statement, owner, 1_000)

    assert signer.genuine(statement, owner, 1_000, signature)
    assert not signer.genuine(StatementId(new_uuid7()), owner, 1_000, signature)
    assert not signer.genuine(statement, UserId(new_uuid7()), 1_000, signature)
    assert not signer.genuine(statement, owner, 1_001, signature)
    assert "s" * 8 not in repr(signer)


async def test_a_good_link_to_a_deleted_file_says_so(press: Press):
    built = await press.built(await press.bank.person("1"))
    press.bank.clock.move(days=7, minutes=-1)
    link = press.mine.link(built)
    assert link is not None
    assert built.file is not None
    await press.files.delete(built.file)

    assert await opens(press, link.url) is LinkRefusal.GONE


async def test_what_an_erased_person_had_built_is_unreadable(press: Press):
    ann = await press.bank.person("1")
    url = await link_of(press, ann)
    press.keys.gone.add(ann)  # type: ignore[attr-defined]

    assert await opens(press, url) is LinkRefusal.GONE
