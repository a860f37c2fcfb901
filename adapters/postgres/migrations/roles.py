"""The two roles: okd_owner owns and migrates, okd_app runs the product and can do no more."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

OWNER = "okd_owner"
APP = "okd_app"


async def adopt_owner(connection: AsyncConnection) -> str | None:
    """Act as okd_owner from here on; when that cannot be, return what an operator must do."""
    found = await connection.execute(
        text("SELECT rolname FROM pg_roles WHERE rolname IN (:owner, :app)"),
        {"owner": OWNER, "app": APP},
    )
    missing = {OWNER, APP} - set(found.scalars())
    if missing:
        statements = " ".join(
            f"CREATE ROLE {role} LOGIN PASSWORD '...';" for role in sorted(missing)
        )
        return f"The database server lacks a role: create it first, as a superuser: {statements}"
    user = (await connection.execute(text("SELECT current_user"))).scalar_one()
    if user == OWNER:
        return None
    member = await connection.execute(
        text("SELECT pg_has_role(current_user, :owner, 'MEMBER')"), {"owner": OWNER}
    )
    if not member.scalar_one():
        return f"Migrations run as {OWNER}, not as {user}: set DATABASE_OWNER_URL accordingly."
    # Whoever migrates, one role owns everything: or the next migration by another could not alter.
    await connection.execute(text(f"SET ROLE {OWNER}"))
    return None
