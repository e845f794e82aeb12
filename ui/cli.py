"""The command line: ``kabar``.

Exit codes: 0 done, 1 failed, 2 wrong use. Results go to standard output, everything else to standard error.
"""

import contextlib
import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from index.errors import KabarError
from ui.accounts import token_app, user_app
from ui.logs import quiet

if TYPE_CHECKING:
    from index.index import Index
    from ui.answering import Answering
    from ui.config import Settings

app = typer.Typer(
    name="kabar",
    help="Ask the news, in any language, and get the fact, its date and the sentence that proves it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
articles_app = typer.Typer(help="List, show or remove indexed articles.", no_args_is_help=True)
app.add_typer(articles_app, name="articles")
eval_app = typer.Typer(help="Measure reading and retrieval on question sets.", no_args_is_help=True)
app.add_typer(eval_app, name="eval")
feedback_app = typer.Typer(help="What readers of the chat page say of its answers.", no_args_is_help=True)
app.add_typer(feedback_app, name="feedback")
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration file (default: $KABAR_CONFIG, else ./config.yaml).")
]
RayOption = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="auto|HOST:PORT",
        help="Let a Ray cluster do the work; auto: the one that runs here, else one of this machine.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")]


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question, in any language.")],
    *,
    as_json: JsonOption = False,
    history: Annotated[
        Path | None, typer.Option(help='What was said before: a JSON list of ["user" or "assistant", text].')
    ] = None,
    after: Annotated[str | None, typer.Option(help="Only articles published from this day on (2023-11-08).")] = None,
    before: Annotated[str | None, typer.Option(help="Only articles published up to this day.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only articles of this source; can be repeated.")] = None,
    today: Annotated[
        str | None, typer.Option(help='The day that "yesterday" in the question counts from (default: the clock\'s).')
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Answer a question about the indexed articles."""
    from qa.question import clean_question

    clean_question(question)  # before any model is loaded
    said = _read_history(history)
    first, last, day = _day(after, "--after"), _day(before, "--before"), _day(today, "--today")
    settings = _settings(config)
    quiet()
    from qa.chain import Assistant
    from qa.first_index import ensure_index

    report = ensure_index(settings, tell=_tell, progress=sys.stderr.isatty())
    if report is not None:
        from ui.indexing import report_line

        _tell(report_line(report))
    with Assistant.open(settings) as assistant:
        answer = assistant.answer(
            question, said, published_after=first, published_before=last, sources=source, today=day
        )
    if as_json:
        sys.stdout.write(answer.model_dump_json(indent=2) + "\n")
    else:
        from ui.plain import answer_lines

        sys.stdout.write("\n".join(answer_lines(answer)) + "\n")


@app.command()
def index(  # noqa: PLR0913 -- each option is one
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PLACE]...", help="Files, folders or web addresses (default: the configured ones)."),
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on: follow what changes in the folders.")] = False,
    every: Annotated[
        str | None, typer.Option(metavar="TIME", help="Go on: ask addresses again every 90s, 10m, 2h or 1d.")
    ] = None,
    ray: RayOption = None,
    to_parts: Annotated[
        Path | None,
        typer.Option("--to-parts", help="Write what was read and encoded to this folder, not to the index."),
    ] = None,
    from_parts: Annotated[
        list[Path] | None,
        typer.Option("--from-parts", help="Take the parts in this folder into the index; can be repeated."),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Bring the index into line with the articles: add new ones, re-read changed ones, drop removed ones."""
    settings = _settings(config)
    quiet()
    from index.added import default_places
    from ui import indexing

    indexing.let_others_go_first()
    indexing.check_options(
        ray=ray, to_parts=to_parts, from_parts=from_parts, places=places, once=not (dry_run or watch or every)
    )
    if to_parts is not None:
        made = indexing.make_parts(places or default_places(settings), settings, to_parts, ray=ray)
        sys.stdout.write((made.model_dump_json(indent=2) if as_json else indexing.parts_line(made)) + "\n")
        return
    places = places or [str(place) for place in default_places(settings)]
    if dry_run:
        indexing.print_plan(places or (), settings, as_json=as_json)
        return
    if watch or every is not None:
        indexing.follow(places or (), settings, watch=watch, every=every)
        return
    report = indexing.run(places or (), settings, ray=ray, from_parts=from_parts or ())
    for problem in report.problems:
        _tell(problem.line)
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        sys.stdout.write(indexing.report_line(report) + "\n")
    lost = sum(problem.lost for problem in report.problems)
    if lost and not (report.added or report.changed or report.unchanged):
        raise KabarError(f"none of the articles could be read ({lost} tried)")


@articles_app.command("list")
def list_articles(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the indexed articles, newest first."""
    with _open_index(config) as opened, opened.snapshot() as snapshot:
        rows = [summary._asdict() for summary in snapshot.summaries()]
    if as_json:
        _print_json(rows)
        return
    from ui.plain import table

    sys.stdout.write("\n".join(table(rows)) + "\n")


@articles_app.command()
def show(
    article_id: Annotated[str, typer.Argument(help="Id of the article, as `kabar articles list` prints it.")],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show one article with all that is known about it."""
    with _open_index(config) as opened:
        article = opened.article(article_id)
    if article is None:
        raise KabarError(f"no article '{article_id}'; `kabar articles list` names them")
    if as_json:
        _print_json(article.model_dump(mode="json"))
        return
    from ui.plain import article_lines

    sys.stdout.write("\n".join(article_lines(article)) + "\n")


@articles_app.command()
def remove(
    article_ids: Annotated[list[str], typer.Argument(help="Ids of the articles.")], *, config: ConfigOption = None
) -> None:
    """Remove articles from the index; the files they came from stay."""
    with _open_index(config) as opened:
        report = opened.remove(article_ids)
    sys.stdout.write(f"{report.removed} removed\n")
    if report.problems:
        missing = ", ".join(problem.where for problem in report.problems)
        raise KabarError(f"no such article: {missing}; `kabar articles list` names them")


@app.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on (default: 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port (default: 7860; 0: any free one).")] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Listen on an address that other machines reach, without a password.")
    ] = False,
    ray: RayOption = None,
    config: ConfigOption = None,
) -> None:
    """Open the chat page in a web server on this machine."""
    settings = _settings(config)
    quiet()
    from ui.app import serve as run
    from ui.helpers import open_helping
    from ui.logs import set_up

    set_up(settings.server.log)
    if ray is not None:
        from ui.ray_serve import serve_on_ray

        serve_on_ray(settings, ray, tell=_tell, host=host, port=port, public=allow_remote, ready=_tell)
        return
    run(
        settings, host=host, port=port, public=allow_remote, ready=_tell,
        assistant=lambda: _answering(settings), helping=partial(open_helping, settings),
    )  # fmt: skip


