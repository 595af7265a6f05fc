"""What a sandbox is told when it is made: where it keeps its state and whom it pretends to serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class SandboxAccount:
    """A pretend Official Account, the app that serves it, and where its webhooks go."""

    app_id: str
    app_secret: str = field(repr=False)
    oa_id: str
    oa_secret: str = field(repr=False)
    oa_name: str
    webhook_url: str
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    redirect_uri: str = ""
    requires_proof: bool = False
    switched_off_events: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SandboxBot:
    """A pretend bot; `platform` is the name of one of `platforms.PLATFORMS`."""

    token: str = field(repr=False)
    name: str = "Bot tập dượt"
    username: str = "tap_duot_bot"
    platform: str = "telegram"

    @property
    def bot_id(self) -> str:
        """The bot's own number, the first half of its token."""
        return self.token.partition(":")[0]


@dataclass(frozen=True)
class SandboxSms:
    """A pretend number of a commune on the mobile networks, and the account through which it is reached.

    `provider`: kannel, esms, speedsms, vonage, or smpp for an account on the pretend SMSC. `key` and `secret`: what the
    provider calls so (on the SMSC: system_id and password). `callback_url`: where citizens' messages are brought, for
    Kannel with its %-escapes; `receipt_url`: receipts, where a message does not say it itself.
    """

    number: str
    key: str = field(repr=False)
    secret: str = field(default="", repr=False)
    provider: str = "kannel"
    callback_url: str = field(default="", repr=False)
    receipt_url: str = field(default="", repr=False)
    callback_key: str = field(default="", repr=False)
    name: str = "Xã tập dượt"

    @property
    def account_id(self) -> str:
        """How the control pages call it."""
        return f"{self.provider}:{self.number}"


@dataclass(frozen=True)
class SandboxVillage:
    """A village on a pretend source information system, with its loudspeakers and one board.

    `convention`: how that system writes values, epoch or iso. `broken`: which of the clusters, counted from 1, are.
    `area`: by which the province names it.
    """

    username: str
    password: str = field(repr=False)
    convention: str = "epoch"
    name: str = "Xã tập dượt"
    clusters: int = 15
    broken: tuple[int, ...] = (15,)
    token_seconds: int = 3_600
    area: str = "27925"

    @property
    def account_id(self) -> str:
        """How the control pages call it."""
        return f"loa:{self.username}"


@dataclass(frozen=True)
class Place:
    """A spot a citizen can share with one tap."""

    label: str
    latitude: str
    longitude: str


@dataclass(frozen=True)
class SandboxTemplate:
    """An approved message; `by_uid`: it may also go to whoever wrote to the OA, not only to a telephone number."""

    id: str
    text: str
    by_uid: bool = True


NEW_ANSWER = "Phản ánh {ma_phan_anh} về {chu_de} đã có trả lời của {don_vi}. Vui lòng hỏi tại {lien_he}."
TEMPLATES = (SandboxTemplate("400001", NEW_ANSWER), SandboxTemplate("400002", NEW_ANSWER, by_uid=False))
PLACES = (
    Place("Cổng chợ (điểm mẫu)", "10.7412305", "106.2871044"),
    Place("Cầu đầu xã (điểm mẫu)", "10.7366121", "106.2950817"),
)


@dataclass(frozen=True)
class SandboxSettings:
    """How this sandbox runs; durations are seconds."""

    db_path: Path
    accounts: Sequence[SandboxAccount]
    public_prefix: str = ""
    public_url: str = ""
    allow_control: bool = False
    send_delay: tuple[float, float] = (0.0, 0.0)
    receipt_delay: tuple[float, float] = (0.05, 0.3)
    echoes: bool = True
    receipts: bool = True
    access_token_seconds: int = 90_000
    access_token_grace: float = 10.0
    requests_per_minute: int = 4_000
    deliver_webhooks: bool = True
    webhook_workers: int = 4
    webhook_timeout: float = 2.0
    retry_time_scale: float = 1.0
    places: Sequence[Place] = PLACES
    bots: Sequence[SandboxBot] = ()
    sms: Sequence[SandboxSms] = ()
    villages: Sequence[SandboxVillage] = ()
    smsc_port: int | None = None  # where the pretend SMSC listens; 0: any free port, None: there is none
    keeps_night: bool = False
    templates: Sequence[SandboxTemplate] = TEMPLATES
    longest_poll: float = 2.0  # a server that ends need not wait for those who ask

    def __post_init__(self) -> None:
        """Refuse settings that would make two accounts indistinguishable."""
        ids = [account.oa_id for account in self.accounts]
        if not ids or len(set(ids)) != len(ids):
            raise ValueError("a sandbox needs at least one account, and every oa_id once")
        if len({bot.bot_id for bot in self.bots}) != len(self.bots):
            raise ValueError("every bot of a sandbox needs a number of its own")
        names = [one.account_id for one in self.sms]
        if len(set(names)) != len(names):
            raise ValueError("every number of the pretend SMS once at each provider")
        if len({one.username for one in self.villages}) != len(self.villages):
            raise ValueError("every village of a sandbox needs an account of its own")

    def account(self, oa_id: str) -> SandboxAccount | None:
        """The account with this OA id, if we pretend to serve it."""
        return next((account for account in self.accounts if account.oa_id == oa_id), None)

    def bot_of(self, token: str, platform: str) -> SandboxBot | None:
        """The platform's bot with this token, if there is one."""
        return next((bot for bot in self.bots_of(platform) if bot.token == token), None)

    def bots_of(self, platform: str) -> list[SandboxBot]:
        """The bots of one platform."""
        return [bot for bot in self.bots if bot.platform == platform]

    def sms_of(self, account_id: str) -> SandboxSms | None:
        """The SMS account of this name; without a name, the first."""
        return next((account for account in self.sms if account_id in {"", account.account_id}), None)

    def village_of(self, username: str) -> SandboxVillage | None:
        """The village with this account; without a name, the first."""
        return next((one for one in self.villages if username in {"", one.username}), None)

    def accounts_of(self, app_id: str) -> list[SandboxAccount]:
        """The accounts one app serves."""
        return [account for account in self.accounts if account.app_id == app_id]
