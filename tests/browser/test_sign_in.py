"""Signing in and out, in a real browser."""

import contextlib

import pytest
from playwright.sync_api import expect
from scripted import Scripted, served

from ui.loader import Loader
from ui.users import Users

PASSWORD = "a long enough password"


@pytest.mark.browser
def test_who_signs_in_gets_to_the_page_and_out_again(browser, tmp_path):
    loader = Loader(Scripted)
    loader.start()
    with contextlib.closing(Users(tmp_path / "users.sqlite")) as users:
        users.add("ana", PASSWORD)
        with served(loader, users=users) as address, contextlib.closing(browser.new_context(locale="id-ID")) as context:
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
            page.goto(f"{address}logout")
            page.get_by_role("button", name="Keluar").click()
            expect(page.get_by_label("Kata sandi")).to_be_visible()
            page.goto(address)
            expect(page.get_by_label("Kata sandi")).to_be_visible()
