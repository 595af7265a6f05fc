"""`python -m tests.peers.smpp_npm`: our own SMPP link against an SMSC made with the npm package "smpp"."""

from __future__ import annotations

import sys
import tempfile
import threading
from importlib.util import find_spec
from pathlib import Path

from storage.enums import DeliveryState
from tests.adapters.channels import free_port
from tests.peers.gateway import Rehearsal, Skipped, a_gateway, a_program, npm_smpp, report

LONG = "PA Kính gửi UBND xã, đèn đường xóm 5 hỏng ba hôm nay, mong cán bộ cử người sửa sớm giúp bà con, xin cảm ơn ạ."
OTHER = "PA Rác thải chất đống ở đầu chợ Đình, bốc mùi hôi thối, đề nghị xã xử lý gấp giúp bà con, đã nhiều ngày rồi."


def rehearse() -> int:
    """A day on the link: in pieces, out, receipts, an operator that restarts."""
    if find_spec("smpplib") is None:
        raise Skipped("the extra is not installed; pip install 'haichieu[smpp]'")
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as data:
        folder, port = npm_smpp(Path(name)), free_port()
        with a_gateway(Path(data)) as gateway:
            settings = {"host": "127.0.0.1", "port": port, "system_id": "xa", "number": "8088", "keyword": "PA"}
            gateway.channel("smpp", "smpp-duc-hue", settings, {"password": "secret"})
            ended = threading.Event()
            thread = threading.Thread(target=_keep, args=(gateway, ended))
            thread.start()
            try:
                _day(gateway, folder, port)
            finally:
                ended.set()
                thread.join(20)
            return gateway.held


def _keep(gateway: Rehearsal, ended: threading.Event) -> None:
    from bot.usecases.smpp import keep_link

    keep_link(gateway.runtime, "smpp-duc-hue", ended.is_set)


def _day(gateway: Rehearsal, folder: Path, port: int) -> None:
    with a_program("node", "smsc.js", str(port), folder=folder) as smsc:
        gateway.expect("the link is bound", lambda: smsc.says('"bound"'))
        smsc.hears(f"mo 84911111111 {LONG}")
        smsc.hears(f"mo 84922222222 {OTHER}")
        wanted = {LONG.removeprefix("PA "), OTHER.removeprefix("PA ")}
        gateway.expect("two phones with one reference are heard apart", lambda: wanted <= set(gateway.heard()))
        gateway.expect(
            "each piece was acknowledged", lambda: [line.get("acknowledged") for line in smsc.got()].count(0) >= 4
        )
        gateway.expect(
            "what is owed goes out and is delivered, says the network",
            lambda: [d.state for d in gateway.owed()].count(DeliveryState.DELIVERED) >= 2,
        )
        smsc.hears("mo 84997000001 PA Ổ gà to ở xóm 7, xe máy ngã")
        smsc.hears("mo 84998000001 PA Cống nghẹt ở xóm 8, nước tràn")
        gateway.expect(
            "an unreachable telephone and a vendor's refusal are told apart",
            lambda: {"undelivered", "smpp_0x410"} <= {d.code for d in gateway.owed()},
        )
    with a_program("node", "smsc.js", str(port), folder=folder) as again:
        gateway.expect("the link comes back by itself", lambda: again.says('"bound"'), 60)
        again.hears("mo 84933333333 PA Cây đổ chắn đường ở xóm 2")
        gateway.expect("and messages flow again", lambda: "Cây đổ chắn đường ở xóm 2" in gateway.heard())


if __name__ == "__main__":
    sys.exit(report("SMSC of the npm package smpp", rehearse))
