"""A storm day: what a commune's people write when much is broken at once, and which words are about the same thing.

The same for a seed. Every word is invented. People write with and without accents, short and long, with pins, with the
names of places, with neither and only when they are asked; in between they write about other things, some of which are
of the same kind close by, of another kind at the same spot, or were put in order days ago.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from storage.communes import Place
from tests.builders import World

PLACES = (
    ("Thôn Bình Hòa", "thôn", ("xóm Bình Hòa",), ""),
    ("Thôn Tân Lập", "thôn", ("xóm Tân Lập",), ""),
    ("Thôn Phú Mỹ", "thôn", (), ""),
    ("Thôn Rạch Gốc", "thôn", ("Rạch Gốc",), ""),
    ("Thôn Giồng Dứa", "thôn", (), ""),
    ("Chợ Gò Mây", "chợ", (), "Thôn Phú Mỹ"),
    ("Trường Tiểu học Võ Văn Tần", "trường", ("trường Võ Văn Tần",), "Thôn Bình Hòa"),
    ("Cầu Sắt Cũ", "cầu", ("cầu sắt",), "Thôn Rạch Gốc"),
    ("Ngã ba Cây Gáo", "ngã ba", ("ngã 3 cây gáo",), "Thôn Tân Lập"),
    ("Nhà văn hóa Phú Mỹ", "nhà văn hóa", ("nvh Phú Mỹ",), "Thôn Phú Mỹ"),
    ("Trạm y tế", "trạm y tế", (), "Thôn Phú Mỹ"),
    ("Đường Đê Bao", "đường", ("đê bao",), "Thôn Rạch Gốc"),
)


@dataclass(frozen=True)
class Matter:
    """One thing that is broken: where it is (degrees), what people call the spot, and how they tell of it.

    `told`: sentences with {o} for the spot, which may be left out. `sizes`: how many write of it, at least and at most.
    """

    name: str
    point: tuple[float, float]
    spots: tuple[str, ...]
    told: tuple[str, ...]
    sizes: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class Said:
    """What one person says: minutes after the storm begins, on which channel, the words, a pin, an answer to "where?".

    `truth`: the matter's name; every report of something else has a name of its own, and "" opens no report.
    """

    minute: float
    channel: str
    person: int
    text: str
    truth: str
    pin: tuple[float, float] | None = None
    answer: str = ""


INCIDENTS = (
    Matter("bom", (10.8040, 106.3100), ("Bình Hòa", "thôn Bình Hòa", "xóm Bình Hòa"), (
        "trạm bơm tiêu {o} ngưng chạy từ khuya, nước dâng tới thềm nhà",
        "Máy bơm ở trạm bơm {o} hư rồi, nước ruộng tràn vô đường không ai coi",
        "nước ngập lênh láng {o} do trạm bơm không hoạt động, xã cho người vận hành gấp",
        "ngập tới đầu gối rồi mà trạm bơm {o} im re, cống cũng không thoát",
        "sao trạm bơm {o} không mở vậy xã, nhà tôi nước vô tới bếp",
        "{o} ngập hết trơn, hỏi ra mới biết cái bơm cháy mô tơ",
        "bà con {o} nhờ xã sửa trạm bơm, nước không rút được",
        "nước mưa không tiêu được vì trạm bơm chết máy, {o} thành sông",
        "ngập úng {o} cả đêm, máy bơm của trạm đứng yên",
    ), (24, 40)),
    Matter("matdien", (10.8120, 106.3200), ("thôn Tân Lập", "Tân Lập", "xóm Tân Lập"), (
        "mất điện {o} từ 3 giờ sáng tới giờ chưa có lại",
        "cúp điện {o} cả thôn, điện lực không ai nghe máy",
        "Cho hỏi khi nào có điện lại ở {o}, tủ đông hư hết đồ",
        "{o} không có điện từ đêm qua, nhà có người già phải thở máy xin ưu tiên",
        "điện {o} mất từ lúc bão vô, cả xóm tối thui",
        "báo mất điện {o}, nghe nói nhảy trạm biến áp",
        "nhà tôi với mấy nhà bên cạnh ở {o} mất điện từ tối qua, gọi 19001006 không được",
        "điện lưới {o} chập chờn rồi cúp luôn",
    ), (24, 44)),
    Matter("caydo", (10.8052, 106.3121),
           ("cổng trường Võ Văn Tần", "trường Tiểu học Võ Văn Tần", "trước trường Võ Văn Tần"), (
        "cây phượng {o} đổ chắn ngang đường không ai qua được",
        "Cây lớn bật gốc nằm giữa đường {o}, nhờ xã cho người cưa dọn",
        "có cây ngã {o} đè lên hàng rào, các cháu không vào học được",
        "cây xanh {o} gãy đổ từ đêm qua, xe phải quay đầu",
        "{o} có cây đổ bít lối đi, cần cưa máy",
        "gốc phượng già {o} trốc gốc, cành nằm la liệt ra lộ",
        "xin dọn giùm cây đổ {o}, phụ huynh đưa con đi học phải vòng xa",
    ), (14, 26)),
    Matter("cotdien", (10.8135, 106.3228), ("ngã ba Cây Gáo", "ngã 3 cây gáo", "chỗ ngã ba Cây Gáo"), (
        "trụ điện {o} nghiêng sắp đổ, dây võng xuống sát đầu người đi đường",
        "cột điện {o} bị gió quật nghiêng, ai đi qua cũng sợ",
        "dây điện {o} sà xuống đường rất nguy hiểm, cột thì xiêu",
        "xin báo trụ điện bị nghiêng {o}, dây chùng gần chạm mái nhà",
        "cây trụ điện {o} lệch hẳn một bên, gió nữa là đổ",
        "cột bê tông mắc điện {o} nứt chân nghiêng ra lộ",
    ), (12, 22)),
    Matter("sutlun", (10.7985, 106.3050), ("cầu sắt cũ", "chân cầu sắt", "dốc cầu Sắt Cũ"), (
        "đường dẫn lên {o} sụt một hố sâu cả mét, xe máy không qua được",
        "mố {o} bị xói lở lòi đất ra, mặt đường nứt toác",
        "{o} đường sụp rồi, tối nay không rào là có người lọt xuống",
        "mặt đường chỗ {o} lún sâu sau mưa, xe tải qua là sập",
        "hố tử thần ngay {o}, đề nghị căng dây cảnh báo",
        "lộ {o} bị nước khoét thành hàm ếch, lún xuống",
    ), (14, 26)),
    Matter("ngapcho", (10.8080, 106.3150), ("chợ Gò Mây", "trong chợ Gò Mây", "khu chợ Gò Mây"), (
        "nước ngập {o} cả tiểu thương không bán buôn gì được",
        "cống {o} nghẹt nên nước đen tràn lên, ngập nửa bánh xe",
        "{o} ngập từ sáng, miệng cống bị bít nước không rút",
        "hàng quán {o} ngâm nước hết rồi, nhờ thông cống giùm",
        "mới mưa có chút mà {o} đã ngập, hố ga đầy bùn",
        "đường vô {o} thành cái ao, nước không có chỗ thoát",
    ), (16, 30)),
    Matter("dencho", (10.8081, 106.3151), ("chợ Gò Mây", "trước chợ Gò Mây", "đoạn chợ Gò Mây"), (
        "đèn đường {o} tắt hết, tối đen như mực",
        "dãy đèn chiếu sáng {o} không sáng bóng nào sau trận gió",
        "{o} tối om không thấy đường đi, mấy bóng đèn hư hết",
        "đèn cao áp {o} hỏng, đi bán khuya sợ quá",
        "xin thay bóng đèn đường {o}, cả đoạn dài tối thui",
    ), (9, 16)),
    Matter("raccho", (10.8079, 106.3149), ("chợ Gò Mây", "sau chợ Gò Mây", "cạnh chợ Gò Mây"), (
        "rác {o} chất thành đống bốc mùi, xe gom không tới",
        "rác trôi đầy {o} hôi thối, ruồi bay vô quán ăn",
        "mấy bữa nay {o} không ai lấy rác, túi nylon bay tứ tung",
        "đống rác {o} cao ngang người, nước rỉ ra đường",
        "đề nghị thu gom rác {o}, để lâu sinh bệnh",
    ), (9, 16)),
    Matter("matnuoc", (10.8122, 106.3203), ("thôn Tân Lập", "Tân Lập", "xóm Tân Lập"), (
        "nước máy {o} ngưng chảy từ sáng, không có nước nấu cơm",
        "{o} không có nước sinh hoạt, vòi mở ra toàn hơi",
        "bể ống nước chính nên {o} mất nước, xài nước mưa cầm hơi",
        "cúp nước {o} cả ngày rồi, trạm cấp nước không báo trước",
        "nước sạch {o} bị cắt, có thì chảy nhỏ giọt đục ngầu",
    ), (10, 20)),
    Matter("internet", (10.8101, 106.3172), ("thôn Phú Mỹ", "Phú Mỹ", "khu Phú Mỹ"), (
        "mạng internet {o} rớt từ tối qua, cáp quang đứt",
        "wifi {o} mất hết, tụi nhỏ không học online được",
        "cáp viễn thông {o} bị đứt rơi lòng thòng, mất mạng cả xóm",
        "{o} không có mạng, gọi nhà mạng bảo chờ",
        "dây cáp mạng {o} đứt sau bão, nhờ xã hối VNPT",
    ), (9, 18)),
    Matter("de", (10.7960, 106.3010), ("đê bao", "đường đê bao", "đê bao Rạch Gốc"), (
        "{o} rò nước qua thân đê, có nguy cơ vỡ",
        "bờ {o} sạt một đoạn chừng chục mét, nước sông đang lên",
        "sạt lở {o}, đất trôi xuống rạch từng mảng",
        "nước thấm qua {o} chảy ròng ròng, cần bao cát gấp",
        "{o} nứt dài, bà con lo vỡ đê ngập cả cánh đồng",
    ), (10, 20)),
)  # fmt: skip

# Each a matter of its own, some very like an incident: of its kind close by or far, or at its spot of another kind.
OTHERS = (
    ("cây me trước nhà văn hóa Phú Mỹ gãy nhánh đè dây cáp", (10.8106, 106.3180)),
    ("cây bạch đàn ngã vô vườn nhà bà Tư ở thôn Giồng Dứa", (10.8205, 106.3302)),
    ("đèn đường xóm Bình Hòa chỗ khúc quanh hư một bóng", (10.8031, 106.3088)),
    ("đèn đường thôn Giồng Dứa chớp tắt cả đêm", (10.8210, 106.3310)),
    ("ổ gà to trước trạm y tế, xe chở bệnh nhân xóc quá", (10.8111, 106.3166)),
    ("đường đất thôn Giồng Dứa lầy lội không đi được", (10.8199, 106.3299)),
    ("rác tấp đầy mương thôn Giồng Dứa", (10.8201, 106.3315)),
    ("xe rác bỏ qua đoạn nhà văn hóa Phú Mỹ hai tuần rồi", (10.8104, 106.3181)),
    ("karaoke loa kéo nhà đối diện trạm y tế hát tới khuya", None),
    ("quán nhậu gần chợ Gò Mây mở nhạc ầm ầm", None),
    ("chó thả rông thôn Phú Mỹ rượt cắn xe đạp tụi nhỏ", None),
    ("heo nhà hàng xóm ở Tân Lập bệnh chết vứt xuống kênh", None),
    ("lò giết mổ thôn Bình Hòa xả nước hôi ra rạch", (10.8012, 106.3061)),
    ("khói đốt rơm thôn Rạch Gốc mù mịt mấy ngày", None),
    ("cho hỏi làm giấy khai sinh cho cháu cần mang gì ra xã", None),
    ("hồ sơ chứng thực của tôi nộp tuần trước chưa thấy trả", None),
    ("tiền trợ cấp người cao tuổi tháng này chưa nhận được", None),
    ("trường Võ Văn Tần thu tiền quỹ phụ huynh cao quá", None),
    ("ranh đất nhà tôi với hàng xóm chưa cắm mốc, xin cho địa chính xuống đo", None),
    ("lúa thôn Rạch Gốc bị rầy nâu, nhờ cán bộ khuyến nông", None),
    ("ghe cát neo sát bờ thôn Rạch Gốc làm ồn ban đêm", None),
    ("xe ben chạy quá tải qua ngã ba Cây Gáo làm bụi", (10.8134, 106.3227)),
    ("biển báo giao thông ngã ba Cây Gáo bị che khuất", (10.8136, 106.3229)),
    ("lan can cầu Sắt Cũ gãy mất một thanh", (10.7986, 106.3051)),
    ("tiệm sửa xe trước trường Võ Văn Tần lấn hết lề đường", None),
    ("bán hàng rong lấn chiếm trước chợ Gò Mây kẹt xe", (10.8080, 106.3152)),
    ("thực phẩm trong chợ Gò Mây bán thịt có mùi lạ", None),
    ("loa phát thanh thôn Phú Mỹ rè không nghe được gì", None),
    ("nhà hàng xóm thôn Bình Hòa cơi nới lấn lối đi chung", None),
    ("trộm cạy cửa nhà tôi ở thôn Giồng Dứa lấy xe máy", None),
    ("có người gọi xưng công an xã bắt chuyển tiền", None),
    ("muỗi nhiều quá xin phun thuốc sốt xuất huyết ở Giồng Dứa", None),
    ("nhà văn hóa Phú Mỹ dột mái không họp được", (10.8105, 106.3181)),
    ("điện nhà tôi ở Giồng Dứa bị chập nhảy cầu dao hoài", (10.8200, 106.3305)),
    ("đồng hồ nước nhà tôi ở Rạch Gốc chạy sai, tiền nước tăng gấp đôi", None),
    ("mạng di động thôn Giồng Dứa yếu, gọi không được", None),
    ("nước đọng trước cổng trạm y tế vì cống nhỏ", (10.8112, 106.3165)),
    ("ngập sân nhà văn hóa Phú Mỹ", (10.8106, 106.3182)),
    ("ruộng nhà tôi ở Giồng Dứa ngập úng mất trắng", None),
    ("mương nội đồng Rạch Gốc bồi lắng xin nạo vét", None),
)  # fmt: skip
EMERGENCIES = (
    "cháy nhà ở thôn Giồng Dứa, cứu với", "có người té xuống kênh chỗ Rạch Gốc chưa vớt được",
    "tai nạn xe ở ngã ba Cây Gáo có người bất tỉnh", "nhà sập ở Tân Lập có người kẹt bên trong",
)  # fmt: skip
SECRET = ("tôi tố cáo cán bộ chợ Gò Mây ăn chặn tiền hỗ trợ bão của dân",)
CHATTER = ("chào xã", "cảm ơn cán bộ nhiều", "ok", "dạ vâng", "👍", "xã trực khuya vất vả quá")
# Put in order days ago, at the spots of today's incidents.
SOLVED = (
    ("đèn đường trước chợ Gò Mây tắt mấy hôm nay", (10.8081, 106.3151)),
    ("rác sau chợ Gò Mây không ai gom, hôi quá", (10.8079, 106.3149)),
    ("mất điện thôn Tân Lập từ chiều", (10.8121, 106.3201)),
    ("cống chợ Gò Mây nghẹt nước tràn ra đường", (10.8080, 106.3150)),
)
_OPENINGS = (
    "", "", "", "", "", "alo xã ơi ", "Kính gửi UBND xã, ", "cho tôi phản ánh ", "báo xã: ", "Ad ơi ", "dạ ",
    "Xin chào, ", "em báo là ", "nhờ các anh chị coi giùm, ", "trời ơi ",
)  # fmt: skip
_CLOSINGS = (
    "", "", "", "", "", ". Mong xã xử lý sớm", " ạ", ", cảm ơn", " giúp bà con với", "!!!", ". nhà có con nhỏ", " nha",
    ", từ lúc bão tới giờ", " mà chưa thấy ai xuống", ". Tôi tên Hùng ở gần đó",
)  # fmt: skip
_SHORT = {
    " không ": (" k ", " ko ", " hông "), " được": (" dc", " đc"), " rồi": (" r", " rùi"), " với ": (" vs ",),
    " gì": (" j",), " đường ": (" đg ",), " người ": (" ng ",),
}  # fmt: skip


def add_places(world: World) -> None:
    """The commune's own list, with what belongs to what."""
    with world.runtime.database.transaction() as session:
        session.add_all(
            Place(commune_id=world.commune_id, name=name, kind=kind, aliases=list(aliases), parent=parent)
            for name, kind, aliases, parent in PLACES
        )


