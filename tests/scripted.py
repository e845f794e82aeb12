"""An assistant that says what a test wants, and the chat page served with it."""

import contextlib
import threading
from collections.abc import Iterator

from index.errors import KabarError
from qa.answer import Answer, Citation, DateMention, Step, TextPiece
from ui.app import application, listen, server
from ui.loader import Loader
from ui.users import Users

PASSAGE = "Menlu Blinken bertolak pekan ini. Blinken akan tiba di Seoul pada Rabu depan. Ia akan bertemu Park Jin."
QUOTE = "Blinken akan tiba di Seoul pada Rabu depan."
ANSWERS = {
    "en": ("Wednesday, 8 November 2023", "Blinken will arrive in Seoul on Wednesday."),
    "ar": ("الأربعاء، 8 نوفمبر 2023", "سيصل بلينكن إلى سول يوم الأربعاء."),
    "ko": ("2023년 11월 8일 수요일", "블링컨은 수요일 서울에 도착한다."),
}


def scripted_answer(question: str, language: str = "en", **changes) -> Answer:
    """The answer to "when will Blinken arrive?"."""
    short, said = ANSWERS[language]
    start = QUOTE.index("Rabu depan")
    date = DateMention(
        text="Rabu depan", start=start, end=start + 10, value="2023-11-08", kind="relative", derived="next Wednesday"
    )
    citation = Citation(
        number=1,
        article_id="blinken",
        title="Blinken ke Seoul",
        url="https://example.org/blinken",
        source="VOA Indonesia",
        language="id",
        published="2023-11-01",
        published_from="dateline",
        passage=PASSAGE,
        passage_start=PASSAGE.index(QUOTE),
        start=0,
        end=len(QUOTE),
        quote=QUOTE,
    )
    fields = {
        "question": question,
        "text": f"{short}. {said} [1]",
        "short": short,
        "answerable": True,
        "confidence": 0.9,
        "language": language,
        "dates": (date,),
        "citations": (citation,),
    }
    return Answer(**(fields | changes))


class Scripted:
    """Answers by the words in the question; ``gate`` and ``considering`` hold things back while closed."""

    def __init__(self, index=None, *, start: int = 0) -> None:
        """``index`` holds the cited article, in which the quotation begins at ``start``."""
        self.asked: list[tuple[str, list[tuple[str, str]]]] = []
        self.filters: list[dict[str, object]] = []
        self.considered: list[str] = []
        self.index = index
        self.start = start
        self.gate = threading.Event()
        self.gate.set()
        self.considering = threading.Event()
        self.considering.set()

    def would_answer(self, turn):
        self.considered.append(turn.question)
        assert self.considering.wait(30)
        return "Lavrov" not in turn.question

    def stream(self, question, *, history, **filters):
        self.asked.append((question, list(history)))
        self.filters.append(filters)
        yield Step(name="understand")
        yield Step(name="retrieve", count=1204)
        assert self.gate.wait(30)
        if "too long" in question:
            raise KabarError("The question is too long; ask in at most 2000 characters")
        if "broken" in question:
            raise RuntimeError("a secret of the server")
        if "silence" in question:
            return
        if "<" in question:
            yield TextPiece(text=question)
            yield _attack(question)
        elif "World Cup" in question:
            yield refusal(question)
        else:
            language = "ar" if "متى" in question else "ko" if "언제" in question else "en"
            final = scripted_answer(question, language)
            cited = final.citations[0].model_copy(update={"start": self.start, "end": self.start + len(QUOTE)})
            final = final.model_copy(update={"citations": (cited,)})
            for word in final.text.split(" "):
                yield TextPiece(text=word + " ")
            yield final


def refusal(question: str) -> Answer:
    """That the articles do not say, with the nearest passage."""
    answer = scripted_answer(question, text="The articles do not say.", short="", answerable=False, dates=())
    nearest = answer.citations[0].model_copy(
        update={"quote": PASSAGE, "passage_start": 0, "start": 0, "end": len(PASSAGE)}
    )
    return answer.model_copy(update={"citations": (), "nearest": (nearest,)})


def _attack(text: str) -> Answer:
    plain = scripted_answer(text)
    citation = plain.citations[0].model_copy(
        update={"title": text, "source": text, "url": "javascript:alert(1)", "passage": text + QUOTE}
        | {"passage_start": len(text)}
    )
    return plain.model_copy(update={"text": f"{text} [1]", "short": text, "citations": (citation,)})


@contextlib.contextmanager
def served(loader: Loader, *, users: Users | None = None, head_seconds: float = 20, **options) -> Iterator[str]:
    """The address of the chat page, served on a free port of this machine while the context lasts."""
    listener = listen("127.0.0.1", 0)
    started = threading.Event()
    running = []

    def run() -> None:
        web = application(loader, hosts={"localhost", "127.0.0.1"}, users=lambda: users, **options)
        running.append(server(web, started.set, head_seconds=head_seconds))
        running[0].run(sockets=[listener])

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(120)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        running[0].should_exit = True
        thread.join(20)
        listener.close()
    assert not thread.is_alive()
