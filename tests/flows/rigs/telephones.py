"""What every rig of telephones does alike: people with numbers, words without marks, calls that are held back."""

from __future__ import annotations

from adapters._sms_sending import wording
from tests.flows.rigs import held
from tests.sandbox.networks import Networks
from tests.sandbox.running import until


class Telephones:
    """Pretend people with telephones, at a network that runs."""

    net: Networks

    def as_sent(self, text: str) -> str:
        """The words without marks."""
        return wording("", text)

    def citizen(self) -> str:
        """Somebody wants news, which is how one follows a number."""
        who = self.net.phone()
        self.says(who, "NHAN")
        return who

    def urn(self, who: str) -> str:
        """How the gateway names this person."""
        return f"tel:+{who}"

    def says(self, who: str, text: str) -> None:
        """The person writes."""
        assert self.net.says(who, text)

    def again(self, _who: str) -> None:
        """The latest message is brought once more."""
        assert self.net.control("again")["call_id"]

    def swap(self, _who: str) -> None:
        """The last two come in the wrong order."""
        assert self.net.control("swap")["swapped"]

    def bring(self) -> None:
        """Let messages and receipts come in."""
        held(self.net.client, is_held=False)
        until(lambda: not self.net.calls("waiting"), seconds=20)
        held(self.net.client, is_held=True)
