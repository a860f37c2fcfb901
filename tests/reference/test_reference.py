"""The reference is made from the schema: complete, the same every time, and never out of date."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.generated import settle
from adapters.reference import NoExample, reference_files
from adapters.reference.errors import MEANINGS
from adapters.reference.operations import sandbox_user
from domain.kernel.policy import Audience, FieldPolicy, StepUp
from domain.kernel.viewer import Role
from schema.facts import Facts, facts_by_field
from tests.snippets import DOCS
from tests.world import REPOSITORY

SDL = '''
"""Reading."""
type Query {
  """Look, even at a | bar."""
  look(
    """How."""
    how: How! = QUICKLY
    """How many."""
    first: Int! = 20
  ): [Found!]! @deprecated(reason: "Use see. Removed after 2027-01-01.")
}
"""Changing."""
type Mutation {
  """Do it."""
  doIt(
    """What."""
    input: Done!
  ): Result!
}
"""What to do."""
input Done {
  """Whom."""
  category: How!
}
"""One or the other."""
union Result = Found | Lost
"""Found."""
type Found implements Named {
  """Its name."""
  name: String!
}
"""Lost."""
type Lost implements Named {
  """Its name."""
  name: String!
}
"""Has a name."""
interface Named {
  """The name."""
  name: String!
}
"""A way."""
enum How {
  """Fast."""
  QUICKLY
}
'''
KNOWN = {
    "Query.look": Facts(FieldPolicy(Audience.ANYONE, cost=3), ("BAD_INPUT",)),
    "Mutation.doIt": Facts(FieldPolicy(Audience.STAFF, roles=frozenset(list(Role)[:1])), ()),
}


def made(root: Path, sdl: str = SDL) -> dict[str, str]:
    return reference_files(sdl, known=KNOWN, root=root, codes=list(MEANINGS))


def example_for_do_it(root: Path) -> None:
    folder = root / "docs" / "reference" / "examples"
    folder.mkdir(parents=True)
    (folder / "mutation.doIt.graphql").write_text("mutation { doIt(input: {}) { __typename } }\n")


def test_the_committed_reference_is_the_schemas():
    ran = subprocess.run(  # our own program
        [sys.executable, "app.py", "schema", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (0, "")


def test_every_kind_of_type_has_a_page(tmp_path: Path):
    example_for_do_it(tmp_path)

    files = made(tmp_path)

    assert set(files) == {
        "docs/errors.md",
        *(
            f"docs/reference/{page}.md"
            for page in (
                "README", "queries", "mutations", "objects", "interfaces", "unions", "inputs",
                "enums", "scalars",
            )
        ),
    }  # fmt: skip
    assert (
        "- [Found](objects.md#found)\n- [Lost](objects.md#lost)"
        in files["docs/reference/unions.md"]
    )
    assert "Implements [Named](interfaces.md#named)." in files["docs/reference/objects.md"]
    assert files == made(tmp_path)


def test_an_operation_tells_what_it_takes_gives_and_costs(tmp_path: Path):
    example_for_do_it(tmp_path)

    page = made(tmp_path)["docs/reference/queries.md"]

    assert "**Deprecated.** Use see. Removed after 2027-01-01. Look, even at a \\| bar." in page
    assert "| `how` | [How](enums.md#how)! | `QUICKLY` | How. |" in page
    assert "- Returns: \\[[Found](objects.md#found)!\\]!" in page
    assert "- For: anyone\n- Cost: 3, before list sizes count\n" in page
    assert "- Errors of its own: [`BAD_INPUT`](../errors.md#bad_input)" in page
    assert "query Look($first: Int!) {\n  look(first: $first) {\n    name\n  }\n}" in page


def test_an_operation_nobody_can_guess_an_example_for_asks_for_one(tmp_path: Path):
    with pytest.raises(NoExample, match=r"examples/mutation\.doIt\.graphql"):
        made(tmp_path)


def test_a_hand_written_example_is_shown_as_it_is(tmp_path: Path):
    example_for_do_it(tmp_path)

    page = made(tmp_path)["docs/reference/mutations.md"]

    assert "```graphql\nmutation { doIt(input: {}) { __typename } }\n```" in page
    assert "- For: staff (`USER`)\n" in page


def test_a_mutation_tells_its_union_and_whom_to_be(tmp_path: Path):
    example_for_do_it(tmp_path)
    facts = FieldPolicy(
        Audience.STAFF, roles=frozenset({Role.ADMIN, Role.COMPLIANCE}), step_up=StepUp(120)
    )
    known = KNOWN | {"Mutation.doIt": Facts(facts, ("FORBIDDEN",))}

    page = reference_files(SDL, known=known, root=tmp_path, codes=list(MEANINGS))[
        "docs/reference/mutations.md"
    ]

    assert (
        "- Returns: [Result](unions.md#result)!\n"
        "- That is: [Found](objects.md#found), or else [Lost](objects.md#lost)\n"
        "- For: staff (`ADMIN`, `COMPLIANCE`)\n"
        "- Step-up: a sign-in with a second factor within 2 minutes, spent on this "
    ) in page
    assert "`ID_TOKEN=$(./dev token compliance --second-factor)`" in page
    assert '  -H "authorization: Bearer $ID_TOKEN" \\\n' in page


@pytest.mark.parametrize(
    ("name", "policy", "words"),
    [
        ("ticker", FieldPolicy(Audience.ANYONE), ""),
        ("viewer", FieldPolicy(Audience.ANYONE), "plain"),
        ("endSession", FieldPolicy(Audience.SIGNED_IN), "plain"),
        (
            "eraseMyAccount",
            FieldPolicy(Audience.SIGNED_IN, step_up=StepUp()),
            "verified --second-factor",
        ),
        ("roles", FieldPolicy(Audience.STAFF, roles=frozenset({Role.ADMIN})), "admin"),
    ],
)
def test_an_example_is_run_by_a_demo_user_who_may(name: str, policy: FieldPolicy, words: str):
    assert sandbox_user(name, Facts(policy, ())) == words


def test_a_field_below_the_root_tells_which_staff_may(tmp_path: Path):
    example_for_do_it(tmp_path)
    policy = FieldPolicy(Audience.STAFF, roles=frozenset({Role.SUPPORT}))
    known = KNOWN | {"Found.name": Facts(policy, ("FORBIDDEN",))}

    page = reference_files(SDL, known=known, root=tmp_path, codes=list(MEANINGS))[
        "docs/reference/objects.md"
    ]

    assert (
        "Its name. For staff (`SUPPORT`). May answer [`FORBIDDEN`](../errors.md#forbidden)." in page
    )


def test_every_hand_written_example_is_of_an_operation():
    names = {f.stem for f in (DOCS / "reference" / "examples").iterdir()}
    fields = {f"{k[0].lower()}{k[1:]}" for k in facts_by_field()}

    assert names <= fields


def test_facts_know_every_error_of_an_operation():
    facts = facts_by_field()["Query.fundingRates"]

    assert facts.errors == ("BAD_INPUT", "NO_SUCH_HISTORY", "UNKNOWN_INSTRUMENT")
    assert facts.policy == FieldPolicy(Audience.ANYONE, cost=2)


def test_facts_know_what_a_mutation_is_refused_with_before_it_runs():
    facts = facts_by_field()["Mutation.adminRevealUser"]

    assert facts.errors == (
        "ACCOUNT_FROZEN", "BAD_INPUT", "FORBIDDEN", "NOT_FOUND", "SESSION_ENDED",
        "STEP_UP_REQUIRED", "UNAUTHENTICATED",
    )  # fmt: skip


def test_no_page_of_the_reference_is_left_over():
    made_pages = set(re.findall(r"\(([a-z]+\.md)", (DOCS / "reference" / "README.md").read_text()))

    assert {f.name for f in (DOCS / "reference").glob("*.md")} == {*made_pages, "README.md"}


def test_check_names_what_is_stale_or_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    wanted = {"docs/a.md": "new\n", "docs/b/c.md": "new\n", "docs/d.md": "same\n"}
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("old\n")
    (tmp_path / "docs" / "d.md").write_text("same\n")

    assert settle(["--check"], wanted, tmp_path) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line.split(" is out of date.")[0] for line in told] == ["docs/a.md", "docs/b/c.md"]

    assert settle(["--write"], wanted, tmp_path) == 0
    assert settle(["--check"], wanted, tmp_path) == 0
