"""Le README dit vrai : ses commandes, options, sections, fichiers et nombres existent, et la CI les emploie."""

import re

import pytest
from torch.distributed.run import get_args_parser

from commun import ROOT, SCRIPTS, load, run

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]
CODE = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", README, flags=re.DOTALL))
SET_UP = [line for line in COMMANDS if "requirements.txt" in line]


def part(title):
    """Le texte d'une partie, sans son titre."""
    return re.search(rf"^## {title}$(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL).group(1)


def rows(text):
    """Les lignes d'un tableau, en cases, sans l'en-tête."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return lines[2:]


def load_cell(cell):
    """Le script que nomme une case, « `exercice1.py` »."""
    return load(cell.strip("`").removesuffix(".py"))


def test_the_continuous_integrations_run_the_set_up_commands():
    """L'intégration continue essaie d'autres commandes que celles que lit un débutant."""
    ci, workflow = ((ROOT / name).read_text(encoding="utf-8") for name in (".ci/run", ".github/workflows/tests.yml"))
    elsewhere, windows = ([line for line in SET_UP if line.startswith(start)] for start in ("python3 ", "py "))
    assert len(elsewhere) == len(windows) == 2 and len(SET_UP) == 4
    assert [line for line in ci.splitlines() if line in SET_UP] == elsewhere
    for commands, condition in ((elsewhere, "!="), (windows, "==")):
        steps = re.findall(rf"if: runner.os {condition} 'Windows'\n +run: (.+)", workflow)
        assert steps == commands
    assert f"        run: {elsewhere[1]}\n" in workflow.partition("  anciennes:")[2]


@pytest.fixture
def helps(monkeypatch, capsys):
    """L'aide de chaque script."""
    found = {}
    for script in SCRIPTS:
        monkeypatch.setattr("sys.argv", [f"{script}.py", "--help"])
        load(script).main()
        found[script] = capsys.readouterr().out
    return found


def mentions(text, option):
    """Vrai si cette aide explique cette option."""
    return re.search(rf"^  (-h, )?{option}\b(?!-)", text, re.MULTILINE)


def test_commands_name_real_scripts_options_and_sections(helps):
    """Une commande du README nomme un script, une option ou une section qui n'existe pas."""
    lines = [line for line in [*COMMANDS, *CODE] if re.search(r"\.py\b", line) and " " in line]
    assert len(lines) > 8
    for line in lines:
        path = re.search(r"[\w/]+\.py", line).group(0)
        assert (ROOT / path).exists(), line
        words = line.partition(path)[2].replace("--args", "").replace('"', "").split()
        for word, value in zip(words, [*words[1:], ""]):
            if word.startswith("--"):
                assert mentions(helps[path[:-3]], word), line
            if word == "--section":
                assert load(path[:-3]).sections_under(value), line


def test_torchrun_takes_its_options():
    """torchrun refuse une commande du README."""
    lines = [line.split()[1:] for line in COMMANDS if "torchrun" in line]
    assert len(lines) == 2
    for words in lines:
        args = get_args_parser().parse_args(words)
        assert (args.nproc_per_node, args.training_script) == ("2", "exercice3.py")


def test_options_exist(helps):
    """Le README donne une option qui n'existe pas, ou en oublie une des cinq communes."""
    options = {word for code in CODE for word in re.findall(r"--[a-z-]+", code)} - {"--args"}
    of_torchrun = {"--local-addr", "--nproc-per-node"}
    assert all(mentions(get_args_parser().format_help(), option) for option in of_torchrun)
    options -= of_torchrun
    assert len(options) > 10
    for option in options:
        assert any(mentions(text, option) for text in helps.values()), option
    for option in ("--section", "--liste", "--corrige", "--seed", "--figures"):
        assert any(option in row[0] for row in rows(part("Les options"))), option


def test_every_section_is_named_in_its_order():
    """Une section manque au tableau, ou n'y est pas à sa place."""
    table = rows(part("Les scripts et leurs sections"))
    assert sorted(row[0].strip("`") for row in table) == [f"{script}.py" for script in SCRIPTS]
    for script, _, sections in table:
        assert re.findall(r"`([^`]+)`", sections) == list(load_cell(script).SECTIONS)


def test_minutes_follow_the_sections():
    """Il y a une durée de trop ou de moins, ou un total faux."""
    table = rows(part("Pour l'enseignant"))
    assert len(table) == len(SCRIPTS)
    for script, minutes, total in table:
        minutes = [int(number) for number in minutes.split(", ")]
        assert len(minutes) == len(load_cell(script).SECTIONS) and sum(minutes) == int(total)


def test_named_files_settings_and_messages_exist():
    """Le README nomme un fichier, un réglage ou un message qui n'existe pas."""
    for code in CODE:
        if re.fullmatch(r"[\w/.-]+\.(py|md|txt)", code) and code not in ("questions.md", "verifier.py"):
            assert (ROOT / code).exists(), code
    for link in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / link).exists(), link
    edits = rows(part("Modifier les scripts"))
    assert len(edits) == 3
    for _, changes, script in edits:
        names = re.findall(r"`([A-Za-z_]+)(?: = [^`]+)?`", changes)
        assert names and all(hasattr(load_cell(script), name) for name in names), changes
    launch = (ROOT / "exercice1.py").read_text(encoding="utf-8").partition("# --- Lancement")
    assert all("Pas de fenêtre ici" in text for text in (launch[2], part("En cas d'ennui")))
    (highest,) = re.findall(r"^torch\S+,(<\S+)$", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert f'`"torch{highest}"`' in README


def test_the_front_page_is_short_and_shows_what_is_printed(tmp_path):
    """Plus de 1300 mots, code à part, ou des lignes montrées qui ne sont pas, l'une après l'autre, celles du script."""
    words = re.sub(r"```.*?```", "", README, flags=re.DOTALL).split()
    assert len(words) <= 1300
    (shown,) = re.findall(r"```\n(===.*?)```", README, re.DOTALL)
    _, output, _ = run("exercice1", tmp_path, "--section", "2.2.2-perte")
    assert shown in output and 10 <= len(shown.splitlines()) <= 12


def test_no_measure_is_left_alone():
    """Le README donne une durée ou un rapport, que rien ne mesure ici."""
    assert not re.search(r"\d\s(fois|s|ms|µs|secondes?)\b", README)
