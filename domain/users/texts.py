"""What notifications say, in every language people can choose.

A notification keeps a code and values; its words are made when it is read, so that a better
sentence, or another language, reaches old messages too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.users.model import Locale, Notification


@dataclass(frozen=True, slots=True)
class Text:
    """A message in words."""

    title: str
    body: str


_EN: Mapping[str, Text] = {
    "NEW_DEVICE": Text(
        "New device",
        "Somebody signed in to your account on a device it has never seen. If it was not you, "
        "end that session and freeze your account.",
    ),
    "SESSION_ENDED": Text("Session ended", "One of your sessions was ended: {by}."),
    "ACCOUNT_FROZEN": Text(
        "Account frozen", "Your account was frozen by {by}. Write to support to have it unfrozen."
    ),
    "ACCOUNT_UNFROZEN": Text("Account unfrozen", "Your account works again. Sign in anew."),
    "ERASURE_REQUESTED": Text(
        "Your account will be erased",
        "It will be erased on {eraseAfter} and cannot be brought back. Until then you can "
        "withdraw this.",
    ),
    "ERASURE_WITHDRAWN": Text("Your account stays", "The wish to erase it was withdrawn."),
    "ROLES_CHANGED": Text("Your roles changed", "You now are: {roles}."),
    "MONEY_DEPOSITED": Text("Money arrived", "{availableChange} {asset} came to your wallet."),
    "MONEY_RECEIVED": Text(
        "Money received", "Somebody sent you {availableChange} {asset}. It is in your wallet."
    ),
    "WALLET_FROZEN": Text(
        "Wallet frozen",
        "Nothing can leave your {asset} wallet until our staff unfreezes it; what comes in is "
        "credited. Write to support.",
    ),
    "WALLET_UNFROZEN": Text("Wallet unfrozen", "Your {asset} wallet works again."),
}
_RU: Mapping[str, Text] = {
    "NEW_DEVICE": Text(
        "Новое устройство",
        "В ваш аккаунт вошли с устройства, которого раньше не было. Если это были не вы, "
        "завершите этот сеанс и заморозьте аккаунт.",
    ),
    "SESSION_ENDED": Text("Сеанс завершён", "Один из ваших сеансов завершён: {by}."),
    "ACCOUNT_FROZEN": Text(
        "Аккаунт заморожен",
        "Кто заморозил аккаунт: {by}. Чтобы разморозить его, напишите в поддержку.",
    ),
    "ACCOUNT_UNFROZEN": Text("Аккаунт разморожен", "Аккаунт снова работает. Войдите заново."),
    "ERASURE_REQUESTED": Text(
        "Аккаунт будет удалён",
        "Дата удаления: {eraseAfter}. Вернуть аккаунт будет нельзя. До этого дня удаление можно "
        "отменить.",
    ),
    "ERASURE_WITHDRAWN": Text("Аккаунт остаётся", "Просьба удалить аккаунт отозвана."),
    "ROLES_CHANGED": Text("Ваши роли изменились", "Теперь у вас роли: {roles}."),
    "MONEY_DEPOSITED": Text(
        "Деньги поступили", "На ваш кошелёк поступило {availableChange} {asset}."
    ),
    "MONEY_RECEIVED": Text(
        "Вам перевели деньги", "Вам перевели {availableChange} {asset}. Они уже на кошельке."
    ),
    "WALLET_FROZEN": Text(
        "Кошелёк заморожен",
        "Пока наш сотрудник не разморозит кошелёк {asset}, с него нельзя ничего вывести; "
        "поступления зачисляются. Напишите в поддержку.",
    ),
    "WALLET_UNFROZEN": Text("Кошелёк разморожен", "Кошелёк {asset} снова работает."),
}
CATALOGUE: Mapping[Locale, Mapping[str, Text]] = {Locale.EN: _EN, Locale.RU: _RU}

_WORDS: Mapping[Locale, Mapping[str, str]] = {
    Locale.EN: {
        "OWNER": "yourself",
        "STAFF": "our staff",
        "REVOKED": "you revoked it",
        "REVOKED_BY_STAFF": "our staff revoked it",
        "ACCOUNT_FROZEN": "the account was frozen",
        "ACCOUNT_ERASED": "the account was erased",
    },
    Locale.RU: {
        "OWNER": "вы",
        "STAFF": "наш сотрудник",
        "REVOKED": "вы его отозвали",
        "REVOKED_BY_STAFF": "его отозвал наш сотрудник",
        "ACCOUNT_FROZEN": "аккаунт заморожен",
        "ACCOUNT_ERASED": "аккаунт удалён",
    },
}
_DAY_LENGTH = len("2026-01-31")


def text_of(notification: Notification, locale: Locale) -> Text:
    """The words of a notification. A code without words is a bug, and KeyError says which."""
    template = CATALOGUE[locale][notification.code]
    values = dict(notification.values)
    if "by" in values:
        values["by"] = _WORDS[locale].get(values["by"], values["by"])
    if "eraseAfter" in values:
        values["eraseAfter"] = values["eraseAfter"][:_DAY_LENGTH]
    return Text(template.title, template.body.format_map(values))
