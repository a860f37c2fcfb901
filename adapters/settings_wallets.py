"""How much people may do with money before anybody has verified who they are."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from adapters import settings_checks as checks


class WalletSettings(BaseSettings):
    """Limits of wallets."""

    transfer_limits: str = Field(
        "",
        description="What one person may send to others, by asset: with one transfer, in 24 hours, "
        "in 30 days, such as `USDT=5000/10000/50000 BTC=0.1/0.2/1`. Assets that are not named keep "
        "the limits of `adapters/listed_assets.py`.",
    )
    recipient_lookups_per_day: int = Field(
        20,
        ge=1,
        le=10_000,
        description="How many different addresses one person may name as recipients in a day.",
    )

    @field_validator("transfer_limits")
    @classmethod
    def _check_limits(cls, given: str) -> str:
        checks.transfer_limits(given)
        return given
