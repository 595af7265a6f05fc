"""`python -m tests.peers.kannel`: Debian's Kannel between us and two pretend operators, its own and one in node."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from storage.enums import DeliveryState
from tests.adapters.channels import free_port
from tests.peers.gateway import Program, Rehearsal, Skipped, a_gateway, a_program, npm_smpp, report

TOKEN = "a-callback-token-of-the-rehearsal"
FAKE = ("/usr/lib/kannel/test/fakesmsc", "/usr/libexec/kannel/test/fakesmsc")
LONG = "PA Kính gửi UBND xã, đèn đường xóm 5 hỏng ba hôm nay, mong cán bộ cử người sửa sớm giúp bà con, xin cảm ơn ạ."
OTHER = "PA Rác thải chất đống ở đầu chợ Đình, bốc mùi hôi thối, đề nghị xã xử lý gấp giúp bà con, đã nhiều ngày rồi."

CONFIG = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = rehearsal
smsbox-port = {box}
smsbox-interface = 127.0.0.1
store-type = file
store-location = "{folder}/kannel.store"
dlr-storage = internal
sms-combine-concatenated-mo = true
sms-combine-concatenated-mo-timeout = 60

group = smsc
smsc = fake
smsc-id = fake1
port = {fake}
connect-allow-ip = 127.0.0.1
allowed-prefix = "+8490;8490"
{smpp}
group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
mo-recode = {recode}
http-request-retry = 5
http-queue-delay = 1

group = sendsms-user
username = commune
password = rehearsal-password
max-messages = 10
concatenation = true
user-allow-ip = "127.0.0.1"

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://127.0.0.1:{door}/webhooks/sms-kannel/{token}?from=%p&to=%P&text=%a&smsc=%i&id=%I&ts=%t&coding=%c&charset=%C"
"""
SMPP = """
group = smsc
smsc = smpp
smsc-id = smpp1
host = 127.0.0.1
port = {port}
smsc-username = "xa"
smsc-password = "secret"
system-type = "VMA"
transceiver-mode = true
source-addr-ton = 5
source-addr-npi = 0
dest-addr-ton = 1
dest-addr-npi = 1
max-pending-submits = 10
throughput = 50
reconnect-delay = 1
denied-prefix = "+8490;8490"
"""


def rehearse() -> int:
    """Both ways, with everything that Kannel does in between."""
    if shutil.which("bearerbox") is None or shutil.which("smsbox") is None:
        raise Skipped("Kannel is not installed; apt-get install kannel kannel-extras")
    held = 0
    for recode in ("true", "false"):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            (folder / "data").mkdir()
            gateway = stack.enter_context(a_gateway(folder / "data"))
            held += _with_kannel(gateway, folder, stack, recode)
    return held


def _with_kannel(gateway: Rehearsal, folder: Path, stack: ExitStack, recode: str) -> int:
    sys.stdout.write(f"        mo-recode = {recode}\n")
    smsc, smpp_port = _node(folder, stack)
    ports = {name: free_port() for name in ("admin", "box", "fake", "sendsms")}
    smpp = SMPP.format(port=smpp_port) if smsc else ""
    path = folder / "kannel.conf"
    path.write_text(CONFIG.format(**ports, folder=folder, door=gateway.port, token=TOKEN, smpp=smpp, recode=recode))
    gateway.channel(
        "sms",
        "sms-kannel",
        {
            "profile": "kannel", "number": "8088", "keyword": "PA",
            "send_url": f"http://127.0.0.1:{ports['sendsms']}/cgi-bin/sendsms",
        },
        {"api_key": "commune", "api_secret": "rehearsal-password", "callback_token": TOKEN},
    )  # fmt: skip
    bearerbox = stack.enter_context(a_program("bearerbox", str(path), folder=folder))
    gateway.expect("bearerbox is up", lambda: bearerbox.says("MAIN: Start-up done") or bearerbox.says("Start-up"), 20)
    smsbox = stack.enter_context(a_program("smsbox", str(path), folder=folder))
    gateway.expect("smsbox is up", lambda: smsbox.says("Connected to bearerbox") or smsbox.says("smsbox"), 20)
    _own_operator(gateway, folder, stack, ports["fake"])
    if smsc is not None:
        _foreign_operator(gateway, smsc)
    return gateway.held


def _own_operator(gateway: Rehearsal, folder: Path, stack: ExitStack, port: int) -> None:
    found = [path for path in FAKE if Path(path).exists()]
    if not found:
        sys.stdout.write("!!!!!!  SKIPPED fakesmsc: apt-get install kannel-extras\n")
        return
    words = "84901234567 8088 text PA den duong hong o xom 5, toi om ca tuan nay"
    fake = stack.enter_context(
        a_program(found[0], "-H", "127.0.0.1", "-r", str(port), "-i", "0.1", "-m", "1", words, folder=folder)
    )
    gateway.expect(
        "a message of fakesmsc is heard without its keyword",
        lambda: "den duong hong o xom 5, toi om ca tuan nay" in gateway.heard(),
    )
    gateway.sends()
    gateway.expect("Kannel took the acknowledgement", lambda: gateway.owed()[0].state.reached_channel)
    gateway.expect("it came to the telephone", lambda: fake.says("da tiep nhan PA"))


def _foreign_operator(gateway: Rehearsal, smsc: Program) -> None:
    gateway.expect("Kannel is bound to the operator in node", lambda: smsc.says('"bound"'))
    smsc.hears(f"mo 84911111111 {LONG}")
    smsc.hears(f"mo 84922222222 {OTHER}")
    wanted = {LONG.removeprefix("PA "), OTHER.removeprefix("PA ")}
    gateway.expect(
        "two long messages with marks and one reference are heard whole", lambda: wanted <= set(gateway.heard())
    )
    gateway.sends()
    gateway.expect(
        "their acknowledgements are delivered, says the network",
        lambda: [d.state for d in gateway.owed() if d.external_id and d.urn_id].count(DeliveryState.DELIVERED) >= 2,
    )
    smsc.hears("mo 84997000001 PA Ổ gà to ở xóm 7, xe máy ngã")
    smsc.hears("mo 84998000001 PA Cống nghẹt ở xóm 8, nước tràn")
    gateway.expect("two more are heard", lambda: len(gateway.heard()) >= len(wanted) + 2)
    gateway.sends()
    gateway.expect(
        "a telephone that cannot be reached, and a vendor's refusal, are told to officials",
        lambda: [d.code for d in gateway.owed() if d.state is DeliveryState.REFUSED].count("undelivered") >= 2,
    )


def _node(folder: Path, stack: ExitStack) -> tuple[Program | None, int]:
    port = free_port()
    (folder / "node").mkdir()
    try:
        place = npm_smpp(folder / "node")
    except Skipped as skip:
        sys.stdout.write(f"!!!!!!  SKIPPED the operator in node: {skip}\n")
        return None, port
    return stack.enter_context(a_program("node", "smsc.js", str(port), folder=place)), port


if __name__ == "__main__":
    sys.exit(report("Kannel", rehearse))
