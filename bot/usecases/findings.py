"""Findings: what a check of a channel found, in words for operators and for officials."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: `level` is ok, warn or FAIL; `detail` is for operators, `shown` for officials."""

    level: str
    what: str
    detail: str
    shown: str
    values: dict[str, object] = field(default_factory=dict)


@dataclass
class Report:
    """What a check found."""

    findings: list[Finding] = field(default_factory=list)

    @property
    def is_fine(self) -> bool:
        """Whether nothing failed; warnings are fine."""
        return all(finding.level != "FAIL" for finding in self.findings)

    @property
    def lines(self) -> list[str]:
        """The findings as a terminal shows them."""
        return [f"{f.level:<4}  {f.what}: {f.detail}" for f in self.findings]

    def add(self, level: str, what: str, detail: str, shown: str, **values: object) -> None:
        """Note a finding; `values` stand in the sentence that officials see."""
        self.findings.append(Finding(level, what, detail, shown, values))
