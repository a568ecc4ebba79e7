"""Les rendus, comme la plateforme les donne : des dossiers et des zips. Rien n'est extrait, aucun lien n'est suivi.

De chaque rendu on ne lit que les cinq scripts, questions.md et tp.ipynb, où qu'ils soient ; le reste est compté.
"""

import ast
import io
import json
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from functools import partial
from pathlib import Path

import version_eleve

SCRIPTS = version_eleve.SCRIPTS
LARGEST_ARCHIVE, MOST_ENTRIES, DEEPEST = 20_000_000, 2000, 2  # octets, entrées, dossiers l'un dans l'autre
LARGEST = {".py": 1_000_000, ".md": 1_000_000, ".ipynb": 10_000_000}  # octets
BROKEN = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)
# « exercice1 (1).py », « exercice1 - Copie.py », « Copie de exercice1.py » sont exercice1.py.
COPY = r"(?:[ _-]*\(\d+\)|[ _-]+\d+|[ _-]+cop(?:ie|y))*"
WANTED = re.compile(
    rf"(?:copie de |copy of )?(?:({'|'.join(SCRIPTS)}){COPY}(\.py)|(questions){COPY}(\.md)|(tp){COPY}(\.ipynb))", re.I
)
OTHER_ARCHIVES = (".rar", ".7z", ".tar", ".tgz", ".gz", ".bz2", ".xz")
NOT_READ = ("__macosx", "__pycache__", "verification", "node_modules", "venv", "site-packages")  # des dossiers
LEFT = 'raise NotImplementedError("À vous n° '


# --- Les noms -----------------------------------------------------------------------------------------
def students(folder):
    """{élève: chemin} et les noms mis de côté ; l'élève est le nom du dossier ou de l'archive."""
    found, ignored = {}, []
    for path in sorted(folder.iterdir()):
        name = clean(unicodedata.normalize("NFC", path.name), 150)
        if name.startswith((".", "__MACOSX")) or name in ("Thumbs.db", "desktop.ini"):
            continue
        if not path.is_dir() and path.suffix.lower() not in (".zip", *OTHER_ARCHIVES):
            ignored.append(name)
            continue
        if path.suffix.lower() == ".zip" and not path.is_dir():
            name = name[:-4]
        student, k = name, 1
        while student.casefold() in [other.casefold() for other in found]:
            student, k = f"{name} ({k + 1})", k + 1
        found[student] = path
    return found, ignored


def clean(text, most=80):
    """Un nom sur une ligne, permis pour un fichier partout, et pas trop long."""
    text = "".join("_" if char in '<>:"/\\|?*' or not char.isprintable() else char for char in text)
    return text.encode(errors="replace")[:most].decode(errors="ignore").rstrip(" .") or "_"


def canonical(name):
    """« exercice1.py » pour « exercice1 (1).py », « tp.ipynb »... ; None pour un nom qui n'est pas attendu."""
    found = WANTED.fullmatch(name[:200])
    return "".join(filter(None, found.groups())).lower() if found else None


# --- Dossiers et zips ---------------------------------------------------------------------------------
# `found` reçoit les fichiers attendus, {nom attendu: liste de (chemin en morceaux, octets)} ; `remarks`, des phrases.
def read_path(path, limit):
    """Le début d'un fichier ordinaire, jamais d'un lien."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("ce n'est pas un fichier ordinaire")
        return file.read(limit)


def keep(found, remarks, parts, read):
    """Garde un fichier si on l'attend ; `read(n)` en rend au plus n octets."""
    name, shown = canonical(parts[-1]), clean(parts[-1])
    if parts[-1].lower().endswith((".zip", *OTHER_ARCHIVES)):
        remarks.append(f"archive non lue : {shown}")
    elif not name and parts[-1].endswith(".py") and parts[-1] != "verifier.py":
        remarks.append(f"non lu : {shown}")
    if not name or sum(len(raw) for same in found.values() for _, raw in same) > LARGEST_ARCHIVE:
        return
    limit = LARGEST[Path(name).suffix]
    try:
        raw = read(limit + 1)
    except BROKEN as error:
        remarks.append(f"{shown} ne se lit pas ({type(error).__name__})")
        return
    if len(raw) > limit:
        remarks.append(f"{shown} : plus de {limit // 1_000_000} Mo, non lu")
    else:
        found.setdefault(name, []).append((parts, raw))


def read_folder(folder, found, remarks, parts=()):
    """Lit un dossier, ses sous-dossiers et les zips qui s'y trouvent."""
    for path in sorted(folder.iterdir())[:MOST_ENTRIES]:
        mode, name = path.lstat().st_mode, path.name.lower()
        if stat.S_ISLNK(mode):
            remarks.append(f"lien refusé : {clean(path.name)}")
        elif stat.S_ISDIR(mode):
            if len(parts) < DEEPEST and name not in NOT_READ and not name.startswith("."):
                read_folder(path, found, remarks, (*parts, path.name))
        elif name.endswith(".zip"):
            read_zip(path, found, remarks)
        elif not name.startswith("."):
            keep(found, remarks, (*parts, path.name), partial(read_path, path))


