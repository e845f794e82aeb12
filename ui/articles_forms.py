"""What can be done on the Articles page, and how far it is, as HTML."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from index.sources import SUFFIXES
from index.sources.source import MEGABYTE
from qa.language import sentence
from ui.articles_words import duration, number, words
from ui.markup import text

if TYPE_CHECKING:
    from ui.articles_work import Job

_NAMED = 5
"""Names of files and articles that are shown of a job."""
_REPORTED = 100
"""Problems that are shown of a job."""


def adding(language: str, *, megabytes: int, is_open: bool) -> str:
    """The three ways to add articles, and the way to read everything again."""
    add = f'<button type="submit">{text(words("add", language))}</button>'
    kinds = f'<bdi dir="ltr">{" ".join(SUFFIXES)}</bdi>'
    limits = text(words("upload_more", language, megabytes=number(megabytes, language), kinds="{}")).format(kinds)
    too_large = words("too_large", language, megabytes=number(megabytes, language))
    optional = text(words("optional", language))
    upload = (
        '<form method="post" action="/articles/upload" enctype="multipart/form-data" '
        f'data-limit="{megabytes * MEGABYTE}" data-too-large="{text(too_large)}">'
        f"<h3>{text(words('upload', language))}</h3>"
        f'<label><span class="unseen">{text(words("upload", language))}</span><input type="file" name="file" multiple '
        f'required accept="{",".join(SUFFIXES)}" aria-describedby="upload-more"></label>'
        f'<p class="hint" id="upload-more">{limits}</p>{add}</form>'
    )
    paste = (
        f'<form method="post" action="/articles/paste" enctype="multipart/form-data"><h3>'
        f"{text(words('paste', language))}</h3>"
        f'<label>{text(words("text", language))}<textarea name="text" rows="6" required dir="auto"></textarea></label>'
        f"<label>{text(words('title', language))} <small>{optional}</small>"
        '<input name="title" maxlength="500" dir="auto"></label>'
        f"<label>{text(sentence('source', language))} <small>{optional}</small>"
        '<input name="source" maxlength="200" dir="auto"></label>'
        f"<label>{text(words('date', language))} <small>{optional}</small>"
        f'<input type="date" name="published"></label>{add}</form>'
    )
    web = (
        f'<form method="post" action="/articles/fetch"><h3>{text(words("web", language))}</h3>'
        f'<label>{text(words("address", language))}<input type="url" name="address" required dir="ltr" '
        f'maxlength="2000" placeholder="https://" aria-describedby="web-more"></label>'
        f'<p class="hint" id="web-more">{text(words("address_more", language))}</p>{add}</form>'
    )
    rebuild = (
        f'<form method="post" action="/articles/rebuild"><h3>{text(words("rebuild", language))}</h3>'
        f'<p class="hint">{text(words("rebuild_more", language))}</p>'
        f'<button type="submit" class="quiet">{text(words("rebuild", language))}</button></form>'
    )
    shown = " open" if is_open else ""
    return (
        f'<details class="adding"{shown}><summary>{text(words("add_articles", language))}</summary>'
        f'<div class="ways">{upload}{paste}<div>{web}{rebuild}</div></div></details>'
    )


def confirmation(titles: Mapping[str, str], language: str) -> str:
    """Whether these articles, by id, are really to be removed."""
    listed = "".join(
        f'<li><bdi dir="auto">{text(title)}</bdi><input type="hidden" name="id" value="{text(article_id)}"></li>'
        for article_id, title in titles.items()
    )
    return (
        f'<form class="confirmation" method="post" action="/articles/remove"><h1>{text(words("sure", language))}</h1>'
        f'<ul>{listed}</ul><p>{text(words("sure_more", language))}</p><input type="hidden" name="sure" value="yes">'
        f'<p class="line"><button type="submit">{text(words("remove", language))}</button> '
        f'<a href="/articles">{text(words("cancel", language))}</a></p></form>'
    )


def message(said: str, *, wrong: bool = False) -> str:
    """A line that says what was wrong with what was asked for, or what is so."""
    kind, role = ("error", "alert") if wrong else ("note", "status")
    return f'<p class="{kind}" role="{role}" dir="auto">{text(said)}</p>'


def work(jobs: Sequence["Job"], language: str, *, generation: int) -> str:
    """What is being done, what waits, and what was done last; asked for again and again."""
    busy = any(job.state in ("waiting", "running") for job in jobs)
    going = "".join(_going(job, language) for job in jobs if job.state in ("waiting", "running"))
    done = "".join(_done(job, language) for job in jobs if job.state not in ("waiting", "running"))
    return (
        f'<div id="work" data-generation="{generation}"{" data-busy" if busy else ""}><div class="going">{going}</div>'
        f'<div class="done" role="status">{done}</div></div>'
    )


def _heading(job: "Job", language: str) -> str:
    names = ", ".join(job.names[:_NAMED]) + (" …" if len(job.names) > _NAMED else "")
    about = f': <bdi dir="auto">{text(names)}</bdi>' if names else ""
    return f"<h3>{text(words(f'job_{job.kind}', language))}{about}</h3>"


def _going(job: "Job", language: str) -> str:
    stop = (
        f'<form method="post" action="/articles/stop"><input type="hidden" name="number" value="{job.number}">'
        f'<button type="submit" class="quiet">{text(words("stop", language))}</button></form>'
    )
    share = job.share
    value = f' value="{share:.4f}"' if share is not None else ""
    label = text(words(f"job_{job.kind}", language))
    bar = f'<progress max="1"{value} aria-label="{label}"></progress>' if job.state == "running" else ""
    return (
        f'<section class="job" data-job="{job.number}">{_heading(job, language)}{bar}'
        f"<p>{text(_how_far(job, language))}</p>{stop}</section>"
    )


def _how_far(job: "Job", language: str) -> str:
    if job.state == "waiting":
        return words("job_waits", language)
    if job.busy:
        return words("index_busy", language)
    if not job.progress.total:
        return sentence("waiting", language)
    parts = [
        words(
            "progress",
            language,
            files=number(job.progress.files, language),
            total=number(job.progress.total, language),
            passages=number(job.encoded, language),
        )
    ]
    if (rate := job.rate) is not None:
        parts.append(words("rate", language, rate=number(round(rate, 1 if rate < 10 else 0), language)))
    if (left := job.seconds_left) is not None:
        parts.append(words("left", language, time=duration(left)))
    return " · ".join(parts)


def _done(job: "Job", language: str) -> str:
    if job.state == "stopped":
        said = f"<p>{text(words('stopped', language))}</p>"
    elif job.report is None:
        shown = job.problem or sentence("internal_error", language, id=job.request)
        said = f'<p class="error" dir="auto">{text(shown)}</p>'
    else:
        counts = {field: getattr(job.report, field) for field in ("added", "changed", "removed", "unchanged")}
        line = words("done", language, **{field: number(count, language) for field, count in counts.items()})
        said = f"<p>{text(line)}</p>{_problems(job, language)}"
    return f'<section class="job" data-job="{job.number}">{_heading(job, language)}{said}</section>'


def _problems(job: "Job", language: str) -> str:
    problems = job.report.problems if job.report else ()
    rows = "".join(
        f"<li><strong>{text(words('not_read' if problem.lost else 'read_with_loss', language))}:</strong> "
        f'<bdi dir="auto">{text(problem.where)}</bdi>: <bdi dir="auto">{text(problem.reason)}</bdi></li>'
        for problem in problems[:_REPORTED]
    )
    rest = f"<li>… {number(len(problems) - _REPORTED, language)}</li>" if len(problems) > _REPORTED else ""
    return f'<ul class="problems">{rows}{rest}</ul>' if rows else ""
