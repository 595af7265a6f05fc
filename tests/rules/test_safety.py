"""Answers to "safe or in need of help?", as people give them."""

from __future__ import annotations

import pytest

from bot.rules.safety import Meaning, meaning_of
from nlp.normalise import fold

SAFE = """
AN TOÀN
An toàn
an toan
AN TOAN
antoan
an tona
An toàn ạ
dạ an toàn
nhà tôi an toàn
nha e an toan het roi
cả nhà vẫn an toàn, cảm ơn xã
an toàn, không bị ngập
mọi người đều bình an
gia đình tôi bình yên
nhà mình không sao
nha toi ko sao ca
không sao đâu
chưa sao
chưa bị ngập
không cần giúp
ko can giup gi
khỏi cần giúp
không ai bị thương, an toàn cả
vẫn ổn
on ca
ổn rồi
bên này ổn hết
đã sơ tán rồi
đã di dời lên trường rồi ạ
nhà tôi hết nguy hiểm rồi
lúc nãy cần giúp nhưng giờ an toàn rồi
an toàn rồi, không cần cứu nữa
đừng lo, nhà tôi ổn
an toàn r
bt
safe
không ngập
""".strip().splitlines()
HELP = """
CẦN GIÚP
Cần giúp
can giup
CAN GIUP
cangiup
can gip
cần giúp với
cần giúp đỡ gấp
cứu với nước ngập tới mái rồi
cứu với
cứu
cuuuu voi
cuu toi voi
cứu mạng
sos
help
giúp với
giup nha em voi
không an toàn
ko an toan
k an toan
chưa an toàn đâu
nhà tôi không còn an toàn nữa
mất an toàn lắm
không ổn
ko on dau
nước ngập tới mái rồi
nc len toi nguc r
nước vào nhà rồi
nước dâng nhanh quá
mắc kẹt trên nóc nhà
me toi bi ket trong nha
có người bị thương
bà nội bị cuốn trôi
nhà sập rồi
tốc mái hết rồi
sạt lở sau nhà
nguy hiểm lắm
không ra được
ko thoat ra dc
chưa có ai đến cứu
hết lương thực rồi
cần thuyền đưa người già đi
cần bác sĩ
nhà tôi an toàn nhưng nhà bên cần giúp
tôi ổn nhưng mẹ tôi bị thương
nhà em bị cô lập
xin cứu gấp
có ai cứu tôi không
nước ngập tới cổ rồi
nước lên tới đầu gối, nhà tôi chưa đi được
có ai đến giúp không
cứu với có ai không
""".strip().splitlines()
UNCLEAR = """
xã có an toàn không
ở đó an toàn chưa
chỗ nào an toàn
khi nào thì đường an toàn
ai cần giúp
có cần giúp gì không
tôi muốn giúp bà con
an toàn hay cần giúp
an toan k
""".strip().splitlines()
OTHER = """
Đèn đường xóm 5 tối om
cảm ơn xã
tra cứu PA26-0001
mai có học không
giá vé bao nhiêu
ngừng nhận tin
rác chưa ai dọn
alo
Xã cho hỏi nước có lên nữa không ạ
xóm 7 có nguy hiểm không ạ
có ai ở nhà không
nước có tới chợ không
hôm nay mấy giờ mất nước
""".strip().splitlines()
ALL = [(words, meaning) for meaning, lines in (
    (Meaning.SAFE, SAFE), (Meaning.HELP, HELP), (Meaning.UNCLEAR, UNCLEAR), (None, OTHER)
) for words in lines]  # fmt: skip


@pytest.mark.parametrize(("words", "meaning"), ALL, ids=[words for words, _ in ALL])
def test_what_is_meant(words: str, meaning: Meaning | None) -> None:
    assert meaning_of(fold(words)) is meaning
    assert meaning_of(fold(words).upper().lower()) is meaning