def read_zip(path, found, remarks):
    """Lit un zip sans rien en extraire : ses entrées trompeuses sont refusées, et les autres lues."""
    raw = read_path(path, LARGEST_ARCHIVE + 1)
    if len(raw) > LARGEST_ARCHIVE:
        remarks.append(f"{clean(path.name)} : plus de {LARGEST_ARCHIVE // 1_000_000} Mo, non lu")
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
    except BROKEN as error:
        remarks.append(f"{clean(path.name)} ne se lit pas ({type(error).__name__})")
        return
    infos = archive.infolist()
    if len(infos) > MOST_ENTRIES:
        remarks.append(f"{clean(path.name)} : plus de {MOST_ENTRIES} fichiers, non lu")
        return
    for info in infos:
        parts = tuple(re.split(r"[/\\]", decoded(info)))
        hidden = any(part.lower() in NOT_READ or (part[:1] == "." and part != "..") for part in parts)
        if info.is_dir() or not parts[-1] or hidden or len(parts) > DEEPEST + 2:
            continue
        if ".." in parts or parts[0] == "" or ":" in parts[0]:
            remarks.append(f"chemin refusé : {clean(decoded(info))}")
        elif stat.S_ISLNK(info.external_attr >> 16):
            remarks.append(f"lien refusé : {clean(parts[-1])}")
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            remarks.append(f"compression refusée : {clean(parts[-1])}")
        else:
            keep(found, remarks, parts, partial(read_entry, archive, info))


def read_entry(archive, info, limit):
    with archive.open(info) as file:
        return file.read(limit)


def decoded(info):
    """Le nom d'une entrée ; sans la marque UTF-8, celui que l'élève a sans doute voulu."""
    if info.flag_bits & 0x800:
        return info.filename
    raw = info.filename.encode("cp437", errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp850")


# --- Ce qu'un rendu contient --------------------------------------------------------------------------
def read(path):
    """Ce qu'un rendu contient : {nom attendu: octets}, et des remarques."""
    found, remarks, files = {}, [], {}
    try:
        if path.is_symlink():
            remarks.append(f"lien refusé : {clean(path.name)}")
        elif path.is_dir():
            read_folder(path, found, remarks)
        elif path.suffix.lower() == ".zip":
            read_zip(path, found, remarks)
        else:
            remarks.append(f"archive {path.suffix.lower()} non lue : demandez un zip")
    except OSError as error:
        remarks.append(f"ne s'ouvre pas ({error.strerror})")
    for name, same in found.items():
        same.sort(key=lambda each: (each[0][-1] != name, len(each[0]), each[0]))
        parts, files[name] = same[0]
        if len(same) > 1:
            remarks.append(f"{len(same)} {name} : lu dans {clean(' - '.join(parts))}")
        elif parts[-1] != name:
            remarks.append(f"{name} : c'est {clean(parts[-1])}")
    if not files:
        remarks.append("rien à lire")
    add_notebook(files, remarks)
    return files, remarks[:10] + [f"et {len(remarks) - 10} autres remarques"] * (len(remarks) > 10)


def add_notebook(files, remarks):
    """Ajoute ce que contient tp.ipynb ; un script y est pris s'il manque, ou s'il y reste moins de choses à écrire."""
    try:
        scripts, notes = notebook(files.pop("tp.ipynb", b'{"cells": []}'))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        remarks.append("tp.ipynb : ce n'est pas un carnet")
        return
    files["tp.md"] = notes.encode(errors="replace")
    for name, script in scripts.items():
        own = text_of(files[name]) if name in files else None
        if own is None or script.count(LEFT) < own.count(LEFT):
            files[name] = script.encode(errors="replace")
            remarks.append(f"{name} : celui de tp.ipynb")
        elif script.strip() != own.strip() and script.count(LEFT) == own.count(LEFT):
            remarks.append(f"{name} : un autre est dans tp.ipynb, non lu")


def notebook(raw):
    """Ce que contient un carnet : {nom de script: texte}, et le texte de ses cellules de notes."""
    scripts, notes = {}, []
    for cell in json.loads(raw.decode("utf-8-sig"))["cells"]:
        text = "".join(cell["source"])
        first, _, rest = text.partition("\n")
        found = re.match(rf"%%writefile\s+(?:\./)?({'|'.join(SCRIPTS)})\.py\s*$", first)
        if cell["cell_type"] == "markdown":
            notes.append(text)
        elif found:
            scripts[f"{found[1]}.py"] = rest
    return scripts, "\n\n".join(notes)


def text_of(raw):
    """Le texte d'un fichier, en UTF-8 ou comme l'enregistre le Bloc-notes."""
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n")


# --- Les réponses aux questions -----------------------------------------------------------------------
def questions():
    """Les questions du TP, lues dans les scripts du projet : {section: (script, titre, ce qui est demandé)}."""
    found = {}
    for script in SCRIPTS:
        text = (version_eleve.ROOT / f"{script}.py").read_text(encoding="utf-8")
        for name, function in version_eleve.sections_of(ast.parse(text)).items():
            found[name] = (script, *version_eleve.asked(function))
    return found


def answers(text, sections):
    """Les réponses d'un texte, questions.md ou les notes du carnet : {section: (pari, réponse)}, sans les vides."""
    found, kept, name = {}, [], None
    for line in [*text.splitlines(), "## fin.py"]:
        title = re.match(r"\s*#{2,4}\s+(\S+?)(?:\s*:.*|\.py\s*)?$", line[:300])
        if not title or (title[1] not in sections and not line.rstrip().endswith(".py")):
            kept.append(line)
            continue
        if name and any(split_answer(kept)):
            found[name] = split_answer(kept)
        name, kept = (title[1] if title[1] in sections else None), []
    return found


def split_answer(lines):
    """Le pari et la réponse que contiennent les lignes d'une question."""
    text = "\n".join(line for line in lines if not line.startswith(("Question :", "Travail à faire :")))
    before, mark, after = re.sub(r"(?m)^[ \t>*_#-]*Réponse[ *_]*:[*_]*", "\0", text).partition("\0")
    said, _, bet = re.sub(r"(?m)^[ \t>*_#-]*Votre pari[^:\n]*:[*_]*", "\0", before).partition("\0")
    answer = after if mark else said
    return bet.strip(), answer.replace("\0", "Réponse :").strip()
