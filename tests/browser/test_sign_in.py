"""Signing in and out, in a real browser."""

import contextlib

import pytest
from articles_desk import Desk
from playwright.sync_api import expect
from scripted import Scripted, served

from ui.auth import SESSION_COOKIE
from ui.loader import Loader
from ui.users import Users
from ui.visitor import LANGUAGE_COOKIE

pytestmark = pytest.mark.browser

PASSWORD = "a long enough password"
SIGN_OUT = {
    "en": "Sign out",
    "id": "Keluar",
    "ko": "로그아웃",
    "ja": "ログアウト",
    "ar": "تسجيل الخروج",
    "es": "Cerrar sesión",
}


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    with contextlib.closing(Users(tmp_path_factory.mktemp("users") / "users.sqlite")) as opened:
        opened.add("ana", PASSWORD)
        yield opened


@pytest.fixture(scope="module")
def address(users, tmp_path_factory):
    loader = Loader(Scripted)
    loader.start()
    desk = Desk(tmp_path_factory.mktemp("desk"))
    with served(loader, users=users, articles=desk.page) as found:
        yield found
    desk.work.close()


def test_who_signs_in_gets_to_the_page_and_out_again(browser, address):
    with contextlib.closing(browser.new_context(locale="id-ID")) as context:
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("button", name="Masuk")).to_be_visible()
        page.get_by_label("Nama").fill("Ana")
        page.get_by_label("Kata sandi").fill("not this one")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("Nama atau kata sandi salah.")
        page.get_by_label("Nama").fill("ana")
        page.get_by_label("Kata sandi").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("#question textarea")
        page.get_by_role("link", name="Keluar").click()
        page.get_by_role("button", name="Keluar").click()
        expect(page.get_by_label("Kata sandi")).to_be_visible()
        page.goto(address)
        expect(page.get_by_label("Kata sandi")).to_be_visible()


def test_the_way_out_stands_on_the_pages_in_every_language(browser, address, users, screenshot):
    with contextlib.closing(browser.new_context(viewport={"width": 360, "height": 740})) as context:
        context.add_cookies([{"name": SESSION_COOKIE, "value": users.open_session("ana", 1), "url": address}])
        page = context.new_page()
        for language, said in SIGN_OUT.items():
            context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": address}])
            for path in ("", "articles"):
                page.goto(f"{address}{path}")
                page.wait_for_selector(".masthead .sign-out")
                link = page.locator(".masthead").get_by_role("link", name=said)
                expect(link).to_have_attribute("href", "/logout")
                expect(link).to_be_in_viewport(ratio=1)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
                screenshot(page, f"signed-in-{path or 'chat'}-{language}")
