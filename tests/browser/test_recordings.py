"""A voice note, in the format phones record and browsers cannot read, is heard in a real browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Desk, Rehearsal
from tests.browser.test_journeys import REPORT, ticket_code

Open = Callable[..., Desk]
HEARD = """audio => new Promise((heard, failed) => {
  audio.onerror = () => failed(new Error("code " + audio.error.code));
  audio.ontimeupdate = () => audio.currentTime > 0.2 && heard(audio.duration);
  audio.muted = true;
  audio.play().catch(failed);
})"""


def test_a_voice_note_is_heard_on_the_page_of_its_ticket(open_browser: Open, rehearsal: Rehearsal) -> None:
    neighbour = rehearsal.neighbour()
    rehearsal.say(neighbour, REPORT)
    code = ticket_code(rehearsal, neighbour)
    rehearsal.speak(neighbour)
    desk = open_browser()
    desk.sign_in("lan")
    desk.page.get_by_role("link", name=code).first.click()
    # It arrives, is fetched and made playable while the page is open: nobody reloads.
    sound = desk.page.locator("audio")
    expect(sound).to_have_count(1, timeout=20_000)
    expect(desk.page.locator(".attachments")).to_contain_text("2 giây")
    assert 1.8 < sound.evaluate(HEARD) < 2.3