def a_storm(seed: int, reports: int = 400) -> list[Said]:
    """What is said on the day, in the order it was said; about so many messages that are words."""
    chance = random.Random(seed)
    share = reports / 400
    people = iter(range(1, 10_000))
    said: list[Said] = []
    for matter in INCIDENTS:
        begins = chance.uniform(0, 120)
        for _ in range(max(3, round(chance.randint(*matter.sizes) * share))):
            minute = begins + chance.expovariate(1 / 60)
            said.append(_about(chance, matter, minute, next(people)))
    rest = max(0, reports - len(said))
    strange = chance.sample(OTHERS, min(rest, len(OTHERS)))
    said += [_other(chance, number, one, next(people)) for number, one in enumerate(strange)]
    said += [
        Said(chance.uniform(0, 300), _channel(chance), next(people), _styled(chance, text), f"khẩn {number}")
        for number, text in enumerate(EMERGENCIES)
    ]
    said += [Said(chance.uniform(0, 300), "zalo", next(people), text, f"kín {n}") for n, text in enumerate(SECRET)]
    while len(said) < reports:
        said.append(Said(chance.uniform(0, 300), _channel(chance), next(people), chance.choice(CHATTER), ""))
    return sorted(said, key=lambda one: (one.minute, one.person))


def _about(chance: random.Random, matter: Matter, minute: float, person: int) -> Said:
    channel = _channel(chance)
    sentence, spot = chance.choice(matter.told), chance.choice(matter.spots)
    is_pinned = channel != "sms" and chance.random() < 0.35
    is_named = chance.random() < (0.6 if is_pinned else 0.82)
    words = sentence.replace("{o}", spot if is_named else "").replace("  ", " ").strip(" ,")
    framed = f"{chance.choice(_OPENINGS)}{words}{chance.choice(_CLOSINGS)}"
    text = _styled(chance, framed, is_bare=_is_bare(chance, channel))
    pin = _near(chance, matter.point) if is_pinned else None
    answer = "" if is_named or pin or chance.random() < 0.4 else chance.choice(matter.spots)
    return Said(minute, channel, person, text, matter.name, pin, answer)


