"""What stands where a citizen's words were: before they had them erased, or before their time was over."""

GONE = "[Đã xóa theo yêu cầu của người dân]"
EXPIRED = "[Đã xóa vì hết thời hạn lưu giữ]"
MARKS = frozenset({GONE, EXPIRED})
EXPIRY = "retention.erased"  # the audit's word for it, which says whose words went
