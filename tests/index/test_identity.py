from datetime import date

import pytest

from index.article import Article
from index.identity import canonical_address, copy_key


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/news/1",
        "http://www.example.org/news/1/",
        "https://EXAMPLE.org:443/news/1#top",
        "https://example.org/news/1?utm_source=feed&fbclid=3",
        "https://example.org./news/1/index.html",
    ],
)
def test_addresses_of_one_page(url: str) -> None:
    assert canonical_address(url) == "example.org/news/1"


def test_addresses_of_two_pages() -> None:
    pages = ["https://example.org/news?id=1", "https://example.org/news?id=2", "https://example.org:8080/news?id=1"]
    assert len({canonical_address(page) for page in pages}) == 3
    assert canonical_address("https://example.org/a?x=1&y=2") == canonical_address("https://example.org/a?y=2&x=1")


@pytest.mark.parametrize("url", [None, "", "https://example.org", "https://www.example.org/", "no address", "http://["])
def test_what_is_no_address_of_an_article(url: str | None) -> None:
    assert canonical_address(url) is None


def article(
    name: str = "news/bridge-opens.txt", title: str = "Bridge opens", text: str = "It opened.", **known: object
):
    return Article.model_validate({"id": name, "title": title, "text": text, **known})


def test_a_title_made_from_the_name_of_the_file_tells_nothing_apart() -> None:
    copies = [article(f"copy-{number}.txt", f"Copy {number}") for number in range(3)]
    assert len({copy_key(copy) for copy in copies}) == 1
    assert copy_key(article("a.zip!b/copy-9.md", "Copy 9")) == copy_key(copies[0])
    assert copy_key(article("copy-1.txt", "Another headline")) != copy_key(copies[0])


def test_white_space_and_the_time_of_the_file_do_not_count() -> None:
    plain = article()
    assert copy_key(plain) == copy_key(article(text="It \n opened. "))
    assert copy_key(plain) == copy_key(article(published=date(2024, 1, 1), published_from="file"))
    assert copy_key(plain) == copy_key(article(source="Wire", url="https://example.org/1"))


def test_the_same_words_on_another_day_are_another_article() -> None:
    days = [article(published=date(2024, 1, day), published_from="metadata") for day in (1, 2)]
    assert copy_key(days[0]) != copy_key(days[1])
    assert copy_key(article(text="It closed.")) != copy_key(article())