def _other(chance: random.Random, number: int, one: tuple[str, tuple[float, float] | None], person: int) -> Said:
    text, point = one
    channel = _channel(chance)
    pin = _near(chance, point) if point and channel != "sms" and chance.random() < 0.6 else None
    framed = f"{chance.choice(_OPENINGS)}{text}{chance.choice(_CLOSINGS)}"
    styled = _styled(chance, framed, is_bare=_is_bare(chance, channel))
    return Said(chance.uniform(0, 300), channel, person, styled, f"khác {number}", pin)


def _channel(chance: random.Random) -> str:
    return chance.choices(("zalo", "telegram", "sms"), (60, 15, 25))[0]


def _is_bare(chance: random.Random, channel: str) -> bool:
    return chance.random() < (0.85 if channel == "sms" else 0.3)


def _near(chance: random.Random, point: tuple[float, float]) -> tuple[float, float]:
    """Where somebody stands who speaks of that spot: mostly within fifty metres."""
    return (
        round(point[0] + chance.gauss(0, 0.0002), 6),
        round(point[1] + chance.gauss(0, 0.0002), 6),
    )


def _styled(chance: random.Random, text: str, *, is_bare: bool = False) -> str:
    """As somebody types it: shorthand, slips, without accents, in capitals, without stops."""
    if chance.random() < 0.3:
        for long, shorts in _SHORT.items():
            if chance.random() < 0.6:
                text = text.replace(long, chance.choice(shorts))
    if is_bare:
        text = bare(text)
    if chance.random() < 0.25:
        text = _slip(chance, text)
    if chance.random() < 0.06:
        text = text.upper()
    if chance.random() < 0.3:
        text = text.replace(",", "").replace(".", " ")
    return " ".join(text.split())


