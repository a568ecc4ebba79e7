"""Ce que lit l'enseignant : notes.csv, reponses.html, une page de détails et une de figures par élève."""

import csv
import html
import io
import os
import re

LONGEST = 4000  # caractères d'une réponse
PAGE = """<!DOCTYPE html>
<html lang="fr"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<style>
body {{ font: 16px/1.5 sans-serif; margin: 2em; }}
h2 {{ margin-top: 2.5em; border-bottom: 1px solid #999; }}
.cards {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(20em, 1fr)); gap: 1em; }}
.card {{ border: 1px solid #999; border-radius: 6px; padding: .6em; max-height: 24em; overflow: auto; }}
.own {{ background: #eef6ee; border-color: #3a7d3a; }}
.card p, .card h3 {{ margin: 0 0 .4em; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }}
.card h3 {{ font-size: 1em; }}
.bet {{ color: #555; font-style: italic; }}
img {{ max-width: 100%; }}
</style></head><body>
<h1>{title}</h1>
{body}
</body></html>
"""


def write(path, text, encoding="utf-8"):
    """Écrit un fichier à côté de sa place, puis l'y met d'un coup : il est entier, ou c'est encore l'ancien."""
    beside = path.with_name(path.name + ".tmp")
    beside.write_text(text, encoding=encoding, errors="replace", newline="")
    os.replace(beside, path)


def flat(text):
    """Le texte sur une ligne, sans caractère invisible."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


# --- notes.csv ----------------------------------------------------------------------------------------
def cell(text):
    """Une case : un tableur ne doit y voir ni formule ni date."""
    text = flat(str(text))
    return "'" + text if re.match("[=+@＝＋－＠-]", text) else text


def notes(states, blanks):
    """Le tableau, pour un tableur français : une ligne par élève, une colonne par chose à écrire."""
    file = io.StringIO()
    table = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL)
    columns = [f"n° {number} ({blank.part})" for number, blank in enumerate(blanks, start=1)]
    table.writerow(["élève", *columns, "total", "remarques"])
    for state in states:
        words = state["words"]
        total = f"{words.count('bien')} bien sur {len(words)}"
        row = [state["student"], *words, total, " ; ".join(state["remarks"])]
        table.writerow([cell(each) for each in row])
    return file.getvalue()


# --- Les pages ----------------------------------------------------------------------------------------
def paragraph(text, kind=""):
    """Un texte d'élève dans une page : échappé, et coupé s'il est trop long."""
    more = f"\n... ({len(text) - LONGEST} caractères de plus)" if len(text) > LONGEST else ""
    shown = "".join(char if char.isprintable() or char == "\n" else " " for char in text[:LONGEST])
    return f'<p class="{kind}">{html.escape(shown + more)}</p>'


def card(title, paragraphs, kind=""):
    return f'<div class="card {kind}"><h3>{html.escape(title)}</h3>{"".join(paragraphs)}</div>'


def said(answers):
    """Ce qu'un élève a répondu à une question : son pari, puis sa réponse, d'un fichier ou des deux."""
    bets = [paragraph(f"Pari : {bet}", "bet") for bet, _ in answers if bet]
    return bets + [paragraph(answer) for _, answer in answers if answer]


def answers_page(states, sections, own):
    """Chaque question, et côte à côte la réponse du corrigé et celles des élèves."""
    parts = []
    for name, (script, title, demands) in sections.items():
        parts.append(f"<h2>{html.escape(f'{name} : {title}')}</h2>")
        parts.append(f"<p>{html.escape(' '.join(demands))} ({script}.py)</p>")
        cards = [card("Corrigé", [paragraph(own.get(name, "pas de réponse"))], "own")]
        cards += [card(s["student"], said(s["answers"][name])) for s in states if s["answers"].get(name)]
        parts.append(f'<div class="cards">{"".join(cards)}</div>')
        silent = [state["student"] for state in states if not state["answers"].get(name)]
        if silent:
            parts.append(f"<p>Sans réponse : {html.escape(', '.join(silent))}.</p>")
    return PAGE.format(title="Les réponses des élèves", body="\n".join(parts))


def figures_page(student, shown):
    """Les figures d'un élève, section par section ; `shown` : des triplets (section, images, ennui)."""
    parts = []
    for name, images, trouble in shown:
        parts.append(f"<h2>{html.escape(name)}</h2>{paragraph(trouble) if trouble else ''}")
        parts += [f'<img alt="" src="data:image/png;base64,{html.escape(image)}">' for image in images]
    return PAGE.format(title=html.escape(student), body="\n".join(parts))


def details(state):
    """Ce que dit le vérificateur, ligne par ligne, et les remarques sur le rendu."""
    return "\n".join([state["student"], "", *state["lines"], "", *state["remarks"], ""])