@app.command("mcp")
def serve_mcp(*, config: ConfigOption = None) -> None:
    """Answer a program that speaks the Model Context Protocol, over standard input and output."""
    settings = _settings(config)
    quiet()
    from ui.app import shared_loader
    from ui.logs import set_up
    from ui.mcp_server import run_stdio

    set_up(settings.server.log)
    run_stdio(shared_loader(settings, lambda: _answering(settings)), settings.index.path)


@feedback_app.command("export")
def export_feedback(
    file: Annotated[Path | None, typer.Argument(help="Where to write it (default: standard output).")] = None,
    *,
    wrong: Annotated[
        Path | None, typer.Option(help="Write the questions here whose answers were called wrong, to be completed.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Write the answers that were called right as a file of questions for `kabar eval answers`."""
    settings = _settings(config)
    kept = settings.history_file
    if kept is None or not kept.is_file():
        raise KabarError(f"{kept or 'server.history is none'}: no conversations are kept here, so there is no feedback")
    from ui import feedback
    from ui.history import History

    with contextlib.closing(History(kept)) as history:
        given = history.feedback()
    right, open_questions = feedback.evaluation(given), feedback.to_be_answered(given)
    if file is None:
        sys.stdout.write(feedback.as_json(right))
    else:
        feedback.write(right, file)
    if wrong is not None:
        feedback.write(open_questions, wrong)
    elif open_questions:
        _tell(f"{len(open_questions)} answers were called wrong; --wrong FILE writes their questions to be completed")


@app.command("doctor")
def examine(
    *,
    deep: Annotated[bool, typer.Option("--deep", help="Read everything and check every checksum.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Repair the index from what is whole in it.")] = False,
    compact: Annotated[
        bool, typer.Option("--compact", help="Take out of the index what removed articles have left behind.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say what is installed, which models are used, where the index is, how large, and what is wrong."""
    settings = _settings(config)
    quiet()
    from ui import doctor

    findings = doctor.repair(settings) if repair else []
    findings += doctor.compact(settings) if compact else []
    findings += doctor.examine(settings, deep=deep or repair)
    if as_json:
        _print_json([finding.model_dump() for finding in findings])
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            mark = "!" if finding.problem else " "
            sys.stdout.write(f"{mark} {finding.name:<{width}}  {finding.problem or finding.value}\n")
    wrong = sum(bool(finding.problem) for finding in findings)
    if wrong:
        raise KabarError(f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong, marked with '!' above")


@eval_app.command()
def retrieval(
    files: Annotated[list[Path], typer.Argument(help="Question sets in SQuAD's JSON format.")],
    *,
    parallel: Annotated[
        bool, typer.Option("--parallel", help="The files hold the same paragraphs in several languages, in order.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Measure how well passages are found: all contexts of all files in one index."""
    settings = _settings(config)
    quiet()
    from index.encoder import Encoder
    from index.evaluation import evaluate_retrieval
    from index.stores import open_store

    store = open_store(settings)
    figures = evaluate_retrieval(files, Encoder.open(settings.encoder), parallel=parallel, store=store)
    _print_figures([figures], as_json=as_json, bare=True)


@eval_app.command()
def reading(
    files: Annotated[list[Path], typer.Argument(help="Question sets in SQuAD's JSON format.")],
    *,
    limit: Annotated[int | None, typer.Option(help="Questions per file, from the start.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Measure how well the reader finds the exact words: exact match and F1, in percent."""
    settings = _settings(config)
    quiet()
    from index.encoder import Encoder
    from qa.evaluation import evaluate_reading
    from qa.reader import SpanReader

    reader = SpanReader.open(Encoder.open(settings.encoder))
    _print_figures(evaluate_reading(reader, files, limit=limit, threshold=settings.reader.threshold), as_json=as_json)


@eval_app.command()
def render(
    source: Annotated[Path, typer.Argument(help="Question set in SQuAD's JSON format, such as xquad.de.json.")],
    target: Annotated[Path, typer.Argument(help="The same questions in another language.")],
    *,
    limit: Annotated[int | None, typer.Option(help="Questions, from the start.", min=1)] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Measure how well the writer says answers in another language: chrF against the other file's, and of copying."""
    settings = _settings(config)
    quiet()
    from qa.render_evaluation import evaluate_rendering
    from qa.writer import open_writer

    writer = open_writer(settings.writer)
    if writer is None:
        raise KabarError("writer.model is 'none', so there is nothing to measure: name a writer")
    _print_figures([evaluate_rendering(writer, source, target, limit)], as_json=as_json, bare=True)


@eval_app.command()
def answers(
    files: Annotated[list[Path], typer.Argument(help="Questions such as articles/questions.json.")],
    *,
    articles: Annotated[
        Path | None, typer.Option(help="Answer from the articles in this folder (default: from the index).")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show every question that went wrong.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Measure whole answers: right, rightly cited, rightly dated, rightly refused."""
    settings = _settings(config)
    quiet()
    from qa.answer_evaluation import Verdict, evaluate_answers, indexed
    from qa.chain import Assistant
    from qa.first_index import ensure_index

    def tell(verdict: Verdict) -> None:
        if verbose and (verdict.outcome != "right" or verdict.cited is False or not all(verdict.gold)):
            _tell(verdict.model_dump_json())

    with contextlib.ExitStack() as stack:
        if articles is not None:
            settings = stack.enter_context(indexed(settings, articles))
        else:
            ensure_index(settings, tell=_tell, progress=sys.stderr.isatty())
        assistant = stack.enter_context(Assistant.open(settings))
        figures = evaluate_answers(assistant, files, tell=tell)
    _print_figures(figures, as_json=as_json, bare=len(files) == 1)


def main() -> None:
    """Entry point: every foreseen error is one line on standard error."""
    from qa.errors import QuestionError

    try:
        app()
    except QuestionError as error:
        _fail(error, 2)
    except KabarError as error:
        _fail(error, 1)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(1) from None


def _fail(error: Exception, code: int) -> None:
    _tell(f"kabar: {error}")
    raise SystemExit(code)


def _settings(config: Path | None) -> "Settings":
    from ui.config import Settings

    return Settings.load(config)


def _answering(settings: "Settings") -> "Answering":
    """What a server answers with; the index is made if there is none."""
    from qa.first_index import ensure_index
    from ui.answering import open_answering

    ensure_index(settings, tell=_tell)
    return open_answering(settings)


def _open_index(config: Path | None) -> "Index":
    from index.index import Index

    settings = _settings(config)
    return Index(settings.index.path, settings)


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def _day(text: str | None, option: str) -> Any:
    import datetime

    if text is None:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date like 2023-11-08", param_hint=option) from None


def _read_history(file: Path | None) -> list[tuple[str, str]]:
    if file is None:
        return []
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        turns = [(item["role"], item["content"]) if isinstance(item, dict) else (item[0], item[1]) for item in data]
    except OSError as error:
        raise KabarError(f"{file}: {error.strerror}") from None
    except (ValueError, LookupError, TypeError):
        turns = [("", "")]
    if not all(role in ("user", "assistant") and isinstance(text, str) for role, text in turns):
        raise KabarError(f'{file}: expected a JSON list like [["user", "..."], ["assistant", "..."]]')
    return turns


def _print_json(data: Any) -> None:
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def _print_figures(rows: list[dict[str, Any]], *, as_json: bool, bare: bool = False) -> None:
    if as_json:
        _print_json(rows[0] if bare else rows)
        return
    for row in rows:
        for name, value in row.items():
            if isinstance(value, dict):  # figures by language
                for part, figures in value.items():
                    counts = ", ".join(f"{count} {key}" for key, count in figures.items())
                    sys.stdout.write(f"  {part:<20} {counts}\n")
            else:
                shown = f"{value:.3f}" if isinstance(value, float) else value
                sys.stdout.write(f"{name:<22} {shown}\n")


if __name__ == "__main__":
    main()