def _slip(chance: random.Random, text: str) -> str:
    at = [n for n in range(1, len(text) - 2) if text[n].isalpha() and text[n + 1].isalpha()]
    if not at:
        return text
    n = chance.choice(at)
    kind = chance.randrange(3)
    if kind == 0:
        return text[:n] + text[n + 1] + text[n] + text[n + 2 :]
    return text[:n] + (text[n] * 2 if kind == 1 else "") + text[n + 1 :]


def bare(text: str) -> str:
    """Without accents."""
    kept = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in kept if not unicodedata.combining(c))


# ---- how well the proposals tell ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """Pairs of tickets: proposed as one, truly one, and both."""

    proposed: int
    true: int
    both: int
    wrong: list[tuple[str, str]] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Of what was proposed, how much is so."""
        return self.both / self.proposed if self.proposed else 1.0

    @property
    def recall(self) -> float:
        """Of what is so, how much was proposed."""
        return self.both / self.true if self.true else 1.0


def measured(groups: Sequence[tuple[str, int]]) -> Measured:
    """Compare groups with the truth: for each ticket what it is about and the group it was put into."""
    pairs = [(a, b) for n, a in enumerate(groups) for b in groups[n + 1 :]]
    proposed = [(a, b) for a, b in pairs if a[1] == b[1]]
    true = sum(a[0] == b[0] for a, b in pairs)
    wrong = [(a[0], b[0]) for a, b in proposed if a[0] != b[0]]
    return Measured(len(proposed), true, len(proposed) - len(wrong), wrong)


def shifted(said: Said, minutes: float) -> Said:
    """The same words at another time."""
    return replace(said, minute=said.minute + minutes)
